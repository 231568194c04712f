"""State directories of test runs that were killed: the next run takes them away."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from athena_dash.core.embedded.locks import Lock
from athena_dash.core.embedded.state import State

OLD = 3600  # seconds: a run makes its directory a moment before it takes the lock


def remove_leftovers(prefix: str) -> None:
    for root in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(FileNotFoundError):  # another run that starts now is quicker
            remove_if_dead(root)


def remove_if_dead(root: Path) -> None:
    """Of this user only, and only what nobody uses: whoever lives holds the lock."""
    found, in_use = root.lstat(), root / "in-use.lock"
    if found.st_uid != os.geteuid() or time.time() - found.st_mtime < OLD or not in_use.exists():
        return
    if (claimed := Lock(in_use).claim()) is not None:
        State(root).forget_sockets()
        shutil.rmtree(root, ignore_errors=True)
        os.close(claimed)
