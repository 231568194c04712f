"""The lags of a feed's last 24 hours in words: a cell of the list, a sentence of the feed's page, bars by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.core.templatetags.ui import plural, span
from athena_dash.sync.dating import Dated, how
from athena_dash.sync.lag import BOUNDS, Lags

HALF, MOST = 0.5, 0.95
MINUTES = timedelta(minutes=2)  # from here on a bound is told in minutes
CELLS = {Dated.DAY: "to the day only", Dated.NOT: "not dated"}


def cell(resource: str, lags: Lags | None) -> str:
    """Such as "20 s / 90 s": upper bounds for half and for 95 of 100 changes."""
    if cells := CELLS.get(how(resource)):
        return cells
    if lags is None:
        return "–"
    if not lags.dated:
        return CELLS[Dated.NOT] if lags.undated else "no change"
    return f"{bound(lags, HALF)} / {bound(lags, MOST)}"


def sentence(resource: str, lags: Lags | None) -> str:
    if said := how(resource).value:
        return f"These records are {said}, so how late a change is seen cannot be said."
    if lags is None:
        return "Not known while Valkey is away."
    undated = (
        f" {plural(lags.undated, 'change was,changes were')} not dated by athena." if lags.undated else ""
    )
    if not lags.dated:
        return f"No change that athena dates became visible in 24 hours.{undated}"
    return (
        f"Of {plural(lags.dated, 'change,changes')} in 24 hours, half were visible here within {bound(lags, HALF)} of "
        f"athena's own stamp and 95 of 100 within {bound(lags, MOST)}.{undated}"
    )


def bar(lags: Lags, hour: datetime, objective: timedelta) -> Bar:
    """The 95th of 100, by the hour in which changes became visible."""
    late = lags.percentile(MOST)
    if late is None:
        return Bar(0, f"{hour:%H:%M} UTC no change")
    seconds = BOUNDS[-1] if late == timedelta.max else late.total_seconds()
    words = f"{hour:%H:%M} UTC within {bound(lags, MOST)}, {plural(lags.dated, 'change,changes')}"
    return Bar(seconds, words, tone="bad" if late > objective else "")


def bound(lags: Lags, part: float) -> str:
    late = lags.percentile(part)
    if late is None:
        return "–"
    if late == timedelta.max:
        return f"more than {span(timedelta(seconds=BOUNDS[-1]))}"
    return span(late) if late >= MINUTES else f"{late.total_seconds():.0f} s"


def bars(hours: Sequence[Lags], at: Sequence[datetime], objective: timedelta) -> tuple[Bar, ...]:
    return tuple(bar(lags, hour, objective) for lags, hour in zip(hours, at, strict=True))
