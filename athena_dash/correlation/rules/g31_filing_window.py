"""G31: the filing limit comes near, or has passed, and nothing was sent; also for visits without any claim."""

from datetime import datetime, timedelta

from athena_dash.correlation.business_time import start_of_day
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.rules.filed import waits
from athena_dash.correlation.rules.packaged import charged_by
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.filing import filing_limit
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Deadlines run in calendar days, weekends too; of what is charged with a later service, from then."""
    if not happened(visit) or not unsent(visit):
        return NO_GAP
    day = charged_by(visit, policies) if not visit.claims else None
    terms = policies.terms("filing")
    limit = filing_limit(visit.insurance_type, visit.payer_name, day or visit.service_date, terms)
    if limit is None:
        return NO_GAP
    alarm = limit.on - timedelta(days=int(policies.value("filing_alarm_days")))
    since = start_of_day(alarm, visit.zone)
    sentence = f"The claim must reach the payer by {on(limit.on, visit)} ({limit.source})"
    return after_grace(since, policies.grace_hours("G31"), visit, policies, now, sentence)


def happened(visit: VisitFacts) -> bool:
    return visit.status in ("2", "3", "4") or (visit.appointment is None and bool(visit.billable_services))


def unsent(visit: VisitFacts) -> bool:
    """No claim, or only such as wait. In status 4 without one, there is one that we do not hold, and it may have been
    sent."""
    if visit.status == "4" and not visit.claims:
        return False
    return all(waits(claim) for claim in visit.live_claims)


RULE = Rule(
    code="G31",
    title="Filing limit near",
    stage=GapStage.SUBMIT,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G31, §3.1",
    find=find,
)
