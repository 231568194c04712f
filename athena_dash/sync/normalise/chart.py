"""Encounters and their documented services of athenaOne's chart → facts."""

from __future__ import annotations

from typing import Any

from athena_dash.records.facts import BriefEncounter, ChartEncounter, ServiceFact
from athena_dash.sync.normalise.context import Context, Unmapped
from integrations.athena import payloads

STATUSES = frozenset({"OPEN", "CLOSED", "REVIEW", "PEND", "TEMP", "DELETED"})  # athena-api.md §2.2


def encounter(body: bytes, context: Context) -> tuple[BriefEncounter]:
    """`/chart/{patientid}/encounters` names neither patient nor department in its rows: they were the question."""
    seen = payloads.read(payloads.Encounter, body)
    status = seen.status or ""
    if status not in STATUSES:
        raise Unmapped("status", "Encounter status", status)
    told: dict[str, Any] = {
        "external_id": seen.encounterid,
        "appointment_id": seen.appointmentid or "",
        "patient_id": seen.patientid or context.subject,
        "department_id": seen.departmentid or context.scope,
        "provider_id": seen.providerid or "",
        "date": seen.encounterdate,
        "kind": seen.encountertype or "",
        "status": status,
        "stage": seen.stage or "",
        "visit_name": seen.encountervisitname or "",
        "closed_on": seen.closeddate,
        "reopened_on": seen.lastreopened,
    }
    if seen.diagnoses is None:
        return (BriefEncounter(**told),)
    codes = tuple(code.code for diagnosis in seen.diagnoses for code in diagnosis.icdcodes if code.code)
    return (ChartEncounter(**told, diagnosis_codes=codes),)


def service(body: bytes, context: Context) -> tuple[ServiceFact]:
    seen = payloads.read(payloads.Service, body)
    return (
        ServiceFact(
            external_id=seen.serviceid,
            encounter_id=context.subject,
            procedure_code=seen.procedurecode or "",
            description=seen.proceduredescription or seen.description or "",
            units=seen.units,
            modifiers=tuple(modifier for modifier in seen.modifiers if modifier),
            bill_for_service=seen.billforservice is not False,
        ),
    )
