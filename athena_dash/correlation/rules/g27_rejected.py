"""G27: a clearinghouse or payer would not take the claim, and it was not sent again; the filing clock still runs."""

from datetime import datetime

from athena_dash.correlation.rules.base import Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.rules.came_back import came_back
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    findings = [
        after_grace(
            since,
            policies.grace_hours("G27"),
            visit,
            policies,
            now,
            f"Claim {claim.id} rejected by {on(since, visit)}, nothing done since ({slot.name})",
        )
        for claim, slot, since in came_back(visit, "rejected")
    ]
    return earliest(findings)


RULE = Rule(
    code="G27",
    title="Rejected, not sent again",
    stage=GapStage.SUBMIT,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.3 G27",
    find=find,
    shown=True,
    despite=frozenset(Suppressor),
)
