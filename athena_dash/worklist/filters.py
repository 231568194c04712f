"""The query string of the worklist into frozen Filters, and back. What cannot be read is left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.http import QueryDict

E = TypeVar("E", bound=StrEnum)


class Stage(StrEnum):
    HALF = "half"
    COMPLETE = "complete"
    ALL = "all"


class Desk(StrEnum):
    """Whose: everybody's, mine, nobody's; or those that sleep, snoozed or worked, which are hidden otherwise."""

    ANY = ""
    MINE = "mine"
    UNASSIGNED = "unassigned"
    SNOOZED = "snoozed"
    WORKED = "worked"


class Sort(StrEnum):
    RISK = "risk"
    OLDEST = "oldest"
    NEWEST = "newest"


# Filters with several values; "riverside:71" where an id means something only inside its practice.
MANY = ("practice", "code", "owner", "verdict", "payer", "provider", "department")


@dataclass(frozen=True, kw_only=True)
class Filters:
    stage: Stage = Stage.HALF
    desk: Desk = Desk.ANY
    sort: Sort | None = None  # None: the stage's own
    practice: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    payer: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    start: dt.date | None = None  # of service
    end: dt.date | None = None
    least: Decimal | None = None  # dollars at risk
    limit: int | None = None  # days to the filing limit at most
    passed: bool = False  # the filing limit has passed
    limit_on: dt.date | None = None
    overdue: bool = False  # past the owner's due time
    opened: dt.date | None = None  # gap opened on or after
    closed: dt.date | None = None  # a gap closed on or after
    cause: str = ""  # key of a root cause (worklist.causes)
    found: str = ""  # token of a search

    @property
    def order(self) -> Sort:
        return self.sort or (Sort.RISK if self.stage is Stage.HALF else Sort.NEWEST)

    def values(self, name: str) -> tuple[str, ...]:
        chosen: tuple[str, ...] = getattr(self, name)
        return chosen

    def toggled(self, name: str, value: str) -> Filters:
        chosen = self.values(name)
        changed = tuple(v for v in chosen if v != value) if value in chosen else (*chosen, value)
        return self.but(**{name: changed})

    def toggled_desk(self, desk: Desk) -> Filters:
        return self.but(desk=Desk.ANY if self.desk is desk else desk)

    def but(self, **changes: Any) -> Filters:
        return replace(self, **changes)

    def narrowed(self) -> bool:
        """Whether anything but stage and order is set."""
        return self != Filters(stage=self.stage, sort=self.sort)

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Defaults left out, order fixed: one way to write the same filters."""
        pairs: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default or field.name in without:
                continue
            values = value if isinstance(value, tuple) else ("1" if value is True else value,)
            pairs += [(field.name, str(v)) for v in values]
        return pairs

    def query(self) -> str:
        return "?" + urlencode(self.pairs())

    @property
    def untyped(self) -> list[tuple[str, str]]:
        """What the form of typed filters must carry along."""
        return self.pairs("start", "end", "least")


def read_filters(query: QueryDict) -> Filters:
    return Filters(
        stage=_choice(Stage, query.get("stage")) or Stage.HALF,
        desk=_choice(Desk, query.get("desk")) or Desk.ANY,
        sort=_choice(Sort, query.get("sort")),
        start=_date(query.get("start")),
        end=_date(query.get("end")),
        least=_amount(query.get("least")),
        limit=_days(query.get("limit")),
        passed=query.get("passed") == "1",
        limit_on=_date(query.get("limit_on")),
        overdue=query.get("overdue") == "1",
        opened=_date(query.get("opened")),
        closed=_date(query.get("closed")),
        cause=_text(query.get("cause", ""))[:200],
        found=query.get("found", "")[:64],
        **{name: tuple(dict.fromkeys(_text(v) for v in query.getlist(name) if v)) for name in MANY},
    )


def _text(value: str) -> str:
    return value.replace("\x00", "")  # PostgreSQL text cannot hold it


def _choice(kind: type[E], value: str | None) -> E | None:
    return kind(value) if value in {member.value for member in kind} else None


def _date(value: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value or "")
    except ValueError:
        return None


def _amount(value: str | None) -> Decimal | None:
    try:
        amount = Decimal(value or "")
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < Decimal("1e9") else None


def _days(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 5 else None
