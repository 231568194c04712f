"""G26: a clean claim waits in DROP for more than two business days: the batch did not go out."""

from datetime import datetime

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import ClaimFacts, SlotFacts, VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    findings = [
        after_grace(
            since,
            policies.grace_hours("G26"),
            visit,
            policies,
            now,
            f"Claim {claim.id} in {slot.raw} since {on(since, visit)}, not submitted ({slot.name})",
        )
        for claim, slot, since in waiting(visit)
    ]
    return earliest(findings)


def waiting(visit: VisitFacts) -> list[tuple[ClaimFacts, SlotFacts, datetime]]:
    """One that was held, or sent, before it became ready is known to be ready only since we first saw it so."""
    return [
        (claim, slot, slot.since if slot.since and len(claim.notes) > 1 else since)
        for claim, slot, since in standing(visit, (ClaimStage.READY,))
    ]


RULE = Rule(
    code="G26",
    title="Ready, not submitted",
    stage=GapStage.SUBMIT,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G26",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
