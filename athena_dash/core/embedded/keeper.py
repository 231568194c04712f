"""The process that owns a state directory's PostgreSQL and Valkey: starts, heals and at last stops them.

Every process that uses them shares the lock `in-use`; once this one can claim it for itself, nobody is left.
`python -m athena_dash.core.embedded.keeper [--not-durable]`, started by `attach`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from athena_dash.core.embedded.locks import Lock
from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import State
from athena_dash.core.embedded.supervisor import Program, Supervisor
from athena_dash.core.embedded.valkey import Valkey

PATIENCE = 45.0  # for recovery after a kill -9, and for a dead postmaster to leave the process table


class Keeper:
    def __init__(self, state: State, *, durable: bool) -> None:
        self.state = state
        self.postgres = Postgres(state, durable=durable)
        self.valkey = Valkey(state)
        self.supervisor = Supervisor(state.logs, say)
        self.stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask_to_stop)
        owner = claim_within(Lock(self.state.root / "keeper.lock"), seconds=2)
        if owner is None:
            return  # another keeper was quicker
        os.ftruncate(owner, 0)
        os.write(owner, f"{os.getpid()}\n".encode())
        try:
            self.start()
            while not self.stopping and self.in_use():
                self.supervisor.poll()
                time.sleep(0.1)
        finally:
            self.supervisor.stop()

    def start(self) -> None:
        self.postgres.prepare()
        self.bring_up(self.postgres.program(), lambda: self.postgres.answers("postgres"))
        self.postgres.create_database()
        self.bring_up(self.valkey.program(), self.valkey.answers)

    def bring_up(self, program: Program, answers: Callable[[], bool]) -> None:
        """The supervisor's restarts are also the retries that a just killed postmaster's pid file needs."""
        self.supervisor.start(program)
        deadline = time.monotonic() + PATIENCE
        while not answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{program.name} did not answer within {PATIENCE:g} s")
            self.supervisor.poll()
            time.sleep(0.03)

    def in_use(self) -> bool:
        self.unused = Lock(
            self.state.root / "in-use.lock"
        ).claim()  # kept while stopping: newcomers wait for the end
        return self.unused is None

    def ask_to_stop(self, *_: object) -> None:
        self.stopping = True


def claim_within(lock: Lock, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while (claimed := lock.claim()) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return claimed


def say(line: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), line, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        Keeper(State.from_environment().prepare(), durable="--not-durable" not in sys.argv).run()
