"""What the processes of `bench judge` do: fill a practice, judge all its visits, one visit, or what is due.

Django is set up by the first verb a process runs, and never in the process that asks.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import django

from bench.sync.measure import backend_cpu, own_cpu, peak_rss_mb

FILL = Path(__file__).with_name("practice.sql")
SAMPLES = 300
DUE = 100

Verb = Callable[..., dict[str, Any]]


def in_django(verb: Verb) -> Verb:
    @wraps(verb)
    def with_django(*words: Any) -> dict[str, Any]:
        os.environ["DJANGO_SETTINGS_MODULE"] = "athena_dash.settings"
        django.setup()
        return verb(*words)

    return with_django


@in_django
def make(visits: int) -> dict[str, Any]:
    """A practice with that many visits, as correlation leaves them before the first judging."""
    from django.core.management import call_command
    from django.db import connection

    from athena_dash.practices.models import Practice

    call_command("migrate", verbosity=0)
    practice = Practice.objects.create(slug=f"visits-{visits}", name="Bench", athena_id=str(visits)).pk
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "set session_replication_role = replica"
        )  # no look at each foreign key: they all are one id
        cursor.execute("set synchronous_commit = off")
        cursor.execute("set maintenance_work_mem = '256MB'")
        indexes = set_aside_indexes(cursor)
        for statement in FILL.read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"visits": visits, "practice": practice})
        for definition in indexes:
            cursor.execute(definition)
        cursor.execute("vacuum analyze")
    return {"practice": practice, "seconds": round(time.perf_counter() - began, 1)}


def set_aside_indexes(cursor: Any) -> list[str]:
    """Those that are no key: sorting them in afterwards is far cheaper than growing them row by row."""
    cursor.execute(
        "select indexname, indexdef from pg_indexes where tablename ~ '^(records|correlation)_' "
        "and indexdef not like 'CREATE UNIQUE%'"
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'drop index "{name}"')
    return [definition for _, definition in found]


@in_django
def learn(practice: int) -> dict[str, Any]:
    from athena_dash.correlation import service

    lesson = service.learn(practice)
    service.keep(practice, lesson)
    return {"seconds": round(lesson.took, 2)}


@in_django
def wait(practice: int) -> dict[str, Any]:
    """Every visit, as a correlation leaves them."""
    from athena_dash.core import clock
    from athena_dash.correlation.models import Visit
    from athena_dash.sync import waiting

    ids = Visit.objects.for_practice(practice).values_list("pk", flat=True)
    waiting.add_visits(practice, set(ids), clock.now())
    return {}


@in_django
def judge(practice: int) -> dict[str, Any]:
    """What waits, beside the other worker. Instants are of a clock that processes share."""
    from django.db import connection

    from athena_dash.sync import pipeline

    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    began, python, postgres = time.monotonic(), own_cpu(), backend_cpu(backend)
    visits = pipeline.judge_waiting(practice)
    return {
        "visits": len(visits),
        "began": began,
        "ended": time.monotonic(),
        "python": own_cpu() - python,
        "postgres": backend_cpu(backend) - postgres,
        "rss_mb": peak_rss_mb(),
    }


@in_django
def one_by_one(practice: int) -> dict[str, Any]:
    """One touched visit at a time, the product's way: its own transaction, the practice's lock, the evidence.

    `first_ms`: on a new connection, as a job opens it; nothing is planned or known there yet.
    """
    from django.db import connection

    from athena_dash.correlation.models import Visit
    from athena_dash.sync import pipeline

    ids = list(Visit.objects.for_practice(practice).values_list("pk", flat=True))
    connection.ensure_connection()
    backend, took = connection.connection.info.backend_pid, []
    chosen = random.Random(1).sample(ids, SAMPLES + 20)  # noqa: S311
    for visit_id in chosen[:20]:
        pipeline.rejudge(practice, [visit_id])
    cpu = own_cpu() + backend_cpu(backend)
    for visit_id in chosen[20:]:
        began = time.perf_counter()
        pipeline.rejudge(practice, [visit_id])
        took.append((time.perf_counter() - began) * 1000)
    cpu = own_cpu() + backend_cpu(backend) - cpu
    first = []
    for visit_id in chosen[:20]:
        connection.close()
        connection.ensure_connection()
        began = time.perf_counter()
        pipeline.rejudge(practice, [visit_id])
        first.append((time.perf_counter() - began) * 1000)
    return {
        "first_ms": round(statistics.median(first), 2),
        "p50_ms": round(statistics.median(took), 2),
        "p95_ms": round(statistics.quantiles(took, n=20)[-1], 2),
        "cpu_ms": round(cpu / SAMPLES * 1000, 2),
    }


@in_django
def tick(practice: int) -> dict[str, Any]:
    """As many visits due as a quiet minute brings."""
    from athena_dash.core import clock
    from athena_dash.correlation.models import Visit
    from athena_dash.sync import sweep

    Visit.objects.filter(reconsider_at__lte=clock.now()).update(reconsider_at=None)
    ids = list(Visit.objects.for_practice(practice).values_list("pk", flat=True))
    due = random.Random(2).sample(ids, DUE)  # noqa: S311
    Visit.objects.filter(pk__in=due).update(reconsider_at=clock.now())
    began = time.perf_counter()
    judged = sweep.reconsider_due()
    return {"due": judged, "seconds": round(time.perf_counter() - began, 3)}


@in_django
def written() -> dict[str, Any]:
    """Asked by a process of its own: a session reports what it wrote when it ends."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(n_tup_ins + n_tup_upd), (select count(*) from correlation_gap where closed_at is null) "
            "from pg_stat_user_tables where relname in ('correlation_visit', 'correlation_gap')"
        )
        rows, gaps = cursor.fetchone()
    return {"rows": int(rows), "gaps": gaps}
