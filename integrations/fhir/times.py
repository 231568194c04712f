"""Reads FHIR date, dateTime and instant: a date when the day is all that is known, else a UTC datetime.

One bundle of athenahealth mixes `Z` and `-04:00` (athena-api.md §3).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_MOMENT = re.compile(
    r"\d\d\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def read_when(text: str | None) -> date | datetime | None:
    """A year or a month alone stands for its first day. ValueError never repeats the text."""
    if not text:
        return None
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError("is no moment of the calendar") from None
    day = _DAY.fullmatch(text)
    if day is None:
        raise ValueError("is not a FHIR date or time")
    try:
        return date(int(day[1]), int(day[2] or 1), int(day[3] or 1))
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def read_instant(text: str | None) -> datetime | None:
    """The same for an element that promises a time of day; None when only a day is known."""
    when = read_when(text)
    return when if isinstance(when, datetime) else None
