"""Judged visits → Gap rows: opened, reopened, changed or closed, and nothing written where nothing changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from athena_dash.correlation.judge import FoundGap, Judged
from athena_dash.correlation.models import Gap

CHANGING = (
    "primary",
    "owner",
    "sentence",
    "at_risk",
    "estimator",
    "verdict",
    "evidence",
    "needs_feed",
    "since",
    "due_at",
    "filing_limit",
)
LIFE = ("opened_at", "closed_at", "closed_by", "times_opened")

WRITE_VISITS = """
update correlation_visit v
set suppressor = w.suppressor, track = w.track, reconsider_at = w.reconsider_at, judged_at = %(now)s
from unnest(%(id)s::bigint[], %(suppressor)s::text[], %(track)s::text[], %(reconsider_at)s::timestamptz[])
    as w(id, suppressor, track, reconsider_at)
where v.id = w.id and (
    v.judged_at is null
    or (v.suppressor, v.track::text, v.reconsider_at) is distinct from (w.suppressor, w.track, w.reconsider_at))
"""


@dataclass(slots=True)
class Changes:
    """What storing came to: gap rows, by what happened to them."""

    opened: list[Gap] = field(default_factory=list)
    reopened: list[Gap] = field(default_factory=list)
    changed: list[Gap] = field(default_factory=list)
    closed: list[Gap] = field(default_factory=list)


def store(practice_id: int, judged: Sequence[Judged], now: datetime) -> Changes:
    existing: dict[tuple[int, str], Gap] = {
        (gap.visit_id, gap.code): gap
        for gap in Gap.objects.for_practice(practice_id).filter(visit_id__in=[j.visit_id for j in judged])
    }
    changes = Changes()
    for visit in judged:
        found = {gap.code for gap in visit.gaps}
        for gap in visit.gaps:
            place(practice_id, visit.visit_id, gap, existing.get((visit.visit_id, gap.code)), now, changes)
        for (visit_id, code), row in existing.items():
            if visit_id == visit.visit_id and code not in found and row.closed_at is None:
                close(row, "suppressor" if visit.suppressor else "data", now, changes)
    write(changes)
    write_visits(judged, now)
    return changes


def place(
    practice_id: int, visit_id: int, found: FoundGap, row: Gap | None, now: datetime, changes: Changes
) -> None:
    wanted = columns(found)
    if row is None:
        changes.opened.append(
            Gap(practice_id=practice_id, visit_id=visit_id, code=found.code, opened_at=now, **wanted)
        )
        return
    differs = any(getattr(row, name) != value for name, value in wanted.items())
    for name, value in wanted.items():
        setattr(row, name, value)
    if row.closed_at is not None:
        row.opened_at, row.closed_at, row.closed_by = now, None, ""
        row.times_opened += 1
        changes.reopened.append(row)
    elif differs:
        changes.changed.append(row)


def close(row: Gap, by: str, now: datetime, changes: Changes) -> None:
    row.closed_at, row.closed_by, row.primary = now, by, False
    changes.closed.append(row)


def columns(found: FoundGap) -> dict[str, Any]:
    dollars = found.estimate.dollars
    return {
        "primary": found.primary,
        "owner": found.owner,
        "sentence": found.sentence,
        "at_risk": None if dollars is None else dollars.quantize(Decimal("0.01")),
        "estimator": found.estimate.estimator,
        "verdict": found.judgement.verdict,
        "evidence": list(found.judgement.says),
        "needs_feed": found.needs_feed,
        "since": found.since,
        "due_at": found.due_at,
        "filing_limit": found.filing_limit,
    }


def write(changes: Changes) -> None:
    Gap.objects.bulk_create(changes.opened, batch_size=1000)
    if altered := changes.reopened + changes.changed + changes.closed:
        Gap.objects.bulk_update(altered, fields=(*CHANGING, *LIFE), batch_size=200)


def write_visits(judged: Iterable[Judged], now: datetime) -> None:
    """Holds raw SQL: thousands of visits in one statement."""
    rows = list(judged)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE_VISITS,
            {
                "now": now,
                "id": [j.visit_id for j in rows],
                "suppressor": [j.suppressor for j in rows],
                "track": [j.track for j in rows],
                "reconsider_at": [j.reconsider_at for j in rows],
            },
        )
