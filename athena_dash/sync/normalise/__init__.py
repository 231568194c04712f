"""Payload bytes → frozen facts: pure functions, one module per half of athena, no Django, no network.

`normalise(resource, body, context)` is the only dispatch. It raises InvalidPayload or Unmapped; nothing it raises
repeats a value of the payload that could be PHI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from athena_dash.records.facts import Fact, Roster
from athena_dash.sync.normalise import billing, chart, clinical, directory, roster, scheduling
from athena_dash.sync.normalise.context import Context

Facts = tuple[Fact | Roster, ...]

NORMALISERS: Mapping[str, Callable[[bytes, Context], Facts]] = {
    "departments": directory.department,
    "providers": directory.provider,
    "patients": directory.patient,
    "insurances": billing.insurance,
    "appointments": scheduling.appointment,
    "encounters": chart.encounter,
    "services": chart.service,
    "claims": billing.claim,
    "transactions": billing.transaction,
    "claim_notes": billing.claim_note,
    "services.roster": roster.services,
    "insurances.roster": roster.insurances,
    "fhir_patients": clinical.patient,
    "fhir_encounters": clinical.encounter,
    "observations": clinical.observation,
    "conditions": clinical.condition,
    "medication_requests": clinical.medication_request,
    "document_references": clinical.document_reference,
    "diagnostic_reports": clinical.diagnostic_report,
}


def normalise(resource: str, body: bytes, context: Context) -> Facts:
    return NORMALISERS[resource](body, context)


__all__ = ["NORMALISERS", "Context", "Facts", "normalise"]
