"""What the calls of a feed cost: counters and a latency histogram in Redis, for ever and by the hour.

Buckets add up, so a percentile over any hours, workers and feeds is read from their sum. Names hold row ids, names of
feeds, outcomes and shares only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis

from athena_dash.core import clock
from integrations.athena.calls import CallRecord

# Upper bounds in milliseconds; what took longer falls into one more bucket.
BOUNDS = (
    5,
    10,
    25,
    50,
    75,
    100,
    150,
    200,
    300,
    400,
    500,
    750,
    1000,
    1500,
    2000,
    3000,
    5000,
    7500,
    10000,
    20000,
    60000,
)
OTHER = "other"  # what no feed asked for
HOURS = 24
HOUR = timedelta(hours=1)
KEPT = int((HOURS + 1) * HOUR.total_seconds())

FeedKey = tuple[int, str]
"""(practice, name of the feed)."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Calls by outcome ("ok" or an Action) and by share, bytes, milliseconds, and how many fell into each bucket."""

    outcomes: dict[str, int]
    shares: dict[str, int]
    bytes: int
    milliseconds: float
    buckets: tuple[int, ...]  # one more than BOUNDS

    @property
    def calls(self) -> int:
        return sum(self.outcomes.values())

    def percentile(self, part: float) -> int | None:
        """The bound of the bucket that holds the call of this rank: never less than what was measured."""
        if not sum(self.buckets):
            return None
        bound = bound_of(self.buckets, BOUNDS, part)
        return BOUNDS[-1] if bound is None else bound


def bound_of(buckets: Sequence[int], bounds: Sequence[int], part: float) -> int | None:
    """Of the bucket that holds the one of this rank; None when that is the last, which has none."""
    rank, seen = part * sum(buckets), 0
    for bound, count in zip(bounds, buckets, strict=False):
        seen += count
        if seen >= rank:
            return bound
    return None


def count(record: CallRecord, feed: FeedKey, share: str, pipeline: Any) -> None:
    """Calls of the pipeline's."""
    bucket = bisect_left(BOUNDS, record.milliseconds)
    hour = _hour_name(feed, clock.now())
    for name in (_name(feed), hour):
        pipeline.hincrby(name, f"outcome:{record.outcome}", 1)
        pipeline.hincrby(name, f"share:{share}", 1)
        pipeline.hincrby(name, f"bucket:{bucket}", 1)
        pipeline.hincrby(name, "bytes", record.bytes)
        pipeline.hincrbyfloat(name, "milliseconds", record.milliseconds)
    pipeline.expire(hour, KEPT)


def meters(feeds: Sequence[FeedKey], client: redis.Redis) -> dict[FeedKey, Meter]:
    """Since Valkey last started empty. One round trip, however many feeds."""
    found = _read({feed: [_name(feed)] for feed in feeds}, client)
    return {feed: one for feed, [one] in found.items()}


def by_hour(feeds: Sequence[FeedKey], now: datetime, client: redis.Redis) -> dict[FeedKey, list[Meter]]:
    """The 23 hours before this one, and this one, in that order. One round trip, however many feeds."""
    hours = [now - hours * HOUR for hours in reversed(range(HOURS))]
    return _read({feed: [_hour_name(feed, hour) for hour in hours] for feed in feeds}, client)


def total(meters: Iterable[Meter]) -> Meter:
    outcomes: Counter[str] = Counter()
    shares: Counter[str] = Counter()
    read, milliseconds, buckets = 0, 0.0, [0] * (len(BOUNDS) + 1)
    for one in meters:
        outcomes.update(one.outcomes)
        shares.update(one.shares)
        read, milliseconds = read + one.bytes, milliseconds + one.milliseconds
        buckets = [ours + theirs for ours, theirs in zip(buckets, one.buckets, strict=True)]
    return Meter(
        dict(sorted(outcomes.items())), dict(sorted(shares.items())), read, milliseconds, tuple(buckets)
    )


def _read(names: dict[FeedKey, list[str]], client: redis.Redis) -> dict[FeedKey, list[Meter]]:
    pipeline = client.pipeline(transaction=False)
    for each in names.values():
        for name in each:
            pipeline.hgetall(name)
    found = iter(pipeline.execute())
    return {feed: [_meter(next(found)) for _ in each] for feed, each in names.items()}


def _meter(found: dict[bytes, bytes]) -> Meter:
    milliseconds = float(found.pop(b"milliseconds", b"0"))
    counted = {name.decode(): int(value) for name, value in found.items()}
    return Meter(
        outcomes=_of("outcome:", counted),
        shares=_of("share:", counted),
        bytes=counted.get("bytes", 0),
        milliseconds=milliseconds,
        buckets=tuple(counted.get(f"bucket:{number}", 0) for number in range(len(BOUNDS) + 1)),
    )


def _of(prefix: str, counted: dict[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): n for name, n in sorted(counted.items()) if name.startswith(prefix)}


def _name(feed: FeedKey) -> str:
    return f"meter:{feed[0]}:{feed[1]}"


def _hour_name(feed: FeedKey, at: datetime) -> str:
    return f"{_name(feed)}:{at:%Y%m%d%H}"
