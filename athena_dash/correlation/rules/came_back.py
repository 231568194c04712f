"""Claims that their payer sent back, by what athena's newest note on them says: rejected unread, or denied."""

from __future__ import annotations

from datetime import datetime

from athena_dash.correlation.rules.claim_slots import standing
from athena_dash.correlation.visit_facts import ClaimFacts, SlotFacts, VisitFacts
from athena_dash.practices.filing import FilingLimit, appeal_limit
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage


def came_back(visit: VisitFacts, how: str) -> list[tuple[ClaimFacts, SlotFacts, datetime]]:
    """(claim, slot, since) of those that wait for us. A later note, or another status, means that somebody acted."""
    if not any(claim.last_note == how for claim in visit.live_claims):
        return []
    held = standing(visit, (ClaimStage.HOLD, ClaimStage.MANAGER_HOLD))
    return [found for found in held if found[0].last_note == how]


def appeal_until(visit: VisitFacts, denied: datetime, policies: Policies) -> FilingLimit | None:
    """The day of the denial is the day we saw it; of one that was there before us, the earliest it can have been."""
    day = denied.astimezone(visit.zone).date()
    return appeal_limit(visit.insurance_type, visit.payer_name, day, policies.terms("appeal"))
