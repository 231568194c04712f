"""The ground truth of a synthetic practice as JSON lines: each record's true visit, the cause of every gap.

Written down by the simulation when each thing happens, never computed afterwards from the records. A cause
lasts as long as its condition did, however briefly: it knows no grace and no threshold of any rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from integrations.sandbox.store import Store


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: what was generated, and the instant at which the rest was true."""

    as_of: datetime
    seed: int
    visits: int
    profile: str


class RecordRef(msgspec.Struct, frozen=True):
    kind: str
    id: str


class Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="record"):
    """Where one record truly belongs.

    `visit` is None when it belongs to no visit at all. `linkable` is False where no evidence a client can see
    tells which visit it is; `reason` says why (or why a linkable record carries no id). `hidden`: a noise
    profile took its natural id away.
    """

    practice: str
    kind: str  # appointment | encounter | service | claim | charge | clinical | stay
    id: str
    visit: str | None
    linkable: bool = True
    reason: str | None = None
    hidden: bool = False


class Cause(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="cause"):
    """What somebody did or failed to do from `since` to `until` (None: still so), and its gap code.

    `visit` is None where `record` belongs to no visit: an outside result, a claim for hospital rounds.
    """

    practice: str
    visit: str | None
    cause: str
    code: str
    since: datetime
    until: datetime | None = None
    record: RecordRef | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="part"):
    """A visit that a claim pays for which is not its own."""

    practice: str
    visit: str
    claim: str


Truth = Record | Cause | Part

_HEADER = msgspec.json.Decoder(Header)
_TRUTH = msgspec.json.Decoder(Truth)


class Ledger(msgspec.Struct, frozen=True):
    header: Header
    records: tuple[Record, ...]
    causes: tuple[Cause, ...]
    parts: tuple[Part, ...] = ()

    def write(self, path: Path | str) -> None:
        with Path(path).open("wb") as file:
            for row in (self.header, *self.records, *self.causes, *self.parts):
                file.write(msgspec.json.encode(row) + b"\n")

    @classmethod
    def read(cls, path: Path | str) -> Ledger:
        with Path(path).open("rb") as file:
            header = _HEADER.decode(next(file))
            return cls.of(header, (_TRUTH.decode(line) for line in file))

    @classmethod
    def export(cls, store: Store, as_of: datetime) -> Ledger:
        """The ledger of a sandbox as it stands, while it runs or not."""
        population = store.setting("population")
        if population is None:
            raise LookupError("this sandbox has no generated population, hence no ground truth")
        header = msgspec.json.decode(population, type=Header)
        return cls.of(replace(header, as_of=as_of), read_truth(store))

    @classmethod
    def of(cls, header: Header, rows: Iterable[Truth]) -> Ledger:
        kept: dict[type, list[Any]] = {Record: [], Cause: [], Part: []}
        for row in rows:
            kept[type(row)].append(row)
        return cls(header, *(tuple(kept[kind]) for kind in (Record, Cause, Part)))


def write_truth(store: Store, rows: Iterable[Truth]) -> None:
    """Keep truth in the store; a row about the same record or the same cause replaces the earlier one."""
    store.db.executemany(
        "insert or replace into truth values (?,?,?,?,?)",
        ((row.practice, *truth_key(row), row.visit, msgspec.json.encode(row)) for row in rows),
    )


def read_truth(store: Store) -> Iterator[Truth]:
    for (doc,) in store.db.execute("select doc from truth order by practice, kind, cast(id as integer), id"):
        yield _TRUTH.decode(doc)


def truth_key(row: Truth) -> tuple[str, str]:
    """(kind, id) under which a row is kept: a record's own, or one that names the cause's beginning."""
    if isinstance(row, Record):
        return row.kind, row.id
    if isinstance(row, Part):
        return "part", f"{row.visit} {row.claim}"
    subject = f"{row.record.kind} {row.record.id}" if row.record else ""
    return "cause", f"{row.visit or ''} {row.code} {row.cause} {subject} {row.since.isoformat()}"
