"""Feeds with what their last runs say: state, latency percentiles, records per run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.sync.feeds import FeedState, state
from athena_dash.sync.models import Feed, Run

RUNS = 12
TONES = {"fresh": "good", "stale": "bad", "failing": "wait", "paused": "", "never": "wait"}
SHAPES = {"paused": "circle-pause", "never": "circle-dashed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    feed: Feed
    state: FeedState
    last: Run | None
    bars: tuple[Bar, ...]  # records per run, oldest first
    p50: int | None  # milliseconds per call over these runs
    p95: int | None
    open_failures: int

    @property
    def name(self) -> str:
        return str(self.feed.resource).replace("_", " ")

    @property
    def trend(self) -> str:
        return "records of the last runs, oldest first: " + ", ".join(f"{bar.value:g}" for bar in self.bars)

    @property
    def tone(self) -> str:
        return TONES[self.state.freshness]

    @property
    def shape(self) -> str:
        return SHAPES.get(self.state.freshness, "")


def feed_rows(feeds: QuerySet[Feed], now: datetime) -> list[FeedRow]:
    """Two queries, however many feeds."""
    open_failures = Count("failures", filter=Q(failures__resolved_at__isnull=True))
    listed = list(
        feeds.select_related("practice")
        .annotate(open_failures=open_failures)
        .order_by("practice__name", "pk")
    )
    runs = latest_runs([feed.pk for feed in listed])
    return [_row(feed, runs[feed.pk], now) for feed in listed]


def latest_runs(feed_ids: Iterable[int]) -> dict[int, list[Run]]:
    """The last runs of each feed, oldest first."""
    position = Window(RowNumber(), partition_by=F("feed_id"), order_by=F("started_at").desc())
    numbered = Run.objects.filter(feed_id__in=feed_ids).annotate(position=position).filter(position__lte=RUNS)
    runs: dict[int, list[Run]] = defaultdict(list)
    for run in numbered.order_by("started_at"):
        runs[run.feed_id].append(run)
    return runs


def percentile(numbers: Sequence[int], share: float) -> int | None:
    """Nearest rank: one of the measured numbers, never an invented one between two."""
    return sorted(numbers)[max(0, -(-len(numbers) * int(share * 100) // 100) - 1)] if numbers else None


def _row(feed: Feed, runs: list[Run], now: datetime) -> FeedRow:
    latencies = [number for run in runs for number in run.latency_ms]
    return FeedRow(
        feed=feed,
        state=state(feed, now),
        last=runs[-1] if runs else None,
        bars=(Bar(0, "no run"),) * (RUNS - len(runs)) + tuple(_bar(run) for run in runs),
        p50=percentile(latencies, 0.50),
        p95=percentile(latencies, 0.95),
        open_failures=getattr(feed, "open_failures", 0),
    )


def _bar(run: Run) -> Bar:
    tone = "bad" if run.outcome in (Run.Outcome.FAILED, Run.Outcome.LOST) else "wait" if run.failed else ""
    return Bar(
        run.records, f"{run.started_at:%d %b %H:%M} UTC: {run.records} records, {run.outcome}", tone=tone
    )
