"""G35: the payer's column is closed as paid, and a line of it got nothing that this payer denied, or usually pays."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.estimate import NO_DOLLARS, Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import settled_at
from athena_dash.correlation.visit_facts import SETTLED, ClaimFacts, LineFacts, VisitFacts
from athena_dash.practices.policies import Policies

CENT, DOLLAR = Decimal("0.01"), Decimal(1)


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A line that this payer never pays is bundled, not denied; which it was, the claim's notes tell, or else what the
    payer paid for that service before."""
    for claim in visit.live_claims:
        lines = unpaid(claim, visit)
        since = settled_at(claim, visit) if lines else None
        if since is None:
            continue
        codes = ", ".join(sorted(line.procedure_code for line in lines))
        return after_grace(
            since,
            policies.grace_hours("G35"),
            visit,
            policies,
            now,
            f"Claim {claim.id} closed as paid by {on(since, visit)}, nothing for {codes}",
            estimate=lost(claim, lines, visit),
        )
    return NO_GAP


def unpaid(claim: ClaimFacts, visit: VisitFacts) -> list[LineFacts]:
    """Adjusted to nothing, on a claim of which other lines were paid."""
    if not claim.denied and not visit.usual:
        return []
    if len(claim.lines) < 2 or not claim.paid or claim.slots[0].stage not in SETTLED:
        return []
    return [
        line
        for line in claim.lines
        if line.payments is not None
        and not line.payments
        and line.amount >= DOLLAR  # quality codes are charged at a cent
        and line.adjustments == line.amount
        and (claim.denied or line.procedure_code in visit.usual)
    ]


def lost(claim: ClaimFacts, lines: list[LineFacts], visit: VisitFacts) -> Estimate:
    """What the payer usually allows for them; where that is not known of all, the share that it allowed of the rest."""
    if all(line.procedure_code in visit.usual for line in lines):
        usual = sum((visit.usual[line.procedure_code] for line in lines), Decimal(0))
        return Estimate(usual.quantize(CENT), "E5")
    paid = [line for line in claim.lines if line.payments and line.adjustments is not None]
    charged = sum((line.amount for line in paid), Decimal(0))
    allowed = charged - sum((line.adjustments or Decimal(0) for line in paid), Decimal(0))
    denied = sum((line.amount for line in lines), Decimal(0))
    return Estimate((denied * allowed / charged).quantize(CENT), "E2") if charged else NO_DOLLARS


RULE = Rule(
    code="G35",
    title="Partly denied, shown as paid",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="transactions",
    source="revenue-cycle.md §2.4 G35",
    find=find,
    of_settled=True,
    shown=True,
    despite=frozenset(Suppressor),
)
