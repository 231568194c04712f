"""Open failures → the Evidence the judge weighs: which records, or records of whom, are stuck on our own side."""

from __future__ import annotations

from athena_dash.correlation.verdict import Evidence
from athena_dash.sync.models import Failure, Reason

KINDS = {
    "clinicalfact": "clinical"
}  # names of records tables → correlation's names of records, where they differ


def evidence_of(practice_id: int) -> Evidence:
    """A failure that names its record or appointment speaks for those only; else it speaks for its patient."""
    rows = Failure.objects.for_practice(practice_id).filter(resolved_at__isnull=True).exclude(record_kind="")
    fields = ("record_kind", "record_id", "appointment_id", "patient_id", "reason")
    records, appointments, patients, unmapped = set(), set(), set(), set()
    for table, record_id, appointment_id, patient_id, reason in rows.values_list(*fields):
        kind = KINDS.get(table, table)
        if record_id:
            records.add((kind, record_id))
            if reason == Reason.UNMAPPED:
                unmapped.add((kind, record_id))
        if appointment_id:
            appointments.add((kind, appointment_id))
        elif patient_id and not record_id:
            patients.add((kind, patient_id))
    return Evidence(
        open_failures=frozenset(records),
        by_patient=frozenset(patients),
        by_appointment=frozenset(appointments),
        unmapped=frozenset(unmapped),
    )
