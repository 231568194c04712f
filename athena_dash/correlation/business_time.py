"""Hours of business days in a department's zone: when a grace that began at an instant runs out.

A business day counts all its 24 hours; Saturdays, Sundays and the practice's closed days count none. So 24 h
after Friday 15:00 is Monday 15:00, and no grace ever ends on a weekend (revenue-cycle.md §2.0, Clock).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SATURDAY = 5
DAYS = 10_000  # that many (day, zone) are remembered: visits share their days


def is_business_day(day: date, closed: Collection[date] = ()) -> bool:
    return day.weekday() < SATURDAY and day not in closed


def next_business_day(day: date, closed: Collection[date] = ()) -> date:
    day += timedelta(days=1)
    while not is_business_day(day, closed):
        day += timedelta(days=1)
    return day


def add_business_hours(
    since: datetime, hours: float, zone: ZoneInfo, closed: Collection[date] = ()
) -> datetime:
    """The instant (UTC) at which `hours` of business days have passed since `since`."""
    local = since.astimezone(zone)
    day, minutes = local.date(), local.hour * 60 + local.minute
    if not is_business_day(day, closed):
        day, minutes = next_business_day(day, closed), 0
    days, rest = divmod(hours, 24)
    moment = minutes + rest * 60
    if moment >= 24 * 60:
        days, moment = days + 1, moment - 24 * 60
    day = business_days_later(day, int(days), frozenset(closed))
    return (start_of_day(day, zone) + timedelta(minutes=moment)).astimezone(UTC)


@lru_cache(DAYS)
def business_days_later(day: date, days: int, closed: frozenset[date]) -> date:
    for _ in range(days):
        day = next_business_day(day, closed)
    return day


@lru_cache(DAYS)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


@lru_cache(DAYS)
def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Midnight that ends the local day, as UTC."""
    return start_of_day(day + timedelta(days=1), zone).astimezone(UTC)


@lru_cache(DAYS)
def close_of_business(day: date, zone: ZoneInfo) -> datetime:
    """18:00: when an event of which athena tells only the date is taken to have happened, at the latest."""
    return datetime.combine(day, time(18), zone).astimezone(UTC)
