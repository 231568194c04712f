"""G11: the patient has left, the note is still open."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import EncounterFacts, VisitFacts
from athena_dash.practices.policies import Policies

UNSIGNED = ("OPEN", "PEND")


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    if not is_open(visit):
        return NO_GAP
    since = left_at(visit)
    if since is None:
        return NO_GAP
    sentence = f"Seen {on(since, visit)}, note not signed"
    if reopened := max((e.reopened_on for e in open_notes(visit) if e.reopened_on), default=None):
        since = max(since, close_of_business(reopened, visit.zone))
        sentence = f"Note reopened {on(reopened, visit)}, not signed again"
    return after_grace(since, policies.grace_hours("G11"), visit, policies, now, sentence)


def open_notes(visit: VisitFacts) -> list[EncounterFacts]:
    return [encounter for encounter in visit.encounters if encounter.status in UNSIGNED]


def is_open(visit: VisitFacts) -> bool:
    """The encounter's own word first; the appointment's while we have no encounter."""
    if visit.encounters:
        return bool(open_notes(visit))
    return visit.appointment is not None and visit.appointment.encounter_state in UNSIGNED


def left_at(visit: VisitFacts) -> datetime | None:
    """Check-out; for an encounter without appointment its end, else the close of its day."""
    if visit.appointment is not None:
        if visit.appointment.status not in ("3", "4"):
            return None
        left = visit.appointment.checked_out_at or visit.appointment.exam_done_at
        if left:
            return left
    elif ended := max((e.ended_at for e in visit.encounters if e.ended_at), default=None):
        return ended
    return close_of_business(visit.service_date, visit.zone) if visit.service_date else None


RULE = Rule(
    code="G11",
    title="Note not signed",
    stage=GapStage.DOCUMENT,
    awaits="encounter",
    needs_feed="encounters",
    source="revenue-cycle.md §2.2 G11",
    find=find,
    of_settled=True,
    of_signed=False,
    shown=True,
    despite=frozenset({Suppressor.EPISODE}),
)
