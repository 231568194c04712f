"""Writes Python values the way v1 parameters want them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from .values import EASTERN

Parameter = str | int | bool | date | Sequence[str]
_PATH_SAFE = re.compile(r"-?[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_EASTERN_FORMAT = "%m/%d/%Y %H:%M:%S"


def parameter(value: Parameter) -> str:
    """Booleans as words, dates as MM/DD/YYYY, several values comma-separated."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        raise TypeError("a datetime has no one v1 spelling; use processed_window or format it")
    if isinstance(value, date):
        return value.strftime("%m/%d/%Y")
    if isinstance(value, str | int):
        return str(value)
    return ",".join(value)


def filled(template: str, ids: Mapping[str, str]) -> str:
    """The template with its ids; refuses whatever could change the path, such as `../`."""
    for name, value in ids.items():
        if not _PATH_SAFE.fullmatch(value):
            raise ValueError(f"{name} is not an id")
    return template.format_map(ids)


def processed_window(start: datetime, end: datetime) -> dict[str, str]:
    """`showprocessed*` in Eastern wall-clock time, never narrower than asked.

    In the hour that repeats in autumn the text cannot say which one is meant, so the window then opens
    before both and closes after both.
    """
    first = start.astimezone(EASTERN)
    last = end.astimezone(EASTERN)
    if last.microsecond:
        last = (end + timedelta(seconds=1)).astimezone(EASTERN)
    hour = timedelta(hours=1)
    return {
        "showprocessedstartdatetime": (first - hour if _repeats(first) else first).strftime(_EASTERN_FORMAT),
        "showprocessedenddatetime": (last + hour if _repeats(last) else last).strftime(_EASTERN_FORMAT),
    }


def _repeats(wall: datetime) -> bool:
    return wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
