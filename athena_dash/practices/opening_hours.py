"""A practice's policies → when it is open, in its own zone: when its feeds must be fresh, and calls are worth most.

Grace and deadlines of gaps do not follow these hours: they count whole business days (correlation.business_time).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from athena_dash.practices.models import Practice
from athena_dash.practices.policies import WEEKDAYS, policies_of

DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """`weekdays` as date.weekday() counts them; `closed` are single days."""

    opens: time
    closes: time
    weekdays: frozenset[int]
    closed: frozenset[date]
    zone: ZoneInfo

    def on(self, day: date) -> Span | None:
        """None on a day on which the practice does not open."""
        if day.weekday() not in self.weekdays or day in self.closed:
            return None
        return datetime.combine(day, self.opens, self.zone), datetime.combine(day, self.closes, self.zone)

    def is_open(self, at: datetime) -> bool:
        hours = self.on(at.astimezone(self.zone).date())
        return hours is not None and hours[0] <= at < hours[1]

    def open_between(self, since: datetime, until: datetime) -> timedelta:
        overlaps = (min(until, closes) - max(since, opens) for opens, closes in self.spans(since, until))
        return sum((max(timedelta(0), overlap) for overlap in overlaps), timedelta(0))

    def spans(self, since: datetime, until: datetime) -> Iterator[Span]:
        """Of each day touched on which it opens, whole."""
        day, last = since.astimezone(self.zone).date(), until.astimezone(self.zone).date()
        while day <= last:
            if hours := self.on(day):
                yield hours
            day += DAY

    def __str__(self) -> str:
        return f"{self.opens:%H:%M} to {self.closes:%H:%M} on {days_said(self.weekdays)}, {self.zone.key}"


def days_said(weekdays: Iterable[int]) -> str:
    """As people write them on a door: "Monday to Friday", else one by one."""
    days = sorted(weekdays)
    names = [tuple(WEEKDAYS.values())[day] for day in days]
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)


def opening_hours(practice: Practice) -> OpeningHours:
    policies = policies_of(practice)
    return OpeningHours(
        opens=time.fromisoformat(policies.value("opening.from")),
        closes=time.fromisoformat(policies.value("opening.to")),
        weekdays=frozenset(tuple(WEEKDAYS).index(day) for day in policies.value("opening.days")),
        closed=policies.closed_days,
        zone=ZoneInfo(practice.timezone),
    )
