"""Calls to athena for Prometheus, by practice and feed: counters, a latency histogram, circuits, foreign use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from operator import attrgetter

from redis import RedisError

from athena_dash.core.metrics import Family, Sample, histogram
from athena_dash.sync.budget import shared
from athena_dash.sync.meters import BOUNDS, OTHER, Meter, meters
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.standing import standings

FEEDS = (*RESOURCES, OTHER)
SECONDS = tuple(bound / 1000 for bound in BOUNDS)


def call_families(slugs: Mapping[int, str]) -> list[Family]:
    """Without Valkey there is nothing to tell."""
    try:
        found = meters(list(product(slugs, FEEDS)), shared())
        standing = standings(list(slugs))
    except RedisError:
        return []
    metered = [
        ({"practice": slugs[practice_id], "feed": feed}, meter)
        for (practice_id, feed), meter in found.items()
        if meter.calls
    ]
    at_athena = [({"practice": slugs[practice_id]}, one) for practice_id, one in standing.items()]
    return [
        Family(
            "calls_total",
            "Calls to athena by what came of them; rate_limited are its 429s.",
            by(metered, "outcome", attrgetter("outcomes")),
            "counter",
        ),
        Family(
            "calls_by_share_total",
            "Calls to athena by what they were made for.",
            by(metered, "share", attrgetter("shares")),
            "counter",
        ),
        Family(
            "call_bytes_total",
            "Bytes of athena's answers.",
            tuple(Sample(meter.bytes, labels) for labels, meter in metered),
            "counter",
        ),
        Family(
            "call_duration_seconds",
            "How long athena took.",
            tuple(
                sample
                for labels, meter in metered
                for sample in histogram(SECONDS, meter.buckets, meter.milliseconds / 1000, labels)
            ),
            "histogram",
        ),
        Family(
            "circuit_open",
            "1 while athena fails and is left alone.",
            tuple(Sample(one.open, labels) for labels, one in at_athena),
        ),
        Family(
            "foreign_calls",
            "Calls by this API key in ten minutes that are not ours; 0 within the tolerance.",
            tuple(Sample(one.foreign.calls if one.foreign else 0, labels) for labels, one in at_athena),
        ),
    ]


def by(
    metered: Sequence[tuple[Mapping[str, str], Meter]],
    label: str,
    counts: Callable[[Meter], Mapping[str, int]],
) -> tuple[Sample, ...]:
    """A sample a value of `label`, as `counts` tells them apart."""
    return tuple(
        Sample(number, {**labels, label: value})
        for labels, meter in metered
        for value, number in counts(meter).items()
    )
