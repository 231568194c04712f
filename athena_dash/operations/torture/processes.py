"""Processes by pid: who is whose child, and signals to them. Linux, as the subreaper that catches orphans is."""

from __future__ import annotations

import ctypes
import os
import signal
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From here on a job whose worker was killed becomes a child of this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # "pid (name) state ppid …", and a name may hold spaces and brackets
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


def send(pid: int, number: signal.Signals) -> int:
    """1 when there was such a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return 1
    return 0


def end(pid: int) -> None:
    """A child of ours, whatever it is doing."""
    send(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)
