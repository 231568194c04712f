"""G39: the first payer has answered and left a balance to the second, who was never sent the claim."""

from datetime import datetime, timedelta
from decimal import Decimal

from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import settled_at
from athena_dash.correlation.visit_facts import SETTLED, ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies

CENT = Decimal("0.01")


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """The second payer's limit runs from the first one's answer."""
    for claim in visit.live_claims:
        if not claim.second_policy or not (left := left_to_second(claim)):
            continue
        since = settled_at(claim, visit)
        if since is None:
            continue
        limit = timedelta(days=int(policies.value("secondary_days")))
        sentence = f"Primary answered by {on(since, visit)}, ${left:.2f} left to the second payer, not billed"
        return after_grace(
            since,
            policies.grace_hours("G39"),
            visit,
            policies,
            now,
            sentence,
            estimate=Estimate(left.quantize(CENT), "E1"),
            deadline=since.astimezone(visit.zone).date() + limit,
        )
    return NO_GAP


def left_to_second(claim: ClaimFacts) -> Decimal:
    primary, secondary = claim.slots[0], claim.slots[1]
    if primary.stage not in SETTLED or secondary.stage not in SETTLED:
        return Decimal(0)
    owed = (line.outstanding for line in claim.lines if line.holder == "SECONDARY" and line.outstanding)
    return sum(owed, Decimal(0))


RULE = Rule(
    code="G39",
    title="Second payer not billed",
    stage=GapStage.SUBMIT,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.4 G39, §3.1",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
