"""What the tests of the sync do over and over: connect, pull, let time pass, and look at everything it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from athena_dash.correlation.models import Gap, Link
from athena_dash.practices.models import Connection, Practice
from athena_dash.records import models as records
from athena_dash.sync import budget, pull, sweep
from athena_dash.sync.models import Failure, Feed, Run, Subject
from integrations.sandbox.world import Clinical, Patient
from tests.sync.athena import CLIENT, SECRET, Athena

TABLES: tuple[Any, ...] = tuple(getattr(records, name) for name in records.__all__)
FIRST_SYNC = (0, 6, 1)  # minutes between pulls until the changed feeds are active and have been read once
OURS = {
    *("id", "practice_id", "raw_id", "fetched_at", "first_seen", "ended_at", "since_backfill"),
    *("primary_since", "secondary_since", "patient_since"),
}


@dataclass(frozen=True)
class Synced:
    practice: Practice
    athena: Athena

    def pull(self, *feeds: str, minutes: float = 1) -> list[Run]:
        self.athena.time.passes(minutes=minutes)
        return pull_all(self.practice, *feeds)

    def feed(self, resource: str) -> Feed:
        feed: Feed = Feed.objects.get(practice=self.practice, resource=resource)
        return feed


def connect(practice: Practice, athena: Athena) -> Connection:
    return Connection.objects.create(
        practice=practice,
        base_url=athena.url,
        client_id=CLIENT,
        client_secret=SECRET,
        calls_per_second=100_000,
        calls_per_day=10_000_000,
    )


def forget_shared() -> None:
    """Budgets and tokens of earlier tests: row ids repeat, ports may."""
    budget.shared().flushdb()


def pull_all(practice: Practice, *feeds: str) -> list[Run]:
    practice = Practice.objects.get(pk=practice.pk)  # a connection edited since is read anew
    return pull.sync_practice(practice, list(feeds) or None)


def settle(practice: Practice) -> None:
    """What the tick would do: rows left behind, and failures whose time has come."""
    sweep.process_left_behind(practice.pk)
    sweep.retry_due(practice.pk)


def open_failures(practice: Practice) -> Any:
    return Failure.objects.for_practice(practice).filter(resolved_at__isnull=True)


def due_subjects(practice: Practice) -> Any:
    return Subject.objects.for_practice(practice).filter(due_at__isnull=False)


def reachable_facts(athena: Athena) -> int:
    """FHIR finds nothing by a patient id that was merged away, and the sandbox leaves facts under such ids."""
    away = {one.id for one in athena.things("patient") if isinstance(one, Patient) and one.merged_into}
    facts = [one for one in athena.things("clinical") if isinstance(one, Clinical)]
    return sum(one.patient_id not in away for one in facts)


def contents(practice: Practice) -> dict[str, list[tuple[Any, ...]]]:
    """Every record, link and gap, without our own row ids and instants."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in TABLES:
        names = [f.attname for f in table._meta.concrete_fields if f.attname not in OURS]
        rows = table.objects.filter(practice=practice).values_list(*names)
        found[table.__name__] = sorted(rows, key=repr)
    found["Link"] = sorted(
        Link.objects.filter(practice=practice).values_list(
            "kind", "record_id", "state", "method", "visit__anchor", "visit__anchor_id"
        ),
        key=repr,
    )
    found["Gap"] = sorted(
        Gap.objects.filter(practice=practice, closed_at__isnull=True).values_list(
            "code", "visit__anchor_id", "record_id", "verdict", "at_risk"
        ),
        key=repr,
    )
    return found


def versions() -> dict[str, list[tuple[int, str, str]]]:
    """Where every record row physically is: a row rewritten without a change would move."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"select id, ctid::text, xmin::text from {table._meta.db_table} order by id")
            found[table.__name__] = cursor.fetchall()
    return found
