"""G21: a charge was posted long after the service, when the payer had already answered the claim: it needs a
corrected claim."""

from datetime import datetime, timedelta
from decimal import Decimal

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import ClaimFacts, LineFacts, VisitFacts
from athena_dash.practices.policies import Policies

LATE = timedelta(days=3)  # HFMA's late charge


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    lines = [line for claim in visit.live_claims for line in late_lines(claim)]
    posted = max((line.posted_on for line in lines if line.posted_on), default=None)
    if posted is None:
        return NO_GAP
    codes = ", ".join(sorted(line.procedure_code for line in lines))
    sentence = f"{codes} posted {on(posted, visit)}, after the payer had answered: needs a corrected claim"
    open_balance = sum((line.outstanding for line in lines if line.outstanding), Decimal(0))
    return after_grace(
        close_of_business(posted, visit.zone),
        policies.grace_hours("G21"),
        visit,
        policies,
        now,
        sentence,
        estimate=Estimate(open_balance, "E1"),
    )


def late_lines(claim: ClaimFacts) -> list[LineFacts]:
    """Unpaid lines of services that no answered line of the claim has. The same service again is G20's."""
    unpaid = [line for line in claim.lines if line.outstanding and not line.payments]
    if not unpaid:
        return []
    answered = [line for line in claim.lines if line.payments and line.posted_on]
    if claim.service_date is None or not answered:
        return []
    first = min(line.posted_on for line in answered if line.posted_on)
    return [
        line
        for line in unpaid
        if line.posted_on
        and line.posted_on > max(first, claim.service_date + LATE)
        and line.amount > 0
        and line.procedure_code not in {other.procedure_code for other in answered}
    ]


RULE = Rule(
    code="G21",
    title="Late charge",
    stage=GapStage.SUBMIT,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.2 G21",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
