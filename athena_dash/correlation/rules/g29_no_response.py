"""G29: submitted, and the payer has neither paid nor answered for three weeks."""

from datetime import datetime

from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """The primary payer's silence only once anything was paid means the secondary's: then its own slot
    stands."""
    findings = [
        after_grace(
            since,
            policies.grace_hours("G29"),
            visit,
            policies,
            now,
            f"Claim {claim.id} billed by {on(since, visit)}, no answer from the payer ({slot.name})",
        )
        for claim, slot, since in standing(visit, (ClaimStage.BILLED, ClaimStage.FOLLOWUP))
        if slot.name != "primary" or not paid(claim)
    ]
    return earliest(findings) if findings else NO_GAP


def paid(claim: ClaimFacts) -> bool:
    return any(line.payments for line in claim.lines)


RULE = Rule(
    code="G29",
    title="Payer has not answered",
    stage=GapStage.ADJUDICATE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G29",
    find=find,
    despite=frozenset(Suppressor),
)
