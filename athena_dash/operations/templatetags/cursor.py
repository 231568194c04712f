"""A feed's cursor in words: how far each of its marks says we have read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django import template
from django.utils.safestring import SafeString

from athena_dash.core.templatetags.ui import NOTHING, day, instant

register = template.Library()

MARKS = {
    "read_at": "Changes read to",
    "walked_at": "Windows read to",
    "covered_to": "Days covered to",
    "watched_at": "Subscription checked",
}


@register.filter
def marks(cursor: Mapping[str, str | bool | None]) -> list[tuple[str, SafeString | str]]:
    """What it is, and the instant or the day; of a drain that has begun and not ended, what becomes of it."""
    told: list[tuple[str, SafeString | str]] = [
        (MARKS.get(mark, mark), stands(at)) for mark, at in cursor.items() if not isinstance(at, bool)
    ]
    if cursor.get("reading"):
        told.append(("Last drain", "not ended: the next run asks for its answers again"))
    return told


def stands(at: str | None) -> SafeString | str:
    if not at:
        return NOTHING
    return instant(dt.datetime.fromisoformat(at)) if "T" in at else day(dt.date.fromisoformat(at))
