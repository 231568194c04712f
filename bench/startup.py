"""Seconds until PostgreSQL and Valkey answer: on an empty state directory, again, and after kill -9.

The baseline is the best of the trial that chose them (docs/adr/0001): 0.6 s for initdb and 0.1 s for a start.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from athena_dash.core.embedded.attach import attach, keeper_pid, stop_keeper
from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import State

BASELINE = {"cold": 0.7, "warm": 0.1, "after_kill": 0.6}


def run() -> Iterator[dict[str, object]]:
    root = Path(tempfile.mkdtemp(prefix="athena-dash-bench-"))
    root.chmod(0o711)
    os.environ["ATHENA_DASH_STATE"] = str(root)
    os.environ.pop("DATABASE_URL", None)
    state = State(root)
    try:
        with used() as seconds:
            yield figure("cold", seconds)
        stop_keeper(state)
        with used() as seconds:
            yield figure("warm", seconds)
            for pid in (keeper_pid(state), int(Postgres(state).pid_file.read_text().split()[0])):
                if pid:
                    os.kill(pid, signal.SIGKILL)
        with used() as seconds:
            yield figure("after_kill", seconds)
    finally:
        stop_keeper(state)
        shutil.rmtree(root)


@contextmanager
def used() -> Iterator[float]:
    """Seconds it took; the services stay up inside the block."""
    began = time.perf_counter()
    in_use = attach()
    try:
        yield time.perf_counter() - began
    finally:
        if in_use is not None:
            os.close(in_use)


def figure(case: str, seconds: float) -> dict[str, object]:
    baseline = BASELINE[case]
    return {
        "case": case,
        "seconds": round(seconds, 2),
        "baseline": baseline,
        "ratio": round(seconds / baseline, 1),
    }
