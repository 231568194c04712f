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

PATIENCE = 45.0  # for recovery after a kill -9
TRIES = 4


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
        if not self.in_use():
            return  # whoever called for this one has left while another keeper served them
        self.state.prepare()  # the keeper before this one has taken its sockets with it
        try:
            self.start()
            while not self.stopping and self.in_use():
                self.supervisor.poll()
                time.sleep(0.1)
        finally:
            self.supervisor.stop()
            self.state.forget_sockets()

    def start(self) -> None:
        self.postgres.prepare()
        # A postmaster just killed may still be in the process table, and its pid file then bars the next one.
        self.bring_up(
            self.postgres.program(),
            answers=lambda: self.postgres.answers("postgres"),
            barred=self.postgres.pid_file.exists,
        )
        self.postgres.create_database()
        self.bring_up(self.valkey.program(), answers=self.valkey.answers)

    def bring_up(
        self, program: Program, *, answers: Callable[[], bool], barred: Callable[[], bool] = lambda: False
    ) -> None:
        """Starts it and waits for an answer. The supervisor's restarts are the retries."""
        running = self.supervisor.start(program)
        deadline = time.monotonic() + PATIENCE
        while not answers():
            if running.failures >= TRIES and not barred():
                raise RuntimeError(f"{program.name} ends as soon as it starts")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{program.name} did not answer within {PATIENCE:g} s")
            self.supervisor.poll()
            time.sleep(0.03)

    def in_use(self) -> bool:
        # Once claimed it is kept to the end: whoever comes now waits for it, and then starts afresh.
        self.unused = Lock(self.state.root / "in-use.lock").claim()
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
        Keeper(State.from_environment(), durable="--not-durable" not in sys.argv).run()
