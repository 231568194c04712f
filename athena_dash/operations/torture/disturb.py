"""Does to the world what the plan says: kills by pid, stops, breaks answers, rotates the credential; and counts."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings

from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.valkey import Valkey
from athena_dash.operations.torture.plan import Disturbance, Kind
from athena_dash.operations.torture.processes import children, send
from athena_dash.operations.torture.world import CLIENT, World
from athena_dash.practices.models import Connection
from athena_dash.sync import lease

LONGEST = 15.0  # seconds that a fault waits for the call it is aimed at
BACK = 30.0  # seconds within which what was killed must answer again

HTTP: dict[Kind, dict[str, Any]] = {
    Kind.LOST_PAGE: {"kind": "timeout_after", "match": {"path": "/changed$"}, "params": {"seconds": 0}},
    Kind.DROPPED: {"kind": "dropped", "probability": 0.3},
    Kind.UNANSWERED: {"kind": "timeout_before", "probability": 0.3, "params": {"seconds": 0}},
    Kind.DUPLICATED: {"kind": "duplicated_rows", "params": {"rows": 10}},
    Kind.SKIPPED: {"kind": "missing_rows", "params": {"rows": 3}},
    Kind.TRUNCATED: {"kind": "truncated", "probability": 0.3},
    Kind.MALFORMED: {"kind": "malformed", "probability": 0.3},
    Kind.HTML: {"kind": "html", "probability": 0.3},
    Kind.SLOW: {"kind": "slow", "probability": 0.5, "params": {"seconds": 1}},
    Kind.TOO_MANY: {"kind": "rate_limited", "probability": 0.5, "params": {"retry_after": 1}},
    Kind.SERVER_ERROR: {"kind": "server_error", "probability": 0.5},
    Kind.SPOILED: {"kind": "corrupt_record", "probability": 0.2, "params": {"as": "wrong_type"}},
}


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, when (seconds of the machine's monotonic time), and how often an answer was broken."""

    kind: Kind
    began: float
    ended: float
    hits: int


@dataclass
class Disturber:
    world: World
    done: list[Done] = field(default_factory=list)
    secret: int = 1

    def do(self, disturbance: Disturbance) -> None:
        began = time.monotonic()
        hits = (
            self.broken(disturbance)
            if disturbance.kind in HTTP
            else VIOLENCE[disturbance.kind](self, disturbance)
        )
        self.done.append(Done(disturbance.kind, began, time.monotonic(), hits))

    def broken(self, disturbance: Disturbance) -> int:
        """A fault of the sandbox for a while, and until it has struck; how often it did."""
        name = f"fault-{len(self.done)}"
        self.world.ask("POST", "/faults", json={"name": name, **HTTP[disturbance.kind]})
        deadline = time.monotonic() + LONGEST
        time.sleep(disturbance.lasting)
        while not (hits := self.fired(name)) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.world.ask("DELETE", "/faults", params={"name": name})
        return hits

    def fired(self, name: str) -> int:
        faults = self.world.ask("GET", "/faults")["faults"]
        return sum(fault.get("fired", 0) for fault in faults if fault["name"] == name)

    def kill_worker(self, disturbance: Disturbance) -> int:
        """Its job lives on as an orphan: a worker presumed dead that still writes."""
        pid = self.victim(disturbance.lot)
        return send(pid, signal.SIGKILL)

    def kill_job(self, disturbance: Disturbance) -> int:
        return sum(send(job, signal.SIGKILL) for job in children(self.victim(disturbance.lot)))

    def stop_worker(self, disturbance: Disturbance) -> int:
        """Longer than its lease: another takes its work, and then it wakes up and goes on writing."""
        pid = self.victim(disturbance.lot)
        stopped = [pid, *children(pid)]
        for each in stopped:
            send(each, signal.SIGSTOP)
        time.sleep(1.2 * lease.LENGTH.total_seconds() / self.world.time.pace)
        for each in stopped:
            send(each, signal.SIGCONT)
        return len(stopped) - 1

    def kill_valkey(self, _: Disturbance) -> int:
        valkey = Valkey(settings.STATE)
        with redis.Redis.from_url(valkey.url()) as client:
            pid = int(client.info("server")["process_id"])
        killed = send(pid, signal.SIGKILL)
        shutil.rmtree(settings.STATE.root / "valkey" / "appendonlydir", ignore_errors=True)
        until(valkey.answers)
        return killed

    def kill_postgres(self, _: Disturbance) -> int:
        postgres = Postgres(settings.STATE)
        killed = send(int(postgres.pid_file.read_text().split()[0]), signal.SIGKILL)
        until(postgres.answers)
        return killed

    def kill_athena(self, _: Disturbance) -> int:
        assert self.world.athena  # noqa: S101
        self.world.count_calls()
        killed = send(self.world.athena.process.pid, signal.SIGKILL)
        self.world.ask("GET", "/state")
        return killed

    def rotate(self, disturbance: Disturbance) -> int:
        """The old secret and all its tokens end at once; an admin enters the new one a while later."""
        self.secret += 1
        secret = f"secret-{self.secret}"
        self.world.ask("DELETE", "/clients", params={"client_id": CLIENT})
        self.world.ask("POST", "/clients", json={"client_id": CLIENT, "client_secret": secret})
        time.sleep(disturbance.lasting)
        connection = Connection.objects.get(practice__slug="tortured")
        connection.client_secret = secret
        connection.save(update_fields=["client_secret"])
        return 1

    def victim(self, lot: float) -> int:
        """A worker's pid, one that is at a job if any is soon."""
        deadline = time.monotonic() + 2
        while True:
            alive = [worker.process.pid for worker in self.world.workers if worker.alive]
            busy = [pid for pid in alive if children(pid)]
            if busy or (alive and time.monotonic() > deadline):
                among = busy or alive
                return among[int(lot * len(among))]
            time.sleep(0.02)


VIOLENCE: dict[Kind, Callable[[Disturber, Disturbance], int]] = {
    Kind.KILL_WORKER: Disturber.kill_worker,
    Kind.KILL_JOB: Disturber.kill_job,
    Kind.STOP_WORKER: Disturber.stop_worker,
    Kind.KILL_VALKEY: Disturber.kill_valkey,
    Kind.KILL_POSTGRES: Disturber.kill_postgres,
    Kind.KILL_ATHENA: Disturber.kill_athena,
    Kind.ROTATE: Disturber.rotate,
}


def until(answers: Callable[[], bool]) -> None:
    time.sleep(0.2)  # it answers no more
    deadline = time.monotonic() + BACK
    while not answers():
        if time.monotonic() > deadline:
            raise TimeoutError("what was killed did not come back")
        time.sleep(0.05)
