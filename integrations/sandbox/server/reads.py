"""Typed reads of the store for the server: a Filter in, structs out. Holds the server's SQL for things.

Filters name index columns of `thing`, or a field of its document as `$.name`; values are always bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TypeVar

import msgspec

from integrations.sandbox.store import Store, stamp
from integrations.sandbox.world import KINDS, Thing

T = TypeVar("T", bound=Thing)
Bound = date | str | None  # a datetime is a date
NAMES = {struct: kind for kind, struct in KINDS.items()}
# Best first. Without statistics SQLite walks a whole kind by the primary key: 5 ms instead of 0.05 ms a search.
INDEXES = {
    "parent_id": "thing_parent",
    "patient_id": "thing_patient",
    "day": "thing_day",
    "created": "thing_created",
    "modified": "thing_modified",
}
BOUND_AT_ONCE = 500  # SQLite's oldest limit on bound values is 999


class Filter:
    """`Filter().equal("patient_id", "7").between("day", "2026-01-01", None)`; None leaves a side open."""

    def __init__(self) -> None:
        self.clauses: list[str] = []
        self.args: list[object] = []
        self.columns: set[str] = set()

    def equal(self, column: str, value: object | None) -> Filter:
        return self if value is None else self.among(column, [value])

    def among(self, column: str, values: Sequence[object]) -> Filter:
        """No values means no restriction, as an absent parameter does."""
        if values:
            self.columns.add(column)
            self.clauses.append(f"{expression(column)} in ({','.join('?' * len(values))})")
            self.args.extend(values)
        return self

    def between(self, column: str, low: Bound, high: Bound) -> Filter:
        """Both ends included."""
        return self.compare(column, ">=", low).compare(column, "<=", high)

    def compare(self, column: str, operator: str, bound: Bound) -> Filter:
        if bound is not None:
            self.columns.add(column)
            self.clauses.append(f"{expression(column)} {operator} ?")
            self.args.append(bound_text(bound))
        return self

    def matching(self, sql: str, *args: object) -> Filter:
        """A clause written out by the caller: never with a client's text in it."""
        self.clauses.append(f"({sql})")
        self.args.extend(args)
        return self

    @property
    def sql(self) -> str:
        return " and ".join(self.clauses) or "1"

    @property
    def source(self) -> str:
        return next((indexed(column) for column in INDEXES if column in self.columns), "thing")


def indexed(column: str) -> str:
    return f"thing indexed by {INDEXES[column]}" if column in INDEXES else "thing"


def bound_text(bound: date | str) -> str:
    """As the store writes them, so that they compare as text: instants in UTC."""
    if isinstance(bound, datetime):
        return stamp(bound.astimezone(UTC))
    return bound.isoformat() if isinstance(bound, date) else bound


def expression(column: str) -> str:
    """`$.status` reads the document; omitted defaults are null there."""
    return f"json_extract(cast(doc as text), '{column}')" if column.startswith("$.") else column


def count(store: Store, practice: str, struct: type[T], where: Filter) -> int:
    sql = f"select count(*) from {where.source} where practice=? and kind=? and {where.sql}"  # noqa: S608
    total: int = store.db.execute(sql, (practice, NAMES[struct], *where.args)).fetchone()[0]
    return total


def page(
    store: Store, practice: str, struct: type[T], where: Filter, *, limit: int = -1, offset: int = 0
) -> list[T]:
    """Structs in id order; SQLite reads limit -1 as no limit."""
    sql = (
        f"select doc from {where.source} where practice=? and kind=? and {where.sql}"  # noqa: S608
        " order by cast(id as integer), id limit ? offset ?"
    )
    rows = store.db.execute(sql, (practice, NAMES[struct], *where.args, limit, offset))
    return [msgspec.json.decode(doc, type=struct) for (doc,) in rows]


def one(store: Store, practice: str, struct: type[T], id: str) -> T | None:
    found = store.get(practice, NAMES[struct], id)
    return found if isinstance(found, struct) else None


def many(
    store: Store, practice: str, struct: type[T], ids: Iterable[str | None], by: str = "id"
) -> dict[str, list[T]]:
    """Structs by the value of one column, for joining a page with its neighbours in a few queries."""
    wanted = sorted({id for id in ids if id})
    found: dict[str, list[T]] = {}
    for start in range(0, len(wanted), BOUND_AT_ONCE):
        chunk = wanted[start : start + BOUND_AT_ONCE]
        sql = (
            f"select {by}, doc from {indexed(by)} where practice=? and kind=?"  # noqa: S608
            f" and {by} in ({','.join('?' * len(chunk))}) order by cast(id as integer), id"
        )
        for key, doc in store.db.execute(sql, (practice, NAMES[struct], *chunk)):
            found.setdefault(key, []).append(msgspec.json.decode(doc, type=struct))
    return found


def by_id(store: Store, practice: str, struct: type[T], ids: Iterable[str | None]) -> dict[str, T]:
    return {id: things[0] for id, things in many(store, practice, struct, ids).items()}
