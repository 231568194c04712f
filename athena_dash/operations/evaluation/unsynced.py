"""What athena has of a visit and we have not, or not whole: the truth of "not synced", and of G14.

athena itself never lacks the claim of a charged visit, so no ledger knows a cause of G14; each true one is our own
doing, and the ledger's claims tell which those are.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from athena_dash.operations.evaluation.labels import athena_ids, clinical_number
from athena_dash.records.models import Appointment, ChargeLine, Claim, ClinicalFact, Encounter, ServiceLine
from athena_dash.sync.census import NAMED_ONLY
from athena_dash.sync.models import Failure
from integrations.sandbox.ledger import Ledger

CHARGED_WITHOUT_CLAIM = "G14"
RESULT = "clinical"
FRESH = timedelta(days=5)  # of a younger visit nobody knows whether its grace is over
HERE: dict[str, Any] = {
    "appointment": Appointment.objects.all(),
    "encounter": Encounter.objects.all(),
    "service": ServiceLine.objects.all(),
    "claim": Claim.objects.exclude(NAMED_ONLY),
    "charge": ChargeLine.objects.all(),
    RESULT: ClinicalFact.objects.all(),
}
"""By the ledger's word for them."""
WORDS = {"serviceline": "service", "chargeline": "charge"}

Record = tuple[str, str, str]
"""(athena practice id, the ledger's kind, id)."""


def lacking(ledger: Ledger) -> set[str]:
    """Names of visits of which a record is not here, or an open failure says that its newest copy is not; and of
    results that are not."""
    here = held() - failing()
    missing = [
        one for one in ledger.records if one.kind in HERE and (one.practice, one.kind, one.id) not in here
    ]
    results = {f"{one.practice}/{one.id}" for one in missing if one.kind == RESULT}
    return results | {f"{one.practice}/{one.visit}" for one in missing if one.visit and one.kind != RESULT}


def held() -> set[Record]:
    practices = athena_ids()
    return {
        (practices[practice_id], kind, clinical_number(external_id) if kind == RESULT else external_id)
        for kind, rows in HERE.items()
        for practice_id, external_id in rows.values_list("practice_id", "external_id")
    }


def failing() -> set[Record]:
    practices = athena_ids()
    rows = Failure.objects.filter(resolved_at__isnull=True).exclude(record_id="")
    return {
        (practices[practice_id], WORDS.get(kind, kind), record_id)
        for practice_id, kind, record_id in rows.values_list("practice_id", "record_kind", "record_id")
    }


def charged_without_claim(ledger: Ledger) -> tuple[set[str], set[str]]:
    """(must be shown, may be): visits charged as we hold them, none of whose claims is here."""
    here, claims, appointments = held(), defaultdict[str, list[bool]](list), {}
    for record in ledger.records:
        name = f"{record.practice}/{record.visit}"
        if record.visit and record.kind == "claim":
            claims[name].append((record.practice, "claim", record.id) in here)
        elif record.visit and record.kind == "appointment":
            appointments[record.practice, record.id] = name
    practices, until = athena_ids(), (ledger.header.as_of - FRESH).date()
    charged = Appointment.objects.filter(status="4", charge_entry_not_required=False)
    must, may = set[str](), set[str]()
    for practice_id, external_id, day in charged.values_list("practice_id", "external_id", "date"):
        name = appointments.get((practices[practice_id], external_id), "")
        if claims.get(name) and not any(claims[name]):
            (must if day and day <= until else may).add(name)
    return must, may
