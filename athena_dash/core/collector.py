"""Bulk work without Python's cycle collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collector() -> Iterator[None]:
    """For work on many objects that refer to nothing that refers back: looking for cycles among them costs as much as
    loading them, and a tenth of keeping and landing them. What cycles come up meanwhile is found after it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
