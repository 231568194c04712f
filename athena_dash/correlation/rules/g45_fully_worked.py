"""G45: athenahealth pursues the claim no further, and the practice has not closed it: reviewed weekly."""

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
            policies.grace_hours("G45"),
            visit,
            policies,
            now,
            f"Claim {claim.id} in {slot.raw} since {on(since, visit)} ({slot.name})",
        )
        for claim, slot, since in standing(visit, (ClaimStage.FULLY_WORKED,))
    ]
    return earliest(findings) if findings else NO_GAP


RULE = Rule(
    code="G45",
    title="Given up by athena, not closed",
    stage=GapStage.POST,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.4 G45, §1.1 S24",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
