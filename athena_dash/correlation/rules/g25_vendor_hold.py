"""G25: athenahealth or the central billing office has held a claim for more than ten business days."""

from datetime import datetime

from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    findings = [
        after_grace(
            since,
            policies.grace_hours("G25"),
            visit,
            policies,
            now,
            f"Claim {claim.id} in {slot.raw} since {on(since, visit)} ({slot.name})",
        )
        for claim, slot, since in standing(visit, (ClaimStage.VENDOR_HOLD,))
    ]
    return earliest(findings) if findings else NO_GAP


RULE = Rule(
    code="G25",
    title="Held by athenahealth",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G25",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
