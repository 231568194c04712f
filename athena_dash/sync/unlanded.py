"""What a run has kept and not landed yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from athena_dash.sync.landing import ROWS
from athena_dash.sync.segments import Stored

WITHIN = 1.0  # seconds


@dataclass(slots=True)
class Unlanded:
    """Rows in the order they were kept. To land ten costs nearly what a thousand do, so the few new ones of many pages
    are landed together; once the first has waited, the next page is the last. A kill leaves them to the sweeper."""

    rows: list[Stored] = field(default_factory=list)
    since: float = 0.0

    def add(self, rows: Sequence[Stored]) -> None:
        if rows and not self.rows:
            self.since = monotonic()
        self.rows += rows

    @property
    def due(self) -> bool:
        return len(self.rows) >= ROWS or bool(self.rows) and monotonic() - self.since >= WITHIN

    def take(self) -> list[Stored]:
        taken, self.rows = self.rows, []
        return taken
