"""G34: a denied claim can be appealed for a while only, and that while is nearly over."""

from datetime import datetime, timedelta

from athena_dash.correlation.business_time import start_of_day
from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.came_back import appeal_until, came_back
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    warning = timedelta(days=int(policies.value("filing_alarm_days")))
    findings = []
    for claim, _, since in came_back(visit, "denied"):
        if limit := appeal_until(visit, since, policies):
            alarm = start_of_day(limit.on - warning, visit.zone)
            sentence = f"Claim {claim.id} can be appealed until {on(limit.on, visit)} ({limit.source})"
            hours = policies.grace_hours("G34")
            findings.append(after_grace(alarm, hours, visit, policies, now, sentence, deadline=limit.on))
    return earliest(findings)


RULE = Rule(
    code="G34",
    title="Appeal deadline near",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.4 G34, §3.1",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
