"""Feeds with what their runs and calls say: state, objective, lag, latency, failures; what is wrong first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from redis import RedisError

from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.operations import lag_words
from athena_dash.operations.objective import Kept, business_hours, kept
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.sync import lag
from athena_dash.sync.budget import shared
from athena_dash.sync.feeds import FeedState, Freshness, state
from athena_dash.sync.lag import Lags
from athena_dash.sync.meters import FeedKey, Meter, by_hour, total
from athena_dash.sync.models import Failure, Feed, Reason, Run
from athena_dash.sync.resources import spoken
from integrations.athena.errors import Action

Hours = Mapping[FeedKey, list[Meter]]
"""As meters.by_hour gives them."""

RUNS = 12
TONES = {"fresh": "good", "stale": "bad", "failing": "wait", "paused": "", "never": "wait", "filling": "wait"}
SHAPES = {"paused": "circle-pause", "never": "circle-dashed"}
WORST_FIRST = ("stale", "failing", "never", "paused", "filling", "fresh")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    feed: Feed
    state: FeedState
    quiet: timedelta | None  # since the last success; None before the first
    kept: Kept | None  # the objective, on the last business day; None where it is not known
    last: Run | None
    bars: tuple[Bar, ...]  # records per run, oldest first
    meter: Meter | None  # of the calls of the last 24 hours; None while Valkey is away
    lags: Lags | None  # of the changes that became visible in them; likewise
    failures: tuple[tuple[Reason, int], ...]  # that are open, the most frequent reason first

    @property
    def name(self) -> str:
        return spoken(self.feed.resource)

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
    def lag(self) -> str:
        return lag_words.cell(self.feed.resource, self.lags)

    @property
    def lag_sentence(self) -> str:
        return lag_words.sentence(self.feed.resource, self.lags)

    @property
    def p95(self) -> int | None:
        return self.meter.percentile(0.95) if self.meter else None

    @property
    def rate_limited(self) -> int | None:
        return self.meter.outcomes.get(Action.RATE_LIMITED, 0) if self.meter else None

    @property
    def open_failures(self) -> int:
        return sum(count for _, count in self.failures)

    @property
    def tone(self) -> str:
        return TONES[self.state.freshness]

    @property
    def shape(self) -> str:
        return SHAPES.get(self.state.freshness, "")

    @property
    def wrong(self) -> bool:
        """Filling is no fault: history comes in beside what is new."""
        return self.state.freshness not in (Freshness.FRESH, Freshness.FILLING)

    @property
    def rank(self) -> tuple[int, int, int]:
        """What is wrong first, then what has failures; else in the order of a first sync."""
        return (WORST_FIRST.index(self.state.freshness), -self.open_failures, self.feed.pk)


def feed_rows(feeds: QuerySet[Feed], now: datetime) -> list[FeedRow]:
    """Of some feeds, whatever their practice, those first that need an eye."""
    listed = list(feeds.select_related("practice"))
    return rows_of(listed, metered(listed, now), now)


def metered(feeds: Iterable[Feed], now: datetime) -> Hours:
    """Empty while Valkey is away."""
    try:
        return by_hour([(feed.practice_id, feed.resource) for feed in feeds], now, shared())
    except RedisError:
        return {}


def lagged(feeds: Iterable[Feed], now: datetime) -> Mapping[FeedKey, list[Lags]]:
    """By hour, as `metered`. Empty while Valkey is away."""
    try:
        return lag.by_hour([(feed.practice_id, feed.resource) for feed in feeds], now, shared())
    except RedisError:
        return {}


def rows_of(feeds: Sequence[Feed], hours: Hours, now: datetime) -> list[FeedRow]:
    """Two queries, and one for each practice, however many feeds."""
    runs = latest_runs([feed.pk for feed in feeds])
    failures = open_failures([feed.pk for feed in feeds])
    late = lagged(feeds, now)
    days: dict[int, list[Kept]] = {}
    for practice, group in groupby(
        sorted(feeds, key=lambda feed: feed.practice_id), lambda feed: feed.practice
    ):
        days |= kept(list(group), business_hours(opening_hours(practice), now, days=1), now)
    rows = [
        FeedRow(
            feed=feed,
            state=state(feed, now),
            quiet=now - feed.last_success_at if feed.last_success_at else None,
            kept=next(iter(days[feed.pk]), None),
            last=runs[feed.pk][-1] if runs[feed.pk] else None,
            bars=(Bar(0, "no run"),) * (RUNS - len(runs[feed.pk])) + tuple(map(bar_of, runs[feed.pk])),
            meter=total(hours[key]) if (key := (feed.practice_id, feed.resource)) in hours else None,
            lags=lag.total(late[key]) if key in late else None,
            failures=tuple(failures[feed.pk].most_common()),
        )
        for feed in feeds
    ]
    return sorted(rows, key=lambda row: row.rank)


def open_failures(feed_ids: Iterable[int]) -> dict[int, Counter[Reason]]:
    found: dict[int, Counter[Reason]] = defaultdict(Counter)
    rows = Failure.objects.filter(feed_id__in=feed_ids, resolved_at__isnull=True).values_list(
        "feed_id", "reason"
    )
    for feed_id, reason, count in rows.annotate(count=Count("pk")):
        found[feed_id][Reason(reason)] = count
    return found


def latest_runs(feed_ids: Iterable[int]) -> dict[int, list[Run]]:
    """The last runs of each feed, oldest first."""
    position = Window(RowNumber(), partition_by=F("feed_id"), order_by=F("started_at").desc())
    numbered = Run.objects.filter(feed_id__in=feed_ids).annotate(position=position).filter(position__lte=RUNS)
    runs: dict[int, list[Run]] = defaultdict(list)
    for run in numbered.order_by("started_at"):
        runs[run.feed_id].append(run)
    return runs


def bar_of(run: Run) -> Bar:
    tone = "bad" if run.outcome in (Run.Outcome.FAILED, Run.Outcome.LOST) else "wait" if run.failed else ""
    return Bar(
        run.records, f"{run.started_at:%d %b %H:%M} UTC: {run.records} records, {run.outcome}", tone=tone
    )
