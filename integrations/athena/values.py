"""Reads single v1 values, whichever way athenahealth spells them today, into Python values.

Each reader takes what JSON gave and returns the value, None for "nothing" (null, ""), or raises a ValueError
that never repeats the value. Numbers and booleans may come as strings or not (athena-api.md §2.0).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NewType
from zoneinfo import ZoneInfo

AthenaId = NewType("AthenaId", str)
"""An id as athenahealth counts them: unique per practice and kind, never a number."""

EASTERN = ZoneInfo("America/New_York")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = _EPOCH.replace(tzinfo=None)

_ID = re.compile(r"-?[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MONEY = re.compile(r"[-+]?(?:\d{1,12}(?:\.\d{0,6})?|\.\d{1,6})", re.ASCII)
_WHOLE = re.compile(r"[-+]?\d{1,15}", re.ASCII)
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_YES = frozenset({"true", "y", "yes", "on", "1"})
_NO = frozenset({"false", "n", "no", "off", "0"})
_UNDEFINED = "undef"  # Perl's null, seen in claim notes


def athena_id(value: object) -> AthenaId | None:
    """`"0"` and `0` mean nobody (self-pay claims carry primarypatientinsuranceid "0")."""
    # Nearly every id ends here, and calling AthenaId is not free.
    if type(value) is str and value.isalnum() and value.isascii() and len(value) <= 64:
        return value if value != "0" else None  # type: ignore[return-value]
    if type(value) is int and 0 <= value <= 10**18:
        return str(value) if value else None  # type: ignore[return-value]
    if isinstance(value, float):
        raise ValueError("is not an id")
    written = _plain(value, "an id")
    if written in ("", "0"):
        return None
    if not _ID.fullmatch(written):
        raise ValueError("is not an id")
    return AthenaId(written)


def text(value: object) -> str | None:
    """Free text and codes. PostgreSQL keeps neither NUL nor half a surrogate pair."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise ValueError("is not text")
    written = str(value)
    if found := _UNSTORABLE.search(written):
        raise ValueError("holds a NUL character" if found.group() == "\x00" else "holds broken Unicode")
    return written or None


def money(value: object) -> Decimal | None:
    """Dollars: `".01"`, `42.71`, `"225"`, `"-25.15"`, `0`."""
    written = _plain(value, "an amount")
    if not written:
        return None
    if not _MONEY.fullmatch(written):
        raise ValueError("is not an amount")
    return +Decimal(written)  # plus: 0 for -0


def whole(value: object) -> int | None:
    written = _plain(value, "a whole number").removesuffix(".0")
    if not written:
        return None
    if not _WHOLE.fullmatch(written):
        raise ValueError("is not a whole number")
    return int(written)


def flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    written = _plain(value, "yes or no").lower()
    if written in ("", _UNDEFINED):
        return None
    if written in _YES:
        return True
    if written in _NO:
        return False
    raise ValueError("is neither yes nor no")


def us_date(value: object) -> date | None:
    """`MM/DD/YYYY`."""
    written = _plain(value, "a date")
    if not written:
        return None
    if (parts := _DATE.fullmatch(written)) is None:
        raise ValueError("is not a date like MM/DD/YYYY")
    month, day, year = (int(part) for part in parts.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def us_datetime(value: object) -> datetime | None:
    """`MM/DD/YYYY HH:MM[:SS]` as wall-clock time, without a zone because athenahealth sends none.

    A bare date stands for its midnight: `lastmodified` of some records has no time (athena-api.md §6.9).
    """
    written = _plain(value, "a date and time")
    if not written:
        return None
    day, _, clock = written.partition(" ")
    at_day = us_date(day)
    at_time = clock_time(clock)
    if at_day is None:
        raise ValueError("has a time without a date")
    return datetime.combine(at_day, at_time or time())


def clock_time(value: object) -> time | None:
    """`HH:MM[:SS]`, 24 hours."""
    written = _plain(value, "a time")
    if not written:
        return None
    if (parts := _TIME.fullmatch(written)) is None:
        raise ValueError("is not a time like HH:MM")
    hour, minute, second = (int(part or 0) for part in parts.groups())
    try:
        return time(hour, minute, second)
    except ValueError:
        raise ValueError("is no time of the day") from None


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a wall-clock time: the first of an hour that repeats; an hour later in a DST gap."""
    offset = zone.utcoffset(wall.replace(fold=0) if wall.fold else wall) or timedelta()
    # a quarter of the time of replace(tzinfo=…).astimezone(UTC)
    return _EPOCH + (wall - _WALL_EPOCH - offset)


def _plain(value: object, wanted: str) -> str:
    """The value as stripped text, "" for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"is not {wanted}")
    if isinstance(value, int) and abs(value) > 10**18:
        raise ValueError(f"is too large for {wanted}")  # also spares str() its limit of 4300 digits
    return str(value).strip()
