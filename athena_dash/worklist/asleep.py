"""Which visits the worklist leaves out for now: those snoozed, and those worked, until they must come back."""

from __future__ import annotations

import datetime as dt

from django.db.models import F, Q


def asleep(now: dt.datetime, work: str = "work__", gap: str = "open_gap__") -> Q:
    """A snoozed visit sleeps till its day. A worked one sleeps only for the gap that was open then: another one that
    opens after it brings the visit back at once."""
    return Q(**{f"{work}snoozed_until__gt": now}) & (
        Q(**{f"{work}worked_at__isnull": True}) | Q(**{f"{gap}opened_at__lte": F(f"{work}worked_at")})
    )


def awake(now: dt.datetime, work: str = "work__", gap: str = "open_gap__") -> Q:
    """The opposite, spelt out: in SQL the negation of an unknown is unknown."""
    fixed = Q(**{f"{work}worked_at__isnull": False}) & (
        Q(**{f"{gap}opened_at__isnull": True}) | Q(**{f"{gap}opened_at__gt": F(f"{work}worked_at")})
    )
    return Q(**{f"{work}snoozed_until__isnull": True}) | Q(**{f"{work}snoozed_until__lte": now}) | fixed
