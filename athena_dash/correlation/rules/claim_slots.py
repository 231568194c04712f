"""Payer slots that have stood in one stage for long: the shared heart of the hold, drop and no-answer rules."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.visit_facts import ClaimFacts, SlotFacts, VisitFacts
from athena_dash.practices.statuses import ClaimStage

PAYER_ROUND = timedelta(days=30)
"""How long a payer's answer is taken to have needed where athena dates neither question nor answer (§3.2)."""
HELD = (ClaimStage.HOLD, ClaimStage.MANAGER_HOLD, ClaimStage.VENDOR_HOLD)


def standing(
    visit: VisitFacts, stages: Collection[ClaimStage]
) -> list[tuple[ClaimFacts, SlotFacts, datetime]]:
    """(claim, slot, since) of the live claims' slots in those stages."""
    return [
        (claim, slot, since)
        for claim, slot in visit.open_slots
        if slot.stage in stages and (since := slot_since(claim, slot, visit))
    ]


def slot_since(claim: ClaimFacts, slot: SlotFacts, visit: VisitFacts) -> datetime | None:
    """athena gives statuses no date. What we watched, we know; what was there when we first looked is as old
    as the last thing that is dated about the claim: its newest posted line, else its making."""
    if slot.since and not slot.from_backfill:
        return slot.since
    dated = [line.posted_on for line in claim.lines if line.posted_on]
    day = max([*dated, *([claim.created_on] if claim.created_on else [])], default=None)
    made = close_of_business(day, visit.zone) if day else None
    return min((at for at in (made, slot.since) if at), default=None)


def payer_round_later(since: datetime, slot: SlotFacts, rounds: int) -> datetime:
    """Payers that have answered before put the present state later, but never after we first saw it."""
    if slot.since and not slot.from_backfill:
        return since
    later = since + PAYER_ROUND * rounds
    return min(later, slot.since) if slot.since else later


def settled_at(claim: ClaimFacts, visit: VisitFacts) -> datetime | None:
    """When the payer answered for good: the newest change of a column that we watched; of a claim that was so when we
    first looked, a payer's round after it went out."""
    witnessed = [slot.since for slot in claim.slots if slot.since and not slot.from_backfill]
    if witnessed:
        return max(witnessed)
    primary = claim.slots[0]
    since = slot_since(claim, primary, visit)
    return payer_round_later(since, primary, rounds_before(claim, primary) + 1) if since else None


def rounds_before(claim: ClaimFacts, slot: SlotFacts) -> int:
    """What came before this slot's present wait: the primary's answer, and each hold that the notes tell of."""
    holds = sum(stage in HELD for stage in claim.notes[:-1])
    return holds if slot.name == "primary" else holds + 1
