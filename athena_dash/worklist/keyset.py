"""Pages by the last row seen: rows that come and go never shift a page, and depth costs nothing."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OrderBy


@dataclass(frozen=True)
class Key:
    """One column of the order. Nulls stand where PostgreSQL puts them: first descending, last ascending."""

    name: str
    descending: bool
    parse: Callable[[Any], Any]

    def order(self) -> OrderBy:
        return F(self.name).desc() if self.descending else F(self.name).asc()

    def beyond(self, value: Any) -> Q:
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.descending else Q(pk__in=())
        if self.descending:
            return Q(**{f"{self.name}__lt": value})
        return Q(**{f"{self.name}__gt": value}) | Q(**{f"{self.name}__isnull": True})

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})


@dataclass(frozen=True)
class Page:
    """`next` is the cursor after the last row; empty on the last page."""

    rows: Sequence[Any]
    first: bool
    next: str

    @property
    def shown(self) -> int:
        return len(self.rows)


def take(queryset: QuerySet[Any], keys: Sequence[Key], cursor: str, size: int) -> Page:
    """The `size` rows after the cursor; an unreadable cursor starts from the top."""
    values = _decode(cursor, keys)
    ordered = in_order(queryset, keys)
    if values is not None:
        ordered = ordered.filter(after(keys, values))
    rows = list(ordered[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    return Page(rows, values is None, _encode(keys, rows[-1]) if more else "")


def in_order(queryset: QuerySet[Any], keys: Sequence[Key]) -> QuerySet[Any]:
    return queryset.order_by(*(key.order() for key in keys))


def after(keys: Sequence[Key], values: Sequence[Any]) -> Q:
    """Of the rows in the order of `keys`, those behind the one of these values."""
    key, value = keys[0], values[0]
    if len(keys) == 1:
        return key.beyond(value)
    tied = key.same(value) & after(keys[1:], values[1:])
    behind = key.beyond(value) | tied
    # Implied by the rest, but PostgreSQL can start the index at it.
    return behind & Q(**{f"{key.name}__lte": value}) if key.descending and value is not None else behind


def _encode(keys: Sequence[Key], row: Any) -> str:
    values = [getattr(row, key.name) for key in keys]
    text = json.dumps([v if v is None or isinstance(v, bool | int) else str(v) for v in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[Key]) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [None if v is None else key.parse(v) for key, v in zip(keys, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, InvalidOperation):
        return None


def parse_date(value: Any) -> dt.date:
    return dt.date.fromisoformat(value)


def parse_amount(value: Any) -> Decimal:
    amount = Decimal(value)
    if not amount.is_finite():
        raise InvalidOperation
    return amount


def parse_id(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError("not a row id")
    return value
