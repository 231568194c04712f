"""PostgreSQL dies and Valkey loses its memory in the middle of syncs: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import CHECKOUT, State
from athena_dash.core.embedded.valkey import Valkey
from tests.core.conftest import Instance
from tests.sync.athena import PRACTICE, SECRET, Athena, RealTime, make_world, serving

JOIN = """
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.feeds import create_feeds
practice = Practice.objects.create(slug={slug!r}, name={slug!r}, athena_id={athena_id!r})
Connection.objects.create(practice=practice, base_url={url!r}, client_id={slug!r}, client_secret={secret!r},
                          calls_per_second=100_000, calls_per_day=10_000_000)
create_feeds(practice)
"""
SETTLE = """
from athena_dash.practices.models import Practice
from athena_dash.sync.models import BackfillChunk, Failure, Feed, RawSegment
from athena_dash.sync.sweep import GRACE, process_left_behind, retry_due
practice = Practice.objects.get(slug={slug!r})
Feed.objects.filter(practice=practice).update(lease_until=None)  # two minutes later
BackfillChunk.objects.filter(practice=practice).update(lease_until=None)
BackfillChunk.objects.filter(practice=practice, due_at__isnull=False).update(due_at=practice.created_at)
RawSegment.objects.filter(practice=practice).update(kept_at=practice.created_at - GRACE)  # half a minute later
while process_left_behind(practice.pk):
    pass
Failure.objects.filter(practice=practice, next_try_at__isnull=False).update(next_try_at=practice.created_at)
retry_due(practice.pk)
"""
COMPARE = """
import json
from athena_dash.practices.models import Practice
from tests.sync.rig import contents, due_subjects, open_failures
killed, alone = Practice.objects.get(slug="killed"), Practice.objects.get(slug="alone")
a, b = contents(killed), contents(alone)
print("RESULT" + json.dumps({"rows": sum(map(len, b.values())),
    "differ": [table for table in a if repr(a[table]) != repr(b[table])],
    "due": due_subjects(killed).count(), "failures": open_failures(killed).count()}))
"""


@dataclass(frozen=True)
class Installation:
    """An instance of its own with a database, worked by processes of its own."""

    state: State

    def popen(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "DATABASE_URL")}
        return subprocess.Popen(
            [sys.executable, str(CHECKOUT / "manage.py"), *arguments],
            cwd=CHECKOUT,
            env={**environment, "ATHENA_DASH_STATE": str(self.state.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def manage(self, *arguments: str) -> str:
        process = self.popen(*arguments)
        said = process.communicate(timeout=120)[0].decode()
        assert process.returncode == 0, said[-2000:]
        return said

    def run(self, code: str, **values: str) -> str:
        return self.manage("shell", "--no-imports", "-c", code.format(**values) if values else code)

    def kill_postgres(self) -> None:
        """As the immediate shutdown mode does: no checkpoint, every session cut."""
        os.kill(int(Postgres(self.state).pid_file.read_text().split()[0]), signal.SIGQUIT)

    def kill_valkey_and_its_memory(self) -> None:
        with redis.Redis.from_url(Valkey(self.state).url()) as valkey:
            pid = valkey.info("server")["process_id"]
        os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.state.root / "valkey" / "appendonlydir")

    def wait_until_healed(self) -> None:
        for _ in range(300):
            if Postgres(self.state).answers() and Valkey(self.state).answers():
                return
            time.sleep(0.1)
        raise TimeoutError("the services did not come back")


@pytest.fixture
def installation(instance: Instance) -> Installation:
    installation = Installation(instance.attach().state)
    installation.manage("migrate", "-v", "0")
    return installation


@pytest.fixture
def live_athena(tmp_path: Path) -> Iterator[Athena]:
    with serving(make_world(tmp_path / "athena.sqlite", as_of=datetime.now(UTC)), RealTime()) as athena:
        yield athena


def test_syncs_survive_the_death_of_postgresql_and_of_valkey_with_its_file(
    installation: Installation, live_athena: Athena, capsys: pytest.CaptureFixture[str]
) -> None:
    rng, began = random.Random(3), time.monotonic()
    for slug in ("killed", "alone"):
        live_athena.register(slug, SECRET)
        installation.run(JOIN, slug=slug, athena_id=PRACTICE, url=live_athena.url, secret=SECRET)
    deaths = [
        installation.kill_postgres,
        installation.kill_valkey_and_its_memory,
        installation.kill_postgres,
        installation.kill_valkey_and_its_memory,
    ]
    in_the_middle = 0
    for die in deaths:
        sync = installation.popen("sync", "--practice", "killed")
        assert sync.stdout
        sync.stdout.read1(64)  # a first page is committed
        time.sleep(rng.uniform(0.1, 0.8))
        in_the_middle += sync.poll() is None
        die()
        sync.communicate(timeout=120)
        installation.wait_until_healed()
        installation.run(SETTLE, slug="killed")
    installation.manage("sync", "--practice", "killed")
    installation.run(SETTLE, slug="killed")
    installation.manage("sync", "--practice", "alone")
    result = json.loads(installation.run(COMPARE).partition("RESULT")[2])
    assert {name: result[name] for name in ("differ", "due", "failures")} == {
        "differ": [],
        "due": 0,
        "failures": 0,
    }
    assert in_the_middle >= 3
    with capsys.disabled():
        print(
            f"\nservices killed: PostgreSQL twice, Valkey with its file twice, {in_the_middle} of them in mid-sync, "
            f"{time.monotonic() - began:.1f} s; afterwards {result['rows']} rows, links and gaps equal"
        )
