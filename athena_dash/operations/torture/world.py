"""Everything a torture run needs, on a state directory of its own: services, sandbox, tick and workers."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from django.conf import settings
from django.core.management import call_command
from django.db import close_old_connections

from athena_dash.core import clock
from athena_dash.core.embedded.attach import attach, stop_keeper
from athena_dash.core.embedded.supervisor import Program, Running, Supervisor
from athena_dash.operations.torture.athena import Options
from athena_dash.operations.torture.processes import adopt_orphans, children, command, end
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.feeds import create_feeds
from integrations.sandbox.population import populate
from integrations.sandbox.store import Store
from integrations.sandbox.world_time import WorldTime

BEGIN = datetime(2026, 3, 11, 15, tzinfo=UTC)  # a Wednesday noon in New York: the office is busy
ATHENA_ID, CLIENT, SECRET = "195900", "torture", "first-secret"
WORKERS = 4
LOOPBACK = "127.0.0.1"

Say = Callable[[str], None]


@dataclass
class World:
    """`beat` keeps what has died coming back, as the demo's supervisor and the keeper do; in a thread of its own."""

    supervisor: Supervisor
    time: WorldTime
    options: Options
    workers: list[Running] = field(default_factory=list)
    athena: Running | None = None
    calls: Counter[str] = field(default_factory=Counter)  # of sandboxes that have been killed
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.options.port}"

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Of the sandbox's own endpoints, waiting until it is back."""
        deadline = time.monotonic() + 30
        while True:
            try:
                answer = httpx.request(
                    method, f"{self.url}/_sandbox{path}", timeout=10, trust_env=False, **request
                )
                return answer.raise_for_status().json()
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def start_athena(self, speed: float) -> None:
        options = msgspec.structs.replace(self.options, speed=speed)
        said = msgspec.json.encode(options, enc_hook=str).decode()
        command = (sys.executable, "-m", "athena_dash.operations.torture.athena", said)
        self.athena = self.supervisor.start(Program("athena", command, cwd=settings.BASE_DIR))
        self.ask("GET", "/state")

    def still(self) -> None:
        """Life over there stops; athena goes on answering."""
        assert self.athena  # noqa: S101
        self.count_calls()
        self.supervisor.running.remove(self.athena)
        self.athena.process.terminate()
        self.athena.process.wait(10)
        self.start_athena(speed=0)

    def count_calls(self) -> None:
        """Before a sandbox ends, for it forgets."""
        with suppress(httpx.HTTPError):
            counted = httpx.get(f"{self.url}/_sandbox/calls", timeout=5, trust_env=False).json()["practices"]
            self.calls.update(counted.get(ATHENA_ID, {}))

    def start_workers(self) -> None:
        self.supervisor.start(self.manage("tick", "tick", "--every", "0.5"))
        for number in range(WORKERS):
            program = self.manage(
                f"worker-{number}", "rqworker", "live", "replay", "backfill", together="workers"
            )
            self.workers.append(self.supervisor.start(program))

    def manage(self, name: str, *command: str, together: str = "") -> Program:
        whole = (sys.executable, "manage.py", *command)
        lives_by = {"ATHENA_DASH_CLOCK": str(self.time.file)}
        return Program(name, whole, together=together, cwd=settings.BASE_DIR, grace=5, environment=lives_by)

    def beat(self) -> None:
        while not self.stopping.wait(0.1):
            self.supervisor.poll()


@contextmanager
def world(*, seed: int, visits: int, pace: float, speed: float, say: Say) -> Iterator[World]:
    """A populated athena that lives, a practice joined to it, workers about to begin. All of it ends with the block."""
    adopt_orphans()
    state = settings.STATE
    time_ = WorldTime(state.root / "clock")
    path = state.root / "athena.sqlite3"
    with Store(path) as store:
        populate(store, seed=seed, practices=1, visits=visits, as_of=BEGIN)
    time_.begin(BEGIN, pace)
    clock.follow(time_.now)
    in_use = attach()
    supervisor = Supervisor(state.logs, say)
    there = World(supervisor, time_, Options(state=path, clock=time_.file, port=free_port(), seed=seed))
    beating = threading.Thread(target=there.beat, daemon=True)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        there.start_athena(speed)
        join("tortured", there, CLIENT)
        there.start_workers()
        beating.start()
        yield there
    finally:
        there.stopping.set()
        if beating.ident:
            beating.join()
        supervisor.stop()
        end_orphans()
        close_old_connections()
        stop_keeper(state)
        if in_use is not None:
            os.close(in_use)


def join(slug: str, there: World, client: str) -> Practice:
    """Connected as an admin would, with a key of its own: a changed feed belongs to the key."""
    there.ask("POST", "/clients", json={"client_id": client, "client_secret": SECRET})
    practice = Practice.objects.create(slug=slug, name=slug, athena_id=ATHENA_ID)
    Connection.objects.create(
        practice=practice,
        base_url=there.url,
        client_id=client,
        client_secret=SECRET,
        calls_per_second=there.options.calls_per_second,
        calls_per_day=10_000_000,
    )
    create_feeds(practice)
    return practice


def end_orphans() -> None:
    """Jobs whose worker was killed before them; the keeper, a child too, is asked to stop in its own way."""
    for pid in children(os.getpid()):
        if "embedded.keeper" not in command(pid):
            end(pid)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
