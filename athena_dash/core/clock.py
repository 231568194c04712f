"""The only reader of the time: now, today in a zone, both held still for tests and for evaluation, and both taken from
another clock in a world that has its own (operations.torture)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# Of the process, not of the thread: an evaluation reads through a thread pool and must see one instant.
_frozen_at: datetime | None = None


def machine() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = machine


def now() -> datetime:
    return _frozen_at or _read()


def follow(clock: Callable[[], datetime]) -> None:
    """From here on this process lives by that clock: aware instants that never go back."""
    global _read
    _read = clock


def today(zone: ZoneInfo) -> date:
    """The business date there. Every department has a zone; there is no default one to be wrong with."""
    return now().astimezone(zone).date()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    global _frozen_at
    if at.tzinfo is None:
        raise ValueError("the clock can only be frozen at an aware instant")
    before, _frozen_at = _frozen_at, at.astimezone(UTC)
    try:
        yield
    finally:
        _frozen_at = before
