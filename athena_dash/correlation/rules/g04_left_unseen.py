"""G04: checked in a day ago, and the chart never got past the waiting room: the patient left without being seen."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies

BEFORE_PROVIDER = ("READYFORSTAFF", "WITHSTAFF")
"""athena's progress of an encounter that no provider has begun (athena-api.md §2.2); it stamps no start of an exam."""


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    appointment = visit.appointment
    if appointment is None or not unseen(visit):
        return NO_GAP
    since = appointment.checked_in_at or appointment.starts_at
    if since is None:
        return NO_GAP
    sentence = f"Checked in {on(since, visit)}, no exam and no service since: perhaps left unseen"
    nothing = Estimate(Decimal(0), "")
    return after_grace(since, policies.grace_hours("G04"), visit, policies, now, sentence, estimate=nothing)


def unseen(visit: VisitFacts) -> bool:
    appointment = visit.appointment
    if appointment is None or appointment.status != "2" or visit.services or visit.claims:
        return False
    waiting = appointment.encounter_status in BEFORE_PROVIDER and appointment.exam_done_at is None
    return waiting and bool(visit.encounters) and all(e.status == "OPEN" for e in visit.encounters)


RULE = Rule(
    code="G04",
    title="Left without being seen",
    stage=GapStage.VISIT,
    awaits="appointment",
    needs_feed="appointments",
    source="revenue-cycle.md §2.1 G04",
    find=find,
    only="2",
    despite=frozenset({Suppressor.EPISODE}),
)
