"""G01: an appointment of a past day that nobody checked in, cancelled or marked as a no-show."""

from datetime import datetime

from athena_dash.correlation.business_time import end_of_day
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    if visit.status != "f" or visit.service_date is None:
        return NO_GAP
    since = end_of_day(visit.service_date, visit.zone)
    sentence = f"Booked for {on(visit.service_date, visit)}, never checked in or cancelled"
    return after_grace(since, policies.grace_hours("G01"), visit, policies, now, sentence)


RULE = Rule(
    code="G01",
    title="Past appointment unresolved",
    stage=GapStage.SCHEDULE,
    awaits="appointment",
    needs_feed="appointments",
    source="revenue-cycle.md §2.1 G01",
    find=find,
    of_settled=True,
    only="f",
)
