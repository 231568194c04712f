"""The rule that needs nothing but time: a claim has stood in one stage for longer than the practice allows."""

from __future__ import annotations

from datetime import datetime

from athena_dash.correlation.rules.base import Find, Finding, after_grace, on
from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.rules.earliest import earliest
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def stands_long(code: str, stage: ClaimStage) -> Find:
    """The `find` of rule `code`, whose grace it is."""

    def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
        return earliest(
            [
                after_grace(
                    since,
                    policies.grace_hours(code),
                    visit,
                    policies,
                    now,
                    f"Claim {claim.id} in {slot.raw} since {on(since, visit)} ({slot.name})",
                )
                for claim, slot, since in standing(visit, (stage,))
            ]
        )

    return find
