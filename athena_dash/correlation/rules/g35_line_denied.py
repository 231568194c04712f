"""G35: the payer's column is closed as paid, and a line of it that this payer usually pays got nothing."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import settled_at
from athena_dash.correlation.visit_facts import SETTLED, ClaimFacts, LineFacts, VisitFacts
from athena_dash.practices.policies import Policies

CENT, DOLLAR = Decimal("0.01"), Decimal(1)


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A line that this payer never pays is bundled, not denied; which, only its own payments tell."""
    for claim in visit.live_claims:
        lines = unpaid(claim, visit)
        since = settled_at(claim, visit) if lines else None
        if since is None:
            continue
        codes = ", ".join(sorted(line.procedure_code for line in lines))
        lost = sum((visit.usual[line.procedure_code] for line in lines), Decimal(0))
        return after_grace(
            since,
            policies.grace_hours("G35"),
            visit,
            policies,
            now,
            f"Claim {claim.id} closed as paid by {on(since, visit)}, nothing for {codes}",
            estimate=Estimate(lost.quantize(CENT), "E5"),
        )
    return NO_GAP


def unpaid(claim: ClaimFacts, visit: VisitFacts) -> list[LineFacts]:
    """Adjusted to nothing, on a claim of which other lines were paid."""
    if len(claim.lines) < 2 or not claim.paid or claim.slots[0].stage not in SETTLED:
        return []
    return [
        line
        for line in claim.lines
        if line.payments == 0
        and line.amount >= DOLLAR  # quality codes are charged at a cent
        and line.adjustments == line.amount
        and line.procedure_code in visit.usual
    ]


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
