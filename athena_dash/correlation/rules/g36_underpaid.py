"""G36: the payer allowed less for a line than it usually does, by more than a trifle."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import settled_at
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies

CENT = Decimal("0.01")
TRIFLE, SHARE = Decimal(5), Decimal("0.03")  # the larger of the two is let go


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Without the contract, what the payer allowed before stands for it. Shortfalls are never netted against excess."""
    for claim in visit.live_claims if visit.usual else ():
        short = shortfall(claim, visit)
        since = settled_at(claim, visit) if short else None
        if since is None:
            continue
        return after_grace(
            since,
            policies.grace_hours("G36"),
            visit,
            policies,
            now,
            f"Claim {claim.id} answered by {on(since, visit)}: ${short:.2f} less allowed than usual",
            estimate=Estimate(short.quantize(CENT), "E5"),
        )
    return NO_GAP


def shortfall(claim: ClaimFacts, visit: VisitFacts) -> Decimal:
    """Of lines that were paid at all: what is not adjusted away was allowed, whoever pays it."""
    short = Decimal(0)
    for line in claim.lines:
        usual = visit.usual.get(line.procedure_code)
        if usual and line.payments and line.adjustments is not None:
            missing = usual + line.adjustments - line.amount
            if missing > TRIFLE and missing > usual * SHARE:
                short += missing
    return short


RULE = Rule(
    code="G36",
    title="Underpaid",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.4 G36",
    find=find,
    of_settled=True,
    shown=True,
    despite=frozenset(Suppressor),
)
