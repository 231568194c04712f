"""Office time: local opening hours as UTC instants, and the next moment at which a person can act."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

OPEN = time(8, 0)
CLOSE = time(17, 0)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def is_open(at: datetime, zone: ZoneInfo) -> bool:
    local = at.astimezone(zone)
    return local.weekday() < 5 and OPEN <= local.time() < CLOSE


def staffed(at: datetime, zone: ZoneInfo, rng: Random) -> datetime:
    """`at`, or some minutes after the office next opens. Staff stay an hour after closing."""
    local = at.astimezone(zone)
    if local.weekday() < 5 and time(7, 30) <= local.time() < time(18, 0):
        return at
    day = local.date() if local.time() < OPEN else local.date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return instant(day, OPEN, zone) + timedelta(seconds=rng.randrange(5 * 60, 120 * 60))


def night_batch(at: datetime, zone: ZoneInfo) -> datetime:
    """The claim batch leaves, and payers' money arrives, early in the next weekday's morning."""
    day = local_day(at, zone) + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return instant(day, time(2, 15), zone)
