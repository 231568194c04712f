"""CPU and memory of processes, read from the kernel."""

from __future__ import annotations

import os
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def own_cpu() -> float:
    return time.process_time()


def backend_cpu(pid: int) -> float:
    """Seconds of user and system time another process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def family_cpu(pid: int) -> float:
    """Seconds of another process, of its children that live, and of those it has seen end."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    try:
        living = sum(map(backend_cpu, map(int, children)))
    except (FileNotFoundError, ProcessLookupError):  # one ended meanwhile, and its parent has seen it
        return family_cpu(pid)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK + living


def peak_rss_mb(pid: int | str = "self") -> int:
    """The most this process ever held at once."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1024)
