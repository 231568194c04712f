"""Gets this process to the services of its state directory; brings a keeper up when there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from athena_dash.core.embedded.locks import Lock
from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import CHECKOUT, State
from athena_dash.core.embedded.valkey import Valkey

PATIENCE = 60.0


class ServicesUnavailable(Exception):
    """The embedded services did not come up; the message says why and where to look."""


def attach(*, durable: bool = True) -> int | None:
    """Returns once both servers answer. They stay up at least as long as the returned descriptor is open.

    None when DATABASE_URL and REDIS_URL both name other servers.
    """
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return None
    try:
        state = State.from_environment().prepare()
    except OSError as error:
        raise ServicesUnavailable(f"the state directory cannot be used: {error}") from error
    in_use = Lock(state.root / "in-use.lock").share()
    postgres, valkey, keeper = Postgres(state), Valkey(state), None
    deadline = time.monotonic() + PATIENCE
    while not (postgres.answers() and valkey.answers()):
        if keeper and keeper.poll():
            raise ServicesUnavailable(_last_words(state))
        if keeper_pid(state) is None and (keeper is None or keeper.poll() == 0):
            keeper = _start_keeper(state, durable=durable)
        if time.monotonic() > deadline:
            raise ServicesUnavailable(f"no answer within {PATIENCE:g} s. {_last_words(state)}")
        time.sleep(0.03)
    return in_use


def stop_keeper(state: State) -> None:
    """Stops the services, whoever still uses them, and returns when they have ended."""
    stopped = 0
    while (pid := keeper_pid(state)) is not None:
        if pid:
            stopped = pid
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.05)
    if stopped:
        with suppress(ChildProcessError):
            os.waitpid(stopped, 0)  # one that this process started would stay behind as a zombie


def keeper_pid(state: State) -> int | None:
    """None without a keeper, 0 while it has not said its pid yet.

    It holds its lock for life: a pid found under a free lock is a dead keeper's.
    """
    lock = Lock(state.root / "keeper.lock")
    if (claimed := lock.claim()) is not None:
        os.close(claimed)
        return None
    return int(lock.path.read_text() or 0)


def _start_keeper(state: State, *, durable: bool) -> subprocess.Popen[bytes]:
    with (state.logs / "keeper.log").open("ab") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "athena_dash.core.embedded.keeper",
                *(() if durable else ("--not-durable",)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=CHECKOUT,
            env={**os.environ, "ATHENA_DASH_STATE": str(state.root)},
            start_new_session=True,
        )


def _last_words(state: State) -> str:
    lines = [line for name in ("postgres", "valkey", "keeper") for line in _tail(state, name)]
    return f"The logs in {state.logs} end with:\n  " + "\n  ".join(lines)


def _tail(state: State, name: str) -> list[str]:
    log = state.logs / f"{name}.log"
    return log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
