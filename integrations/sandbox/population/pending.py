"""Steps of scripts that have not come yet, kept in the store and played in order when their time comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from integrations.sandbox.ledger import write_truth
from integrations.sandbox.population.script import Step
from integrations.sandbox.store import Store, read, stamp

_STEP = msgspec.json.Decoder(Step)


def queue(store: Store, practice: str, steps: Iterable[Step]) -> None:
    store.db.executemany(
        "insert into pending (at, practice, doc) values (?,?,?)",
        ((stamp(step.at), practice, msgspec.json.encode(step)) for step in steps),
    )


def play(store: Store, now: datetime) -> int:
    """Do every step that is due, each in a transaction that also forgets it; how many records changed."""
    changed = 0
    for seq, practice, doc in due(store, now):
        step = _STEP.decode(doc)
        with store.transaction():
            for kind, event, thing in step.changes:
                store.put(practice, kind, [read(kind, bytes(thing))], event=event)
            write_truth(store, step.truth)
            store.db.execute("delete from pending where seq=?", (seq,))
        changed += len(step.changes)
    return changed


def due(store: Store, now: datetime) -> Iterator[tuple[int, str, bytes]]:
    """Due steps, oldest first; those that playing makes due are none, so the list may be taken whole."""
    yield from store.db.execute(
        "select seq, practice, doc from pending where at <= ? order by at, seq", (stamp(now),)
    ).fetchall()
