"""What a backfill will cost: calls, as the chunks that are done took them, and days at what the budget leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from django.db.models import Avg, Count, F, Sum

from athena_dash.core.templatetags.ui import plural
from athena_dash.sync.backfill import DAY
from athena_dash.sync.models import Backfill, BackfillChunk, Feed

Done = BackfillChunk.State.DONE


@dataclass(frozen=True, slots=True)
class Cost:
    """`calls` None: no chunk is done by which it could be told. `a_day` None: the budget is not known."""

    chunks: int
    calls: int | None
    a_day: int | None

    @property
    def sentence(self) -> str:
        """Of the lists alone: what they bring makes charts and money due, which the live feeds then ask for."""
        chunks = plural(self.chunks, "chunk,chunks")
        if self.calls is None:
            return f"{chunks}; how many calls they take shows once the first one is done."
        calls = f"{chunks}, about {plural(self.calls, 'call,calls')}"
        if self.a_day is None:
            return f"{calls}."
        if not self.a_day:
            return f"{calls}; at today's use the budget leaves none for backfills, so they go one by one."
        days = ceil(self.calls / self.a_day)
        takes = "within a day" if days <= 1 else f"about {days} days"
        return f"{calls}, {takes} at the {self.a_day:,} a day that the budget leaves."


def calls_a_day_of_history(feed: Feed) -> float | None:
    """Of calls that a chunk took, for each of its days."""
    done = BackfillChunk.objects.filter(backfill__feed=feed, state=Done, calls__gt=0).aggregate(
        calls=Sum("calls"), length=Sum(F("last") - F("first")), chunks=Count("pk")
    )
    if not done["chunks"]:
        return None
    length: timedelta = done["length"] + done["chunks"] * DAY
    return float(done["calls"] / (length / DAY))


def cost(feeds: list[Feed], days: int, chunks: int, a_day: int | None) -> Cost:
    """Of so many days of each of these feeds."""
    rates = [calls_a_day_of_history(feed) for feed in feeds]
    known = [rate for rate in rates if rate is not None]
    return Cost(chunks, ceil(sum(known) * days) if len(known) == len(rates) else None, a_day)


def left_of(backfill: Backfill, a_day: int | None) -> Cost:
    """Of the chunks that are not done, at what those of this backfill took."""
    left = backfill.chunks.exclude(state=Done).count()
    took = backfill.chunks.filter(state=Done).aggregate(calls=Avg("calls"))["calls"]
    return Cost(left, None if took is None else ceil(took * left), a_day)
