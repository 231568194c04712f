"""The synthetic athenahealth in a process of its own, unhurried; imports no Django, so that the process
starts bare."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from integrations.sandbox.server import Preset, serve

STARTUP_SECONDS = 60.0

# As fast as it can: what is measured is what we conclude, not athena's rate limits.
UNHURRIED = Preset(
    name="evaluation",
    tokens_per_minute=1_000,
    calls_per_second=100_000,
    calls_per_day=100_000_000,
    activation_lag=timedelta(0),
)


@contextmanager
def sandbox(state: Path) -> Iterator[str]:
    """The synthetic athenahealth in a process of its own; yields where it answers."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve_sandbox, args=(state, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(STARTUP_SECONDS):
            raise TimeoutError("the sandbox did not answer")
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def serve_sandbox(state: Path, pipe: Pipe) -> None:
    serve(state, preset=UNHURRIED, ready=pipe.send)
