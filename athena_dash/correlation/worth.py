"""Expected dollars, which are not all had by waiting → what another week of waiting would lose (revenue-cycle.md §2.0).

A claim that nobody enters loses 0.6 % of its worth a day on average [athena batch header, §0.6], and all of it at the
payer's limit. Always expected dollars, never charges.
"""

from __future__ import annotations

from decimal import Decimal

DECAY = Decimal("0.994")  # of what is left, each day
WEEK = 7
CENT = Decimal("0.01")


def still_had(days: int, days_left: int | None) -> Decimal:
    """The share that is still paid if somebody acts in that many days; nothing once the limit has passed."""
    return Decimal(0) if days_left is not None and days > days_left else DECAY**days


def lost_by_waiting(expected: Decimal, age: int, days_left: int | None) -> Decimal:
    """`age`: days since the gap began, of which each has already had its part; `days_left` to the limit, if any."""
    worth = expected * still_had(0, days_left) * DECAY ** max(age, 0)
    return (worth * (1 - still_had(WEEK, days_left))).quantize(CENT)
