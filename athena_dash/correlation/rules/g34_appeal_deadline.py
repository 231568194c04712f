"""G34: a denied claim can be appealed for a while only, and that while is nearly over."""

from datetime import datetime, timedelta

from athena_dash.correlation.business_time import start_of_day
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.came_back import came_back
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.filing import appeal_limit
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """The day of the denial is the day we saw it; of one that was there before us, the earliest it can have been."""
    findings = []
    for claim, _, since in came_back(visit, "denied"):
        denied_on = since.astimezone(visit.zone).date()
        limit = appeal_limit(visit.insurance_type, visit.payer_name, denied_on, policies.terms("appeal"))
        if limit is None:
            continue
        alarm = start_of_day(limit.on - timedelta(days=int(policies.value("filing_alarm_days"))), visit.zone)
        sentence = f"Claim {claim.id} can be appealed until {on(limit.on, visit)} ({limit.source})"
        findings.append(
            after_grace(alarm, policies.grace_hours("G34"), visit, policies, now, sentence, deadline=limit.on)
        )
    return earliest(findings) if findings else NO_GAP


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
