"""Runs of feeds → how much of the practice's opening hours they were fresh, which is what their objective is about.

A feed may lie behind its objective at night without anybody waiting; verdicts still read it as stale (sync.feeds).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q, Window
from django.db.models.functions import Lag

from athena_dash.practices.opening_hours import OpeningHours, Span
from athena_dash.sync.models import Feed, Run
from athena_dash.sync.pull import BACKFILL

LOOKED_BACK = timedelta(days=30)
BEFORE = timedelta(hours=4)  # longer than any objective: the success before the day began


@dataclass(frozen=True, slots=True)
class Kept:
    """One business day of one feed, as far as it has come."""

    day: date
    fresh: timedelta
    of: timedelta

    @property
    def share(self) -> float:
        return self.fresh / self.of

    @property
    def percent(self) -> int:
        """Rounded down: only what was kept throughout reads 100."""
        return int(100 * self.share)


def business_hours(hours: OpeningHours, now: datetime, days: int) -> list[Span]:
    """Of the last days on which it opened, oldest first; today's end now."""
    begun = [span for span in hours.spans(now - LOOKED_BACK, now) if span[0] < now]
    return [(opens, min(now, closes)) for opens, closes in begun[-days:]]


def kept(feeds: Collection[Feed], hours: list[Span], now: datetime) -> dict[int, list[Kept]]:
    """By feed, one for each of these spans; one query, which reads the runs since the first of them. Empty for a feed
    of which no success is known that long ago: it would be judged by days on which it did not exist."""
    if not hours:
        return {feed.pk: [] for feed in feeds}
    stale: dict[int, list[Span]] = defaultdict(list)
    first = {feed.pk: feed.last_success_at for feed in feeds if feed.last_success_at}
    for feed_id, before, after, within in gaps(feeds, hours[0][0] - BEFORE):
        if before is None:
            first[feed_id] = after
        else:
            stale[feed_id].append((before + within, after))
    for feed in feeds:
        if feed.last_success_at:
            stale[feed.pk].append((feed.last_success_at + feed.fresh_within, now))
    return {
        feed.pk: [
            Kept(opens.date(), closes - opens - overlap(stale[feed.pk], (opens, closes)), closes - opens)
            for opens, closes in hours
            if feed.pk in first and first[feed.pk] <= closes
        ]
        for feed in feeds
    }


def gaps(
    feeds: Collection[Feed], since: datetime
) -> Iterator[tuple[int, datetime | None, datetime, timedelta]]:
    """(feed, success, the success after it, objective) where more than the objective lies between the two; and the
    first success of each feed, with None before it."""
    previous = Window(Lag("finished_at"), partition_by=F("feed_id"), order_by=F("finished_at").asc())
    runs = (
        Run.objects.filter(feed__in=feeds, started_at__gte=since, outcome=Run.Outcome.DONE)
        .exclude(trigger=BACKFILL)
        .exclude(finished_at=None)
        .annotate(previous=previous)
    )
    late = runs.filter(Q(previous__isnull=True) | Q(previous__lt=F("finished_at") - F("feed__fresh_within")))
    yield from late.values_list("feed_id", "previous", "finished_at", "feed__fresh_within")


def overlap(stale: Collection[Span], hours: Span) -> timedelta:
    """Spans of `stale` do not overlap one another."""
    opens, closes = hours
    return sum(
        (max(timedelta(0), min(end, closes) - max(start, opens)) for start, end in stale), start=timedelta(0)
    )
