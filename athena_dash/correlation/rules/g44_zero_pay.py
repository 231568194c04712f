"""G44: every column of the claim is closed and nobody paid a cent: a write-off that nobody spoke of."""

from datetime import datetime

from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import settled_at
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A capitated payer pays by the month, so its visits close at nothing; a $0 line has nothing to pay."""
    claims = visit.live_claims
    if not claims or [claim for claim in claims if not nothing_paid(claim)]:
        return NO_GAP
    if visit.payer_name in policies.value("capitated_payers"):
        return NO_GAP
    closed = [since for claim in claims if (since := settled_at(claim, visit))]
    if not closed:
        return NO_GAP
    since = max(closed)
    sentence = f"Claim {claims[-1].id} closed by {on(since, visit)}, nobody paid anything"
    return after_grace(since, policies.grace_hours("G44"), visit, policies, now, sentence)


def nothing_paid(claim: ClaimFacts) -> bool:
    """Known to be nothing, which is not the same as not known."""
    return (
        not claim.paid
        and claim.paid is not None
        and claim.settled
        and claim.outstanding == 0
        and claim.charged > 0
    )


RULE = Rule(
    code="G44",
    title="Closed, nobody paid",
    stage=GapStage.POST,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.4 G44",
    find=find,
    of_settled=True,
    shown=True,
    despite=frozenset(Suppressor),
)
