"""Backfill chunks → months × resources, each with one state: what of the past is here, coming or stuck."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from athena_dash.core.templatetags.ui import plural
from athena_dash.sync.models import Backfill, BackfillChunk

PAUSED = "paused"
WORST_FIRST = ("failed", "running", PAUSED, "waiting", "done")
MARKS = {"failed": "✕", "running": "▸", PAUSED: "‖", "waiting": "○", "done": "✓", "": ""}
WORDS = {
    "failed": "failed, tried again by itself",
    "running": "running",
    PAUSED: "paused",
    "waiting": "waiting for its turn",
    "done": "done",
    "": "not asked for",
}


@dataclass(frozen=True, slots=True)
class Month:
    """`state` is "" where nothing was asked for."""

    first: date
    state: str
    done: int
    size: int
    records: int

    @property
    def mark(self) -> str:
        return MARKS[self.state]

    @property
    def words(self) -> str:
        """The text alternative of its mark."""
        name = f"{self.first:%B %Y}: {WORDS[self.state]}"
        if not self.size:
            return name
        chunks, records = plural(self.size, "chunk,chunks"), plural(self.records, "record,records")
        return f"{name}, {self.done} of {chunks} done, {records} in them"


@dataclass(frozen=True, slots=True)
class Year:
    number: int
    months: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Of one resource, the newest year first."""

    resource: str
    years: tuple[Year, ...]

    @property
    def name(self) -> str:
        return self.resource.replace("_", " ")


def calendars(chunks: Iterable[BackfillChunk], resources: Iterable[str]) -> list[Calendar]:
    """`chunks` with their backfill and its feed; those of a cancelled backfill count only when they are done."""
    by_month: dict[tuple[str, date], list[BackfillChunk]] = defaultdict(list)
    for chunk in chunks:
        if chunk.backfill.state != Backfill.State.CANCELLED or chunk.state == BackfillChunk.State.DONE:
            for month in months(chunk.first, chunk.last):
                by_month[chunk.backfill.feed.resource, month].append(chunk)
    years = sorted({month.year for _, month in by_month}, reverse=True)
    return [
        Calendar(
            resource,
            tuple(
                Year(
                    year,
                    tuple(
                        month_of(date(year, number, 1), by_month.get((resource, date(year, number, 1)), []))
                        for number in range(1, 13)
                    ),
                )
                for year in years
            ),
        )
        for resource in resources
    ]


def month_of(first: date, chunks: list[BackfillChunk]) -> Month:
    """A chunk asked for again speaks for the older ones of the same days."""
    newest: dict[tuple[date, date], BackfillChunk] = {}
    for chunk in sorted(chunks, key=lambda one: one.pk):
        newest[chunk.first, chunk.last] = chunk
    states = {state_of(chunk) for chunk in newest.values()}
    return Month(
        first,
        next((state for state in WORST_FIRST if state in states), ""),
        sum(chunk.state == BackfillChunk.State.DONE for chunk in newest.values()),
        len(newest),
        sum(chunk.records for chunk in newest.values()),
    )


def state_of(chunk: BackfillChunk) -> str:
    if chunk.backfill.state == Backfill.State.PAUSED and chunk.state == BackfillChunk.State.WAITING:
        return PAUSED
    return str(chunk.state)


def months(first: date, last: date) -> Iterator[date]:
    """The first day of each month that these days touch."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)
