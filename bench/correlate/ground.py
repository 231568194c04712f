"""A database of the bench's own with one practice in it, and what a piece of work in it costs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from bench.correlate.bare import precision_recall
from bench.sync.cluster import cluster
from bench.sync.measure import backend_cpu, own_cpu

TABLES = ("appointment", "encounter", "claim", "chargeline")

SCORED = """
select count(*) filter (where v.anchor_id = c.n::text and not c.orphan),
    count(*) filter (where v.anchor_id <> c.n::text or c.orphan),
    (select count(*) from bench_claim where lone and not orphan)
from bench_claim c
join correlation_link l on l.kind = 'claim' and l.record_id = (20000000 + c.n)::text
join correlation_visit v on v.id = l.visit_id where c.lone
"""


@dataclass
class Spent:
    cpu: float = 0
    wall: float = 0


@contextmanager
def practice_in(name: str) -> Iterator[int]:
    """The id of an empty practice in a migrated database of a cluster that is gone afterwards."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "athena_dash.settings"
    with cluster():
        import django

        django.setup()
        from django.core.management import call_command

        from athena_dash.practices.models import Practice

        call_command("migrate", verbosity=0)
        try:
            yield Practice.objects.create(slug=name, name=name, athena_id="1").pk
        finally:
            connection.close()


@contextmanager
def measured() -> Iterator[Spent]:
    """One transaction, its commit included."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        (pid,) = cursor.fetchone()
    spent = Spent()
    cpu, began = backend_cpu(pid) + own_cpu(), time.perf_counter()
    with transaction.atomic():
        yield spent
    spent.cpu, spent.wall = backend_cpu(pid) + own_cpu() - cpu, time.perf_counter() - began


def everything(practice_id: int) -> dict[str, list[str]]:
    """Every id of the practice, as a whole backfill hands them over."""
    with connection.cursor() as cursor:
        found = {}
        for table in TABLES:
            cursor.execute(f"select external_id from records_{table} where practice_id = %s", [practice_id])  # noqa: S608
            found[table] = [id for (id,) in cursor.fetchall()]
    return found


def clear() -> None:
    with connection.cursor() as cursor:
        cursor.execute("truncate correlation_visit, correlation_link cascade")


def scored() -> dict[str, float]:
    return precision_recall(SCORED)
