"""G05: the note is signed but the desk never checked the patient out, so athena lets nobody make a claim."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    appointment = visit.appointment
    if appointment is None or appointment.status not in ("1", "2") or not visit.signed:
        return NO_GAP
    began = appointment.checked_in_at or appointment.starts_at
    since = close_of_business(visit.signed_on, visit.zone) if visit.signed_on else began
    if since is None:
        return NO_GAP
    since = max(since, began or since)
    sentence = f"Signed {on(since, visit)}, never checked out: no claim can be made"
    return after_grace(since, policies.grace_hours("G05"), visit, policies, now, sentence)


RULE = Rule(
    code="G05",
    title="Signed, not checked out",
    stage=GapStage.VISIT,
    awaits="appointment",
    needs_feed="appointments",
    source="revenue-cycle.md §0.3, §2.1 G05",
    find=find,
    of_settled=True,
    only="12",
    despite=frozenset({Suppressor.EPISODE}),
)
