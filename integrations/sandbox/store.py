"""Keeps the synthetic athenahealth in one SQLite file (WAL, synchronous=FULL): it survives kill -9 at any instant.

One row per thing, its struct as JSON, plus the few columns the server filters and sorts by. Writing a thing also
appends one `change` row per subscribed feed in the same transaction, so that a changed feed never misses a commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType

import msgspec

from integrations.sandbox.world import KINDS, Thing

SCHEMA = """
create table if not exists thing (
    practice text not null, kind text not null, id text not null,
    patient_id text, department_id text, parent_id text, day text, created text, modified text not null,
    doc blob not null,
    primary key (practice, kind, id)
) without rowid;
create index if not exists thing_patient on thing (practice, kind, patient_id);
create index if not exists thing_day on thing (practice, kind, day);
create index if not exists thing_created on thing (practice, kind, created);
create index if not exists thing_parent on thing (practice, kind, parent_id);
create index if not exists thing_modified on thing (practice, kind, modified);
create table if not exists change (
    seq integer primary key autoincrement,
    practice text not null, feed text not null, id text not null, event text not null, at text not null
);
create index if not exists change_feed on change (practice, feed, seq);
create table if not exists read_mark (
    api_key text not null, seq integer not null, read_at text not null, primary key (api_key, seq)
) without rowid;
create table if not exists setting (name text primary key, value blob not null) without rowid;
create table if not exists truth (
    practice text not null, kind text not null, id text not null, visit text, doc blob not null,
    primary key (practice, kind, id)
) without rowid;
create table if not exists pending (
    seq integer primary key autoincrement, at text not null, practice text not null, doc blob not null
);
create index if not exists pending_due on pending (at, seq);
"""

PARENTS = {"service": "encounter_id", "claim": "appointment_id", "encounter": "appointment_id"}


class Store:
    """`with Store(path) as store:` one connection per thread; writes happen inside `with store.transaction():`."""

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(str(path), isolation_level=None, timeout=30, check_same_thread=False)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=full")
        self.db.executescript(SCHEMA)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.db.close()

    def transaction(self) -> Transaction:
        return Transaction(self.db)

    def put(self, practice: str, kind: str, things: Iterable[Thing], *, event: str | None = None) -> None:
        """Insert or replace things; with `event`, also append it to the change feed of that kind."""
        rows, changes = [], []
        for thing in things:
            rows.append((practice, kind, thing.id, *index_columns(kind, thing), msgspec.json.encode(thing)))
            if event:
                changes.append((practice, f"{kind}s", thing.id, event, stamp(thing.modified)))
        self.db.executemany("insert or replace into thing values (?,?,?,?,?,?,?,?,?,?)", rows)
        self.db.executemany("insert into change (practice, feed, id, event, at) values (?,?,?,?,?)", changes)

    def get(self, practice: str, kind: str, id: str) -> Thing | None:
        row = self.db.execute(
            "select doc from thing where practice=? and kind=? and id=?", (practice, kind, id)
        ).fetchone()
        return None if row is None else read(kind, row[0])

    def find(
        self, practice: str, kind: str, where: str = "1", args: tuple[object, ...] = ()
    ) -> Iterator[Thing]:
        """Things in id order; `where` is SQL of this package's own making, never of a client's."""
        sql = f"select doc from thing where practice=? and kind=? and ({where}) order by cast(id as integer), id"  # noqa: S608
        for (doc,) in self.db.execute(sql, (practice, kind, *args)):
            yield read(kind, doc)

    def setting(self, name: str) -> bytes | None:
        row = self.db.execute("select value from setting where name=?", (name,)).fetchone()
        return None if row is None else row[0]

    def set(self, name: str, value: bytes) -> None:
        self.db.execute("insert or replace into setting values (?,?)", (name, value))


class Transaction:
    """An immediate SQLite transaction: all of it reaches the disk or none."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def __enter__(self) -> None:
        self.db.execute("begin immediate")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.db.execute("rollback" if error else "commit")


def read(kind: str, doc: bytes) -> Thing:
    return msgspec.json.decode(doc, type=KINDS[kind])


def stamp(at: datetime) -> str:
    return at.isoformat()


def index_columns(
    kind: str, thing: Thing
) -> tuple[str | None, str | None, str | None, str | None, str | None, str]:
    day = getattr(thing, "day", None) or getattr(thing, "service_day", None)
    created = getattr(thing, "created_at", None) or getattr(thing, "scheduled_at", None)
    return (
        getattr(thing, "patient_id", None),
        getattr(thing, "department_id", None),
        getattr(thing, PARENTS.get(kind, ""), None),
        day.isoformat() if day else None,
        stamp(created) if created else None,
        stamp(thing.modified),
    )
