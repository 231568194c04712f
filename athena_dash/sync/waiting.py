"""Touched records between their landing and their drain: kept with the facts, so that a crash forgets none; holds
raw SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import connection

from athena_dash.core import clock, literals
from athena_dash.core.one_trip import fetch
from athena_dash.sync.models import Touched

Ids = dict[str, set[str]]
"""Table → ids, as sync.Touched names them."""

AT_ONCE = 300_000
"""Ids taken at a time, and correlated in one transaction: a bound on memory (some 40 MB). The more, the better: what is
touched of a visit in another part has all its records looked at again; of 20,000 each, four times in a first load."""

PART = 5_000  # visits judged in one transaction
BACKLOG, PATIENCE = 500_000, timedelta(minutes=1)
"""A run that goes on drains when so many ids wait, or one waits so long; a record that is touched by its encounter,
its claim and its charges in between is looked at once."""


ADD = """
insert into sync_touched (practice_id, "table", ids, at)
values (%(practice)s, %(table)s, %(ids)s::text[], %(at)s) returning id
"""


def add(practice_id: int, touched: Mapping[str, Collection[str]], at: datetime) -> list[int]:
    """In the caller's transaction; the new rows' keys."""
    rows = []
    for table, ids in touched.items():
        if ids:
            values = {
                "practice": practice_id,
                "table": table,
                "ids": literals.text_array(ids),
                "at": at,
            }
            (((pk,),),) = fetch(values, ADD)
            rows.append(pk)
    return rows


def add_visits(practice_id: int, visits: Collection[int], at: datetime) -> None:
    """In the caller's transaction, which no judge runs beside: in parts that share no visit, together with those that
    wait already."""
    rows = Touched.objects.for_practice(practice_id).filter(table=Touched.VISIT)
    before = list(rows)
    ids = sorted({*visits, *(int(pk) for row in before for pk in row.ids)})
    remove([row.pk for row in before])
    since = min([at, *(row.at for row in before)])
    for start in range(0, len(ids), PART):
        add(practice_id, {Touched.VISIT: list(map(str, ids[start : start + PART]))}, since)


def parts(practice_id: int) -> int:
    """Of the visits that wait."""
    count: int = Touched.objects.for_practice(practice_id).filter(table=Touched.VISIT).count()
    return count


def claim(practice_id: int) -> Touched | None:
    """The oldest part that nobody else has, until the caller's transaction ends."""
    rows = Touched.objects.for_practice(practice_id).filter(table=Touched.VISIT).order_by("pk")
    found: Touched | None = rows.select_for_update(skip_locked=True).first()
    return found


def take(practice_id: int) -> tuple[Ids, list[int]]:
    """The oldest touched records: what is to be looked at, and the rows that say so."""
    rows = Touched.objects.for_practice(practice_id).exclude(table=Touched.VISIT).order_by("pk")
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
        cursor.execute("select sum(count), min(at) from sync_touched where practice_id = %s", [practice_id])
        count, oldest = cursor.fetchone()
    return bool(count) and (count >= BACKLOG or clock.now() - oldest >= PATIENCE)
