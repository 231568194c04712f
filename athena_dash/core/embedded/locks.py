"""Who runs and who uses the services of a state directory, as file locks: the kernel frees a dead one's."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lock:
    path: Path

    def share(self) -> int:
        """Waits for it. The descriptor is the lock: held until closed here and in every forked child."""
        descriptor = self._open()
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def claim(self) -> int | None:
        """Exclusively and at once, or not at all."""
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def _open(self) -> int:
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
