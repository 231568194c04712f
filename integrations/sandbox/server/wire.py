"""Turns instants, days, money and ids into what athenaOne v1 puts on the wire.

v1 stamps carry no zone. Server stamps (scheduled, modified, cancelled, processed) are Eastern; what the desk
does (check-in, check-out, exam) is local to the department. athena documents only showprocessed* as Eastern.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")


def us_day(day: date) -> str:
    return day.strftime("%m/%d/%Y")


def us_stamp(at: datetime, zone: ZoneInfo = EASTERN) -> str:
    return at.astimezone(zone).strftime("%m/%d/%Y %H:%M:%S")


def money_text(amount: Decimal) -> str:
    """`225`, `42.71`, `.01`: whole dollars bare, no leading zero (real claim, quality code G8553)."""
    text = f"{amount.normalize():f}" if amount == amount.to_integral_value() else f"{amount:.2f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def money_number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def number(id: str) -> int | str:
    """An id where this endpoint drifts to numbers; an id that is none stays text."""
    return int(id) if id.isascii() and id.isdigit() else id


def present(**fields: object) -> dict[str, object]:
    """A JSON object of the fields that have a value: v1 omits what is missing."""
    return {name: value for name, value in fields.items() if value is not None}
