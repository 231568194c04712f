"""G20: two live claims bill the same service of the same day and provider for the same price."""

from collections import Counter
from datetime import date, datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    if len(visit.live_claims) < 2:
        return NO_GAP
    claims = sorted(visit.live_claims, key=lambda claim: claim.id)
    twice = [day for first, second in zip(claims, claims[1:], strict=False) if (day := same(first, second))]
    if not twice:
        return NO_GAP
    since = close_of_business(max(twice), visit.zone)
    sentence = f"Billed twice: claims {', '.join(claim.id for claim in claims)}, second by {on(since, visit)}"
    return after_grace(since, policies.grace_hours("G20"), visit, policies, now, sentence)


def same(first: ClaimFacts, second: ClaimFacts) -> date | None:
    """The day the later of two alike claims was made. v1 shows no modifiers, so equal prices must speak for
    them."""
    if first.service_date != second.service_date or first.billed_provider_id != second.billed_provider_id:
        return None
    shared = priced(first) & priced(second)
    days = [day for claim in (first, second) if (day := claim.created_on)]
    return max(days, default=None) if shared else None


def priced(claim: ClaimFacts) -> Counter[tuple[str, object]]:
    return Counter((line.procedure_code, line.amount) for line in claim.lines if line.amount > 0)


RULE = Rule(
    code="G20",
    title="Billed twice",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G20",
    find=find,
    of_settled=True,
    shown=True,
    despite=frozenset(Suppressor),
)
