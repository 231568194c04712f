"""Touched records between their landing and their drain: kept with the facts, so that a crash forgets none; holds
raw SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import connection

from athena_dash.core import clock, literals
from athena_dash.sync.models import Touched

Ids = dict[str, set[str]]
"""Table → ids, as sync.Touched names them."""

AT_ONCE = 300_000
"""Ids taken at a time, and correlated in one transaction: a bound on memory (some 40 MB). The more, the better: what is
touched of a visit in another part has all its records looked at again; of 20,000 each, four times in a first load."""

BACKLOG, PATIENCE = 500_000, timedelta(minutes=1)
"""A run that goes on drains when so many ids wait, or one waits so long; a record that is touched by its encounter,
its claim and its charges in between is looked at once."""


ADD = """
insert into sync_touched (practice_id, "table", ids, at) values (%s, %s, %s::text[], %s) returning id
"""


def add(practice_id: int, touched: Mapping[str, Collection[str]], at: datetime) -> list[int]:
    """In the caller's transaction; the new rows' keys."""
    rows = []
    with connection.cursor() as cursor:
        for table, ids in touched.items():
            if ids:
                cursor.execute(ADD, [practice_id, table, literals.text_array(sorted(ids)), at])
                rows.append(cursor.fetchone()[0])
    return rows


def take(practice_id: int, *, visits: bool) -> tuple[Ids, list[int]]:
    """The oldest touched visits, or records: what is to be looked at, and the rows that say so."""
    rows = Touched.objects.for_practice(practice_id).order_by("pk")
    rows = rows.filter(table=Touched.VISIT) if visits else rows.exclude(table=Touched.VISIT)
    found: Ids = defaultdict(set)
    taken: list[int] = []
    for row in rows.iterator(chunk_size=50):
        found[row.table].update(row.ids)
        taken.append(row.pk)
        if sum(map(len, found.values())) >= AT_ONCE:
            break
    return dict(found), taken


def remove(rows: Collection[int]) -> None:
    if rows:
        Touched.objects.filter(pk__in=rows).delete()


def is_due(practice_id: int) -> bool:
    """Whether a run that goes on should drain before its next page."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(cardinality(ids)), min(at) from sync_touched where practice_id = %s", [practice_id]
        )
        count, oldest = cursor.fetchone()
    return bool(count) and (count >= BACKLOG or clock.now() - oldest >= PATIENCE)
