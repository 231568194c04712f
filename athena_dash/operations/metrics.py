"""The state of every practice for Prometheus: freshness, the last hour's runs, failures, gaps, completeness,
lags, calls.

Eight queries and a few round trips to Valkey, however many practices. What counts rows is a gauge, for rows also go
away; calls and lags are counters and histograms (operations.call_metrics, operations.lag_metrics).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Sum

from athena_dash.core import clock
from athena_dash.core.metrics import Family, Sample, queue_families
from athena_dash.correlation.models import Gap
from athena_dash.operations.call_metrics import call_families
from athena_dash.operations.lag_metrics import lag_families
from athena_dash.practices.models import Practice
from athena_dash.sync.completeness import Completeness, latest
from athena_dash.sync.models import Failure, Feed, RawSegment, Run

HOUR = timedelta(hours=1)
RUN_SUMS = {
    "runs": ("Runs begun in the last hour.", Count("pk")),
    "calls": ("Calls to athena of these runs.", Sum("calls")),
    "records": ("Records that came in these runs.", Sum("records")),
    "bytes": ("Bytes that came in these runs.", Sum("bytes")),
    "rate_limited": ("429 answers in these runs.", Sum("rate_limited")),
}

Slugs = dict[int, str]


def families() -> list[Family]:
    now = clock.now()
    slugs: Slugs = dict(Practice.objects.values_list("pk", "slug"))
    return [
        *queue_families(),
        *feed_families(slugs, now),
        *run_families(slugs, now),
        counted(
            "failures_open",
            "Open failures.",
            Failure.objects.filter(resolved_at__isnull=True),
            slugs,
            ("stage", "reason"),
        ),
        counted(
            "raw_unprocessed",
            "Kept segments of payloads, not yet landed.",
            RawSegment.objects.filter(processed_version__isnull=True),
            slugs,
        ),
        counted("gaps_open", "Open gaps.", Gap.objects.filter(closed_at__isnull=True), slugs, ("code",)),
        *completeness_families(slugs, now),
        *lag_families(slugs),
        *call_families(slugs),
    ]


def feed_families(slugs: Slugs, now: datetime) -> list[Family]:
    feeds = list(Feed.objects.order_by("practice_id", "pk"))
    of: list[dict[str, str]] = [
        {"practice": slugs.get(feed.practice_id, ""), "feed": feed.resource} for feed in feeds
    ]

    def each(name: str, help_: str, value: Callable[[Feed], float]) -> Family:
        return Family(name, help_, tuple(map(Sample, map(value, feeds), of)))

    return [
        each("feed_quiet_seconds", "Since the last success; +Inf before the first.", lambda f: quiet(f, now)),
        each(
            "feed_objective_seconds",
            "The quiet from which the feed is stale.",
            lambda f: float(f.fresh_within.total_seconds()),
        ),
        each("feed_paused", "1 while a person has paused the feed.", lambda f: f.paused_at is not None),
        each("feed_failures_in_a_row", "Failed runs since a success.", lambda f: f.failures_in_a_row),
    ]


def quiet(feed: Feed, now: datetime) -> float:
    return (now - feed.last_success_at).total_seconds() if feed.last_success_at else math.inf


def run_families(slugs: Slugs, now: datetime) -> list[Family]:
    rows = (
        Run.objects.filter(started_at__gt=now - HOUR)
        .order_by("practice_id", "feed__resource")
        .values("practice_id", "feed__resource")
        .annotate(**{f"{name}_sum": aggregate for name, (_, aggregate) in RUN_SUMS.items()})
    )
    found = [
        ({"practice": slugs.get(row["practice_id"], ""), "feed": row["feed__resource"]}, row) for row in rows
    ]
    return [
        Family(
            f"feed_{name}_last_hour",
            help_,
            tuple(Sample(row[f"{name}_sum"], labels) for labels, row in found),
        )
        for name, (help_, _) in RUN_SUMS.items()
    ]


def counted(name: str, help_: str, rows: Any, slugs: Slugs, by: tuple[str, ...] = ()) -> Family:
    """Rows per practice and the columns of `by`. A practice without any is there with 0 when nothing divides it."""
    totals = rows.order_by("practice_id", *by).values_list("practice_id", *by).annotate(Count("pk"))
    found = {tuple(key): total for *key, total in totals}
    if not by:
        found = {(pk,): found.get((pk,), 0) for pk in slugs}
    return Family(
        name,
        help_,
        tuple(
            Sample(total, {"practice": slugs.get(pk, ""), **dict(zip(by, values, strict=True))})
            for (pk, *values), total in found.items()
        ),
    )


def completeness_families(slugs: Slugs, now: datetime) -> list[Family]:
    audits = latest(list(slugs))
    of = [{"practice": slugs[one.practice_id], "kind": one.kind.value} for one in audits]

    def each(name: str, help_: str, value: Callable[[Completeness], float]) -> Family:
        known = [(one, labels) for one, labels in zip(audits, of, strict=True) if not one.problem]
        return Family(name, help_, tuple(Sample(value(one), labels) for one, labels in known))

    return [
        each("completeness_ratio", "Of what athena has, the share that is here.", lambda one: one.share),
        each("completeness_missing", "What athena has and we lack.", lambda one: one.missing),
        each(
            "completeness_age_seconds",
            "Since athena was asked.",
            lambda one: (now - one.at).total_seconds(),
        ),
    ]
