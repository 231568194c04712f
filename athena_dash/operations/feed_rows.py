"""Feeds with what their last runs say: state, latency percentiles, records per run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from redis import RedisError

from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.sync.budget import shared
from athena_dash.sync.feeds import FeedState, state
from athena_dash.sync.meters import FeedKey, Meter, last_day
from athena_dash.sync.models import Feed, Run

RUNS = 12
TONES = {"fresh": "good", "stale": "bad", "failing": "wait", "paused": "", "never": "wait", "filling": "wait"}
SHAPES = {"paused": "circle-pause", "never": "circle-dashed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    feed: Feed
    state: FeedState
    last: Run | None
    bars: tuple[Bar, ...]  # records per run, oldest first
    meter: Meter | None  # of the calls of the last 24 hours; None while Valkey is away
    open_failures: int

    @property
    def name(self) -> str:
        return str(self.feed.resource).replace("_", " ")

    @property
    def trend(self) -> str:
        return "records of the last runs, oldest first: " + ", ".join(f"{bar.value:g}" for bar in self.bars)

    @property
    def latency(self) -> str:
        """Upper bounds of what half, 95 and 99 of 100 calls took."""
        if self.meter is None or not self.meter.calls:
            return ""
        return " / ".join(f"{self.meter.percentile(part)}" for part in (0.5, 0.95, 0.99))

    @property
    def tone(self) -> str:
        return TONES[self.state.freshness]

    @property
    def shape(self) -> str:
        return SHAPES.get(self.state.freshness, "")


def feed_rows(feeds: QuerySet[Feed], now: datetime) -> list[FeedRow]:
    """Two queries and a round trip to Valkey, however many feeds."""
    open_failures = Count("failures", filter=Q(failures__resolved_at__isnull=True))
    listed = list(
        feeds.select_related("practice")
        .annotate(open_failures=open_failures)
        .order_by("practice__name", "pk")
    )
    runs = latest_runs([feed.pk for feed in listed])
    keys: dict[int, FeedKey] = {feed.pk: (feed.practice_id, feed.resource) for feed in listed}
    try:
        metered = last_day(list(keys.values()), now, shared())
    except RedisError:
        metered = {}
    return [_row(feed, runs[feed.pk], metered.get(keys[feed.pk]), now) for feed in listed]


def latest_runs(feed_ids: Iterable[int]) -> dict[int, list[Run]]:
    """The last runs of each feed, oldest first."""
    position = Window(RowNumber(), partition_by=F("feed_id"), order_by=F("started_at").desc())
    numbered = Run.objects.filter(feed_id__in=feed_ids).annotate(position=position).filter(position__lte=RUNS)
    runs: dict[int, list[Run]] = defaultdict(list)
    for run in numbered.order_by("started_at"):
        runs[run.feed_id].append(run)
    return runs


def _row(feed: Feed, runs: list[Run], meter: Meter | None, now: datetime) -> FeedRow:
    return FeedRow(
        feed=feed,
        state=state(feed, now),
        last=runs[-1] if runs else None,
        bars=(Bar(0, "no run"),) * (RUNS - len(runs)) + tuple(_bar(run) for run in runs),
        meter=meter,
        open_failures=getattr(feed, "open_failures", 0),
    )


def _bar(run: Run) -> Bar:
    tone = "bad" if run.outcome in (Run.Outcome.FAILED, Run.Outcome.LOST) else "wait" if run.failed else ""
    return Bar(
        run.records, f"{run.started_at:%d %b %H:%M} UTC: {run.records} records, {run.outcome}", tone=tone
    )
