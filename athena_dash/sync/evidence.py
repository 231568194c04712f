"""Open failures, live reads, audits and cohorts → the Evidence the judge weighs: what is stuck on our own side, what
athena itself was asked, and where far more is missing than usual. Holds raw SQL.

Read anew for every batch, be it of one visit: in one trip, since asking one by one would cost more than judging it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from athena_dash.core import clock
from athena_dash.core.one_trip import Row, fetch
from athena_dash.correlation import cohorts
from athena_dash.correlation.verdict import ANSWER_HOLDS, Evidence
from athena_dash.sync.models import Audit, Reason
from athena_dash.sync.resources import RESOURCES

Named = tuple[str, str]
"""(kind of record, id of a record, an appointment or a patient)."""

# names of records tables → correlation's names of records, where they differ
KINDS = {"clinicalfact": "clinical"}

# A claim payload need not name its appointment; the appointment that nests the claim does.
FAILED = """
select f.record_kind, f.record_id, f.appointment_id, f.patient_id, f.reason, coalesce(c.appointment_id, '')
from sync_failure f
left join records_claim c on f.record_kind = 'claim' and c.practice_id = f.practice_id and c.external_id = f.record_id
where f.practice_id = %(practice)s and f.resolved_at is null and f.record_kind <> ''
  and not (f.record_id = '' and f.record_kind = 'claim' and f.subject_kind = 'raw' and exists (
      select from records_claim k  -- what came without its id came again since, under it
      where k.practice_id = f.practice_id and k.appointment_id = f.appointment_id and k.appointment_id <> ''
        and k.raw_id > f.subject_id::bigint
  ))
"""
ANSWERED = """
select visit_id, answered, started_at from sync_liveread
where practice_id = %(practice)s and state = 'done' and started_at > %(since)s
order by started_at
"""
COUNTED = """
select distinct on ("window") "window", first_day, last_day, started_at,
    problem = '' and unnamed = 0 and jsonb_array_length(missing) = 0
from sync_audit where practice_id = %(practice)s and kind = 'claims' and finished_at is not null
order by "window", started_at desc, id desc
"""


def evidence_of(practice_id: int) -> Evidence:
    values = {"practice": practice_id, "since": clock.now() - ANSWER_HOLDS}
    failed, answered, counted, found = fetch(values, FAILED, ANSWERED, COUNTED, cohorts.LAST_FOUND)
    return Evidence(
        **stuck(failed),
        asked={(kind, visit_id): at for visit_id, kinds, at in answered for kind in kinds},
        counted=counts(counted),
        cohorts=cohorts.in_words(found),
    )


def stuck(rows: Iterable[Row]) -> dict[str, frozenset[Named]]:
    """A failure that names its record or appointment speaks for those only; else it speaks for its patient."""
    records: set[Named] = set()
    appointments: set[Named] = set()
    patients: set[Named] = set()
    unmapped: set[Named] = set()
    for table, record_id, appointment_id, patient_id, reason, nesting_id in rows:
        kind = KINDS.get(table) or table
        if record_id:
            records.add((kind, record_id))
            if reason == Reason.UNMAPPED:
                unmapped.add((kind, record_id))
        if appointment_id:
            appointments.add((kind, appointment_id))
        elif patient_id and not record_id:
            patients.add((kind, patient_id))
        if nesting_id:
            appointments.add((kind, nesting_id))
    return {
        "open_failures": frozenset(records),
        "by_patient": frozenset(patients),
        "by_appointment": frozenset(appointments),
        "unmapped": frozenset(unmapped),
    }


def counts(audits: Iterable[Row]) -> dict[str, tuple[date, datetime]]:
    """From which day on the audits found every claim that athena lists, and when they last looked. Of a week that has
    passed an old audit still speaks: no claim is made in the past. Days before a week that is not clean count not."""
    newest: dict[str, list[Any]] = {window: row for window, *row in audits}
    recent = newest.pop(Audit.RECENT, None)
    if recent is None:
        return {}
    first, _, at, clean = recent
    if not clean or at < clock.now() - ANSWER_HOLDS:
        return {}
    for first_day, last_day, _, is_clean in sorted(newest.values(), key=lambda row: row[1], reverse=True):
        if not is_clean or last_day < first - timedelta(days=1):
            break
        first = min(first, first_day)
    return {RESOURCES[Audit.Kind.CLAIMS].record: (first, at)}
