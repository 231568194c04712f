"""Open failures, live reads and cohorts → the Evidence the judge weighs: what is stuck on our own side, what athena
itself was asked, and where far more is missing than usual."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from athena_dash.core import clock
from athena_dash.correlation.cohorts import cohorts_of
from athena_dash.correlation.verdict import ANSWER_HOLDS, Evidence
from athena_dash.records.models import Claim
from athena_dash.sync.models import Audit, Failure, LiveRead, Reason
from athena_dash.sync.resources import RESOURCES

# names of records tables → correlation's names of records, where they differ
KINDS = {"clinicalfact": "clinical"}


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
    appointments |= {
        ("claim", appointment_id) for appointment_id in appointments_of_claims(practice_id, records)
    }
    return Evidence(
        open_failures=frozenset(records),
        by_patient=frozenset(patients),
        by_appointment=frozenset(appointments),
        unmapped=frozenset(unmapped),
        asked=answers(practice_id),
        counted=counts(practice_id),
        cohorts=cohorts_of(practice_id),
    )


def counts(practice_id: int) -> dict[str, tuple[date, datetime]]:
    """From which day on the audits found every claim that athena lists, and when they last looked. Of a week that has
    passed an old audit still speaks: no claim is made in the past. Days before a week that is not clean count not."""
    audits = Audit.objects.for_practice(practice_id).filter(kind=Audit.Kind.CLAIMS, finished_at__isnull=False)
    newest = {row.window: row for row in audits.order_by("window", "-started_at", "-pk").distinct("window")}
    recent = newest.pop(Audit.RECENT, None)
    if recent is None or not is_clean(recent) or recent.started_at < clock.now() - ANSWER_HOLDS:
        return {}
    first = recent.first_day
    for week in sorted(newest.values(), key=lambda row: row.last_day, reverse=True):
        if not is_clean(week) or week.last_day < first - timedelta(days=1):
            break
        first = min(first, week.first_day)
    return {RESOURCES[Audit.Kind.CLAIMS].record: (first, recent.started_at)}


def is_clean(audit: Audit) -> bool:
    return not (audit.problem or audit.missing or audit.unnamed)


def answers(practice_id: int) -> dict[tuple[str, int], datetime]:
    """(kind, visit) → when athena last answered for it in full; older answers no longer count."""
    rows = LiveRead.objects.for_practice(practice_id).filter(
        state=LiveRead.State.DONE, started_at__gt=clock.now() - ANSWER_HOLDS
    )
    told = rows.order_by("started_at").values_list("visit_id", "answered", "started_at")
    return {(kind, visit_id): at for visit_id, kinds, at in told for kind in kinds}


def appointments_of_claims(practice_id: int, failed: set[tuple[str, str]]) -> list[str]:
    """A claim payload need not name its appointment; the appointment that nests the claim does."""
    ids = [record_id for kind, record_id in failed if kind == "claim"]
    named = Claim.objects.for_practice(practice_id).filter(external_id__in=ids).exclude(appointment_id="")
    return list(named.values_list("appointment_id", flat=True))
