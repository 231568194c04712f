"""Numbers things as athena does: one counter per practice and kind; the counters live in the store."""

from __future__ import annotations

import msgspec

from integrations.sandbox.store import Store

FIRST = {
    "visit": 1,
    "patient": 101,
    "insurance": 1401,
    "appointment": 500101,
    "encounter": 28301,
    "service": 9001,
    "claim": 301,
    "transaction": 2801,
    "note": 322,
    "clinical": 70001,
}


class Ids:
    def __init__(self, counters: dict[str, int] | None = None) -> None:
        self.counters = counters or dict(FIRST)

    def next(self, kind: str) -> str:
        number = self.counters[kind]
        self.counters[kind] = number + 1
        return str(number)

    def visit(self) -> str:
        return f"V{self.next('visit')}"

    @classmethod
    def load(cls, store: Store, practice: str) -> Ids:
        saved = store.setting(f"ids:{practice}")
        return cls(msgspec.json.decode(saved, type=dict[str, int]) if saved else None)

    def save(self, store: Store, practice: str) -> None:
        store.set(f"ids:{practice}", msgspec.json.encode(self.counters))
