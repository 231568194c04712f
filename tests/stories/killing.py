"""Processes that are killed with -9 in the middle of their work, and what they left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections


@dataclass(frozen=True)
class End:
    killed: bool
    seconds: float


def run_and_kill(work: Callable[[], None], after: float) -> End:
    """`work` in a process of its own, killed that many seconds later unless it has ended by then.

    Forked, as RQ forks for each job: no interpreter to start, so the kill falls into the work.
    """
    connections.close_all()  # a child must not speak through its parent's socket
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 1
        # A browser test leaves an event loop running, and Django keeps connections per loop, which a child is not in:
        # it would find one of its parent's from before, and PostgreSQL would not notice its death.
        for connection in connections.all(initialized_only=True):
            connection.connection = None
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    while time.monotonic() - began < after:
        if os.waitpid(child, os.WNOHANG)[0]:
            return End(killed=False, seconds=time.monotonic() - began)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return End(killed=True, seconds=time.monotonic() - began)
