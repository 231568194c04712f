"""The world's time: one clock for the sandbox and for us, `pace` times as fast as the machine's, and able to leap.

Leases, retries and feeds take minutes, and a torture run has few; a clinic has hours, and a measurement begins at any.
Kept in a file, because many processes live by it.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class WorldTime:
    file: Path

    def begin(self, at: datetime, pace: float) -> None:
        # Monotonic time is the machine's on Linux, hence the same in every process.
        said = json.dumps([time.monotonic(), at.isoformat(), pace])
        draft = self.file.with_suffix(".new")
        draft.write_text(said)
        draft.replace(self.file)

    def now(self) -> datetime:
        began, at, pace = json.loads(self.file.read_bytes())
        return datetime.fromisoformat(at) + timedelta(seconds=(time.monotonic() - began) * pace)

    @property
    def pace(self) -> float:
        return float(json.loads(self.file.read_bytes())[2])

    def leap(self, to: datetime) -> None:
        """Nothing happens until then. Never back."""
        self.begin(max(to, self.now()), self.pace)
