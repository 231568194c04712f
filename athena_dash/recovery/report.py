"""A Replay into what truly happened: progress while it runs, the verified report afterwards, and its CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, Sum

from athena_dash.recovery.held import OpenGap, open_gaps
from athena_dash.recovery.models import Replay, ReplayItem

Outcome = ReplayItem.Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    total: int
    counts: dict[str, int]  # {outcome: items}, every outcome named, also at zero
    per_minute: float | None  # None until two items are done
    eta_seconds: float | None
    gaps_closed: int
    dollars_closed: Decimal
    remaining: tuple[OpenGap, ...]  # gaps still open on the visits that these failures named

    @property
    def waiting(self) -> int:
        return self.counts[Outcome.WAITING]

    @property
    def done(self) -> int:
        return self.total - self.waiting


def report(replay: Replay) -> Report:
    rows: Iterable[Any] = replay.items.values("outcome").annotate(
        n=Count("pk"),
        gaps=Sum("gaps_closed"),
        dollars=Sum("dollars_closed"),
        first=Min("finished_at"),
        last=Max("finished_at"),
    )
    by_outcome: dict[str, dict[str, Any]] = {row["outcome"]: row for row in rows}
    counts = {outcome.value: by_outcome.get(outcome, {}).get("n", 0) for outcome in Outcome}
    finished = [row for outcome, row in by_outcome.items() if outcome != Outcome.WAITING]
    pace = _items_per_second(finished)
    return Report(
        total=sum(counts.values()),
        counts=counts,
        per_minute=pace * 60 if pace else None,
        eta_seconds=counts[Outcome.WAITING] / pace if pace else None,
        gaps_closed=sum(row["gaps"] for row in finished),
        dollars_closed=sum((row["dollars"] for row in finished), Decimal(0)),
        remaining=tuple(open_gaps(list(replay.items.values_list("failure_id", flat=True)))),
    )


def _items_per_second(finished: list[dict[str, Any]]) -> float | None:
    done = sum(row["n"] for row in finished)
    if done < 2:
        return None
    seconds = (max(row["last"] for row in finished) - min(row["first"] for row in finished)).total_seconds()
    return (done - 1) / seconds if seconds else None


class _Echo:
    """A file whose write hands the line back, so that a CSV can be streamed."""

    def write(self, line: str) -> str:
        return line


def csv_lines(replay: Replay) -> Iterator[str]:
    """Our ids and athena's record ids; no names, no payloads."""
    writer = csv.writer(_Echo())
    yield writer.writerow(
        [
            "failure",
            "record kind",
            "record id",
            "outcome",
            "message",
            "gaps closed",
            "dollars closed",
            "finished at",
        ]
    )
    items = replay.items.select_related("failure").order_by("pk").iterator(chunk_size=500)
    for item in items:
        yield writer.writerow(
            [
                item.failure_id,
                item.failure.record_kind,
                _plain(item.failure.record_id),
                item.get_outcome_display(),
                _plain(item.message),
                item.gaps_closed,
                item.dollars_closed,
                item.finished_at.isoformat() if item.finished_at else "",
            ]
        )


def _plain(text: str) -> str:
    """A cell that a spreadsheet would run as a formula is quoted: ids come from outside."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
