"""G12: the note waits in review for a supervising provider's signature."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.g11_unsigned import left_at
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """athena does not say when the review began. The end of the exam is the last instant that is dated, or the close of
    the visit's day: the desk may check out days later, or never (G03)."""
    if "REVIEW" not in [encounter.status for encounter in visit.encounters]:
        return NO_GAP
    day, exam = visit.service_date, visit.appointment.exam_done_at if visit.appointment else None
    since = exam or left_at(visit) or (close_of_business(day, visit.zone) if day else None)
    if since is None:
        return NO_GAP
    sentence = f"Note of {on(since, visit)} waits for a second signature"
    return after_grace(since, policies.grace_hours("G12"), visit, policies, now, sentence)


RULE = Rule(
    code="G12",
    title="Second signature pending",
    stage=GapStage.DOCUMENT,
    awaits="encounter",
    needs_feed="encounters",
    source="revenue-cycle.md §2.2 G12",
    find=find,
    of_settled=True,
    of_signed=False,
    shown=True,
    despite=frozenset({Suppressor.EPISODE}),
)
