"""Counts the calls of one run as the connector reports them: PHI-free numbers for the Run row."""

from __future__ import annotations

import threading

from athena_dash.sync.models import Run
from integrations.athena.calls import CallRecord


class Tally:
    """A connector CallObserver; fetching threads report into it, the committing thread takes from it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls = self.bytes = self.rate_limited = 0

    def on_call(self, record: CallRecord) -> None:
        with self.lock:
            self.calls += 1
            self.bytes += record.bytes
            self.rate_limited += record.status == 429

    def move_to(self, run: Run) -> None:
        """Add what was counted since the last move to the run's counters."""
        with self.lock:
            run.calls += self.calls
            run.bytes += self.bytes
            run.rate_limited += self.rate_limited
            self.calls = self.bytes = self.rate_limited = 0
