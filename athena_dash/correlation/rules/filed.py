"""A visit's claims → whether they still have to reach their payer: what the filing limit is about."""

from __future__ import annotations

from athena_dash.correlation.visit_facts import ClaimFacts, VisitFacts
from athena_dash.practices.statuses import ClaimStage

UNSENT = (ClaimStage.HOLD, ClaimStage.MANAGER_HOLD, ClaimStage.VENDOR_HOLD, ClaimStage.READY)


def waits(claim: ClaimFacts) -> bool:
    """Its primary slot never left us. A denied claim in HOLD was sent once: its notes say BILLED."""
    never_left = bool(claim.slots) and claim.slots[0].stage in UNSENT
    return never_left and ClaimStage.BILLED not in claim.notes


def limit_counts(visit: VisitFacts) -> bool:
    """A limit matters to a visit without a live claim, and to one with a claim that waits; not once all are filed, nor
    where another visit's claim pays."""
    if visit.episode:
        return False
    return not visit.live_claims or any(waits(claim) for claim in visit.live_claims)
