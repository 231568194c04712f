"""A seed → a population, its ledger, and what the real pipeline concluded from it, in a database made for
this run.

The sandbox speaks over HTTP from a process of its own; the clock stands at the ledger's `as_of`. Database,
sandbox and the Valkey database are all thrown away afterwards.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings

from athena_dash.core import clock
from athena_dash.correlation.service import due_in, due_orphans, judge_orphans
from athena_dash.operations.evaluation.faults import switch_on
from athena_dash.operations.evaluation.sandbox import UNHURRIED, sandbox
from athena_dash.practices.models import Connection, Policy, Practice
from athena_dash.sync import backfill_audit, pipeline
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Run
from athena_dash.sync.pull import sync_practice
from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import populate
from integrations.sandbox.store import Store

VALKEY_DATABASE = (
    15  # budgets and tokens are kept by connection id, which a throwaway database counts from 1 again
)
NO_SHOW_FEE = 25  # what the synthetic practices charge
ALL_ORPHANS = 1_000_000

TIMEZONES = {"195900": "America/New_York", "195903": "America/Phoenix", "11287": "America/New_York"}

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    seed: int
    visits: int  # per practice
    practices: int = 1
    profile: str = "demo"
    mishaps: str = "usual"
    faults: bool = False
    as_of: datetime


@contextmanager
def arena(setup: Setup, tell: Tell) -> Iterator[Ledger]:
    """Inside, the database holds what the pipeline made of the population; the yielded ledger is the truth."""
    with tempfile.TemporaryDirectory(prefix="athena-dash-evaluation-") as directory:
        state = Path(directory) / "sandbox.sqlite3"
        tell(f"seed {setup.seed}: inventing {setup.practices} × {setup.visits} visits")
        ledger = invent(state, setup)
        with emptied_database(), throwaway_valkey(), sandbox(state) as url, clock.frozen(setup.as_of):
            if setup.faults:
                switch_on(url)
            for athena_id in sorted({record.practice for record in ledger.records}):
                take_in(athena_id, url, tell)
            for practice_id, record_ids in due_orphans(clock.now(), ALL_ORPHANS).items():
                judge_orphans(practice_id, record_ids)
            yield ledger


def invent(state: Path, setup: Setup) -> Ledger:
    with Store(state) as store:
        populate(
            store,
            seed=setup.seed,
            practices=setup.practices,
            visits=setup.visits,
            as_of=setup.as_of,
            profile=setup.profile,
            mishaps=setup.mishaps,
        )
        return Ledger.export(store, setup.as_of)


def take_in(athena_id: str, url: str, tell: Tell) -> None:
    practice = Practice.objects.create(
        slug=f"practice-{athena_id}",
        name=f"Practice {athena_id}",
        athena_id=athena_id,
        timezone=TIMEZONES.get(athena_id, "America/New_York"),
    )
    Connection.objects.create(
        practice=practice,
        base_url=url,
        client_id="sandbox-client",
        client_secret="sandbox-secret",  # noqa: S106 the sandbox's own, of no use anywhere else
        calls_per_second=UNHURRIED.calls_per_second,
        calls_per_day=UNHURRIED.calls_per_day,
    )
    Policy.objects.create(practice=practice, name="no_show_fee", value=NO_SHOW_FEE)
    create_feeds(practice)
    for run in sync_practice(practice):
        if run.outcome != Run.Outcome.DONE:
            tell(f"{athena_id} {run.feed.resource}: {run.outcome} {run.message}")
    pipeline.learn_prices(practice.pk)  # the tick's part, for which the frozen clock never comes round
    while backfill_audit.take_next(practice):
        pass
    while due := due_in(practice.pk, clock.now(), pipeline.BATCH):
        pipeline.rejudge(practice.pk, due)
    tell(f"practice {athena_id} synced")


@contextmanager
def throwaway_database() -> Iterator[None]:
    """Django's own machinery for test databases, under a name no other run uses."""
    own = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"evaluation_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(own, verbosity=0)


@contextmanager
def emptied_database() -> Iterator[None]:
    """For the next population: making the tables anew takes longer than filling them."""
    try:
        yield
    finally:
        call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)


@contextmanager
def throwaway_valkey() -> Iterator[None]:
    address = settings.REDIS_URL
    base = address.partition("?")[0] if address.startswith("unix://") else address.rsplit("/", 1)[0]
    url = f"{base}?db={VALKEY_DATABASE}" if address.startswith("unix://") else f"{base}/{VALKEY_DATABASE}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    try:
        with override_settings(REDIS_URL=url):
            yield
    finally:
        client.flushdb()


def now_to_the_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)
