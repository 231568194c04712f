"""One feed's last 24 hours by the hour as bars: waits for a success, lag, calls and their latency; and its runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.core.templatetags.ui import span
from athena_dash.operations import lag_words
from athena_dash.operations.feed_rows import bar_of
from athena_dash.operations.objective import Kept
from athena_dash.sync import lag
from athena_dash.sync.dating import Dated, how
from athena_dash.sync.lag import Lags
from athena_dash.sync.meters import HOUR, HOURS, Meter, total
from athena_dash.sync.models import Feed, Run
from athena_dash.sync.pull import BACKFILL
from integrations.athena.errors import Action

PARTS = (0.5, 0.95, 0.99)
MISSED = 99  # percent of the opening hours below which a day of the objective is marked


@dataclass(frozen=True, slots=True)
class Chart:
    """`now` is the figure that stands beside the bars; `label` says all of them to who cannot see."""

    name: str
    now: str
    bars: tuple[Bar, ...]

    @property
    def label(self) -> str:
        return f"{self.name}, oldest first: " + "; ".join(bar.words for bar in self.bars)


def charts(
    feed: Feed,
    meters: Sequence[Meter],
    lags: Sequence[Lags],
    runs: Sequence[Run],
    days: Sequence[Kept],
    now: datetime,
) -> list[Chart]:
    """`meters` and `lags` by hour, empty while Valkey is away; `runs` newest first."""
    found = [quiet_chart(feed, now), lag_chart(feed, lags, now), kept_chart(days), records_chart(runs)]
    if meters:
        found += [calls_chart(meters, now), *(latency_chart(meters, part, now) for part in PARTS)]
    return [chart for chart in found if chart.bars]


def hour_of(back: int, now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - back * HOUR


def hours(now: datetime) -> list[datetime]:
    """As meters.by_hour counts them, oldest first."""
    return [hour_of(back, now) for back in reversed(range(HOURS))]


def calls_chart(meters: Sequence[Meter], now: datetime) -> Chart:
    return Chart(
        "Calls by the hour",
        f"{total(meters).calls:,} in 24 h",
        tuple(_calls(meter, hour) for meter, hour in zip(meters, hours(now), strict=True)),
    )


def _calls(meter: Meter, hour: datetime) -> Bar:
    slowed = meter.outcomes.get(Action.RATE_LIMITED, 0)
    failed = meter.calls - meter.outcomes.get("ok", 0) - slowed - meter.outcomes.get(Action.GONE, 0)
    words = f"{hour:%H:%M} UTC {meter.calls} calls" + (f", {slowed} of them 429" if slowed else "")
    return Bar(
        meter.calls,
        words + (f", {failed} failed" if failed else ""),
        tone="bad" if failed else "wait" if slowed else "",
    )


def latency_chart(meters: Sequence[Meter], part: float, now: datetime) -> Chart:
    whole = total(meters).percentile(part)
    return Chart(
        f"Latency p{part * 100:.0f}",
        "–" if whole is None else f"≤ {whole:,} ms",
        tuple(
            Bar(bound or 0, f"{hour:%H:%M} UTC " + (f"at most {bound:,} ms" if bound else "no call"))
            for meter, hour in zip(meters, hours(now), strict=True)
            for bound in [meter.percentile(part)]
        ),
    )


def lag_chart(feed: Feed, lags: Sequence[Lags], now: datetime) -> Chart:
    """Without bars where athena dates nothing to the second."""
    drawn = bool(lags) and how(feed.resource) is Dated.INSTANT
    return Chart(
        "Lag p95 by the hour",
        lag_words.bound(lag.total(lags), lag_words.MOST) if drawn else "",
        lag_words.bars(lags, hours(now), feed.fresh_within) if drawn else (),
    )


def quiet_chart(feed: Feed, now: datetime) -> Chart:
    """The longest that each hour had to wait for a success, by where the wait ended."""
    since = hour_of(HOURS - 1, now)
    ended = (
        Run.objects.filter(feed=feed, outcome=Run.Outcome.DONE, started_at__gte=since - timedelta(hours=4))
        .exclude(trigger=BACKFILL)
        .exclude(finished_at=None)
        .order_by("finished_at")
        .values_list("finished_at", flat=True)
    )
    waits = longest_waits([*ended, now])
    whole = now - feed.last_success_at if feed.last_success_at else None
    return Chart(
        "Longest wait for a success",
        "no success yet" if whole is None else span(whole),
        tuple(_waited(waits.get(hour), hour, feed.fresh_within) for hour in hours(now)) if waits else (),
    )


def longest_waits(ended: Sequence[datetime]) -> dict[datetime, timedelta]:
    """By hour. The first success ends a wait whose beginning is not known."""
    found: dict[datetime, timedelta] = {}
    for before, after in zip(ended, ended[1:], strict=False):
        hour = hour_of(0, after)
        found[hour] = max(found.get(hour, timedelta(0)), after - before)
    return found


def _waited(longest: timedelta | None, hour: datetime, objective: timedelta) -> Bar:
    if longest is None:
        return Bar(0, f"{hour:%H:%M} UTC no success")
    return Bar(
        longest.total_seconds(),
        f"{hour:%H:%M} UTC up to {span(longest)}",
        tone="bad" if longest > objective else "",
    )


def records_chart(runs: Iterable[Run]) -> Chart:
    bars = tuple(bar_of(run) for run in runs)[::-1]
    return Chart("Records of each run", f"{int(bars[-1].value):,} in the last" if bars else "–", bars)


def kept_chart(days: Sequence[Kept]) -> Chart:
    return Chart(
        "Fresh in opening hours",
        f"{days[-1].percent} %" if days else "–",
        tuple(
            Bar(
                day.percent,
                f"{day.day:%a %d %b} {day.percent} % of {span(day.of)}",
                tone="bad" if day.percent < MISSED else "",
            )
            for day in days
        ),
    )
