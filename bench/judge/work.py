"""What the processes of `bench judge` do: fill a practice, judge a range of its visits, one visit, or what is due.

Django is set up by the first verb a process runs, and never in the process that asks.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import django

FILL = Path(__file__).with_name("practice.sql")
SET = 50_000  # visit ids a call: the most a drain gives to the judge
SAMPLES = 300
DUE = 100
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

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
        cursor.execute("select min(id), max(id) from correlation_visit where practice_id = %s", [practice])
        ids = cursor.fetchone()
    return {"practice": practice, "ids": ids, "seconds": round(time.perf_counter() - began, 1)}


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
def judge(practice: int, low: int, high: int) -> dict[str, Any]:
    """A set a transaction, as the product does. Instants are of a clock that processes share."""
    from django.db import transaction

    from athena_dash.correlation.service import Evidence, judge_visits

    backend = backend_pid()
    began, python, postgres, gaps = time.monotonic(), time.process_time(), cpu_of(backend), 0
    for first in range(low, high + 1, SET):
        with transaction.atomic():
            summary = judge_visits(practice, range(first, min(first + SET, high + 1)), Evidence())
        gaps += summary.opened.total() + summary.changed + summary.closed.total()
    python, postgres = time.process_time() - python, cpu_of(backend) - postgres
    return {
        "visits": high - low + 1,
        "began": began,
        "ended": time.monotonic(),
        "python": python,
        "cpu": python + postgres,
        "gaps": gaps,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


@in_django
def one_by_one(practice: int) -> dict[str, Any]:
    """One touched visit at a time, the product's way: its own transaction, the practice's lock, the evidence."""
    from athena_dash.correlation.models import Visit
    from athena_dash.sync import pipeline

    ids = list(Visit.objects.for_practice(practice).values_list("pk", flat=True))
    backend, took = backend_pid(), []
    chosen = random.Random(1).sample(ids, SAMPLES + 20)  # noqa: S311
    for visit_id in chosen[:20]:
        pipeline.rejudge(practice, [visit_id])
    cpu = time.process_time() + cpu_of(backend)
    for visit_id in chosen[20:]:
        began = time.perf_counter()
        pipeline.rejudge(practice, [visit_id])
        took.append((time.perf_counter() - began) * 1000)
    cpu = time.process_time() + cpu_of(backend) - cpu
    return {
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
            "select sum(n_tup_ins + n_tup_upd) from pg_stat_user_tables "
            "where relname in ('correlation_visit', 'correlation_gap')"
        )
        return {"rows": int(cursor.fetchone()[0])}


def backend_pid() -> int:
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def cpu_of(pid: int) -> float:
    """Seconds a process of this machine has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
