"""Counts calls in fixed windows of real time: token calls a minute, calls a second, calls a day.

Real time even when the sandbox's own clock is frozen: a limit protects a server, not a calendar.
The day turns at midnight GMT (athena-api.md 2.0).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

MINUTE, DAY = 60, 86_400


@dataclass(frozen=True)
class Budget:
    limit: int
    remaining: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        return {"x-ratelimit-limit": str(self.limit), "x-ratelimit-remaining": str(self.remaining)}


class Windows:
    """`spend(subject, seconds, limit)` counts one call of a subject in the running window of that length."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self.ticks = ticks
        self.lock = threading.Lock()
        self.counts: dict[tuple[str, int], tuple[int, int]] = {}

    def spend(self, subject: str, seconds: int, limit: int) -> Budget:
        window = int(self.ticks() // seconds)
        with self.lock:
            started, used = self.counts.get((subject, seconds), (window, 0))
            used = used + 1 if started == window else 1
            self.counts[subject, seconds] = (window, used)
        return Budget(limit, max(limit - used, 0), used > limit)
