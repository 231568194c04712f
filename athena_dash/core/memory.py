"""How a worker's process keeps the memory it has freed."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # mallopt(3)
ROOM = 64 << 20  # bytes that stay with the process
LARGEST = 32 << 20  # glibc accepts no more


def keep_freed_memory() -> None:
    """A page of records is some megabytes, and more while it is landed. glibc hands back what is freed at once, and the
    kernel zeroes it for the next page: half of a worker's page faults in a first load, which are 2 % of the load's CPU
    where the machine has had the memory lately, 6 % where its host must find it again. Elsewhere than on glibc nothing
    happens."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)  # each arena keeps its own; threads that fetch take turns anyway
        mallopt(M_TRIM_THRESHOLD, ROOM)
        mallopt(M_MMAP_THRESHOLD, LARGEST)
