"""Audit rows → how complete each kind is, as of its last audit: for the Feeds page, the command and the metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import groupby

from django.db.models import BooleanField, ExpressionWrapper, Q

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
    """Of each practice and kind the newest finished audit of the recent days and of an older week; one query."""
    rows = (
        Audit.objects.filter(practice_id__in=practice_ids, finished_at__isnull=False)
        .annotate(older=ExpressionWrapper(~Q(window=Audit.RECENT), BooleanField()))
        .order_by("practice_id", "kind", "older", "-started_at", "-pk")
        .distinct("practice_id", "kind", "older")
    )
    of_kind = groupby(rows, key=lambda row: (row.practice_id, row.kind))
    order = list(Audit.Kind)
    return sorted(
        (together(list(group)) for _, group in of_kind),
        key=lambda one: (one.practice_id, order.index(one.kind)),
    )


def together(rows: Sequence[Audit]) -> Completeness:
    """Windows do not overlap. The recent days, which come first, say whether there is a figure at all."""
    known = [row for row in rows if not row.problem]
    return Completeness(
        practice_id=rows[0].practice_id,
        kind=Audit.Kind(rows[0].kind),
        at=rows[0].started_at,
        theirs=sum(row.theirs for row in known),
        here=sum(row.ours + row.healed for row in known),
        healed=sum(row.healed for row in known),
        problem=rows[0].problem,
    )
