"""What each practice has used of today's calls, by share, and what that leaves to a backfill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from athena_dash.practices.models import Connection
from athena_dash.sync.budget import RESERVES, Share
from athena_dash.sync.meters import FeedKey, Meter, total

MOST = 100.0


@dataclass(frozen=True, slots=True)
class Part:
    """`percent` of the day's calls, where its piece of the bar begins at `left`."""

    share: Share
    calls: int
    left: float
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Since midnight GMT, as athena counts the day."""

    per_day: int
    parts: tuple[Part, ...]
    backfill_calls_a_day: (
        int  # what is left of a day for backfills, beside what the last 24 hours took for the rest
    )

    @property
    def used(self) -> int:
        return sum(part.calls for part in self.parts)

    @property
    def reserved(self) -> float:
        """Where the bar's part begins that a backfill leaves to the others, in percent."""
        return MOST * (1 - RESERVES[Share.BACKFILL])

    @property
    def tone(self) -> str:
        spent = MOST * self.used / self.per_day if self.per_day else MOST
        return "bad" if spent >= MOST else "wait" if spent >= self.reserved else ""

    @property
    def words(self) -> str:
        by_share = ", ".join(f"{part.calls:,} {part.share.value}" for part in self.parts)
        return f"{self.used:,} of {self.per_day:,} calls of today used: {by_share}"


def budget_of(connection: Connection, hours: Mapping[FeedKey, list[Meter]], now: datetime) -> Budget:
    """`hours` as meters.by_hour gives them, of every feed of the practice."""
    mine = [meters for (practice_id, _), meters in hours.items() if practice_id == connection.practice_id]
    today = total(meter for meters in mine for meter in meters[-(now.astimezone(UTC).hour + 1) :]).shares
    last_day = total(meter for meters in mine for meter in meters).shares
    others = sum(calls for share, calls in last_day.items() if share != Share.BACKFILL)
    above = int(connection.calls_per_day * (1 - RESERVES[Share.BACKFILL]))
    parts: list[Part] = []
    for share in Share:
        left = parts[-1].left + parts[-1].percent if parts else 0.0
        wide = MOST * today.get(share, 0) / max(1, connection.calls_per_day)
        parts.append(Part(share, today.get(share, 0), left, min(wide, MOST - left)))
    return Budget(
        per_day=connection.calls_per_day, parts=tuple(parts), backfill_calls_a_day=max(0, above - others)
    )
