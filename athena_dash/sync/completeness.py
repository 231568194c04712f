"""Audit rows → how complete each kind is, as of its last audit: for the Feeds page, the command and the metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from django.db.models import Max

from athena_dash.sync.models import Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """One kind of one practice. `here` counts what the audit brought in; `at` is when athena was asked."""

    practice_id: int
    kind: Audit.Kind
    at: datetime
    theirs: int
    here: int
    healed: int
    problem: str  # why the audit came to no figure; then there is none

    @property
    def missing(self) -> int:
        return self.theirs - self.here

    @property
    def share(self) -> float:
        """Nothing to have is nothing missing."""
        return self.here / self.theirs if self.theirs else 1.0

    @property
    def percent(self) -> str:
        """Rounded down: only what is whole reads 100 %."""
        if not self.missing:
            return "100 %"
        exact = Decimal(self.here * 100) / self.theirs
        return f"{exact.quantize(Decimal('0.1'), ROUND_FLOOR)} %"


def latest(practice_ids: Collection[int]) -> list[Completeness]:
    """The newest finished audit of each practice and kind, its windows together; two queries."""
    finished = Audit.objects.filter(practice_id__in=practice_ids, finished_at__isnull=False)
    newest = finished.order_by().values_list("practice_id", "kind").annotate(Max("started_at"))
    instants = {(practice_id, kind): at for practice_id, kind, at in newest}
    rows: dict[tuple[int, str], list[Audit]] = defaultdict(list)
    for row in finished.filter(started_at__in=set(instants.values())).order_by("pk"):
        if instants[row.practice_id, row.kind] == row.started_at:
            rows[row.practice_id, row.kind].append(row)
    order = list(Audit.Kind)
    return sorted(map(together, rows.values()), key=lambda one: (one.practice_id, order.index(one.kind)))


def together(rows: Iterable[Audit]) -> Completeness:
    """Windows do not overlap; a kind is only as known as its worst-known window."""
    rows = list(rows)
    return Completeness(
        practice_id=rows[0].practice_id,
        kind=Audit.Kind(rows[0].kind),
        at=rows[0].started_at,
        theirs=sum(row.theirs for row in rows),
        here=sum(row.ours + row.healed for row in rows),
        healed=sum(row.healed for row in rows),
        problem=next((row.problem for row in rows if row.problem), ""),
    )
