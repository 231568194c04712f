"""Lags for Prometheus, by practice and feed: a histogram of what athena dates, a counter of what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from redis import RedisError

from athena_dash.core.metrics import Family, Sample, histogram
from athena_dash.sync.budget import shared
from athena_dash.sync.dating import HOW, Dated
from athena_dash.sync.lag import BOUNDS, lags

FEEDS = tuple(name for name, how in HOW.items() if how is Dated.INSTANT)


def lag_families(slugs: Mapping[int, str]) -> list[Family]:
    """Without Valkey there is nothing to tell."""
    try:
        found = lags(list(product(slugs, FEEDS)), shared())
    except RedisError:
        return []
    told = [
        ({"practice": slugs[practice_id], "feed": feed}, one)
        for (practice_id, feed), one in found.items()
        if one.dated or one.undated
    ]
    return [
        Family(
            "feed_lag_seconds",
            "From athena's stamp of a change until it is visible here.",
            tuple(
                sample
                for labels, one in told
                for sample in histogram(BOUNDS, one.buckets, one.seconds, labels)
            ),
            "histogram",
        ),
        Family(
            "feed_undated_changes_total",
            "Changes without a stamp that dates them.",
            tuple(Sample(one.undated, labels) for labels, one in told),
            "counter",
        ),
    ]
