"""The switchboard of faults: what is switched on, durably; which of it hits this request; how often it fired.

What each kind does is in `fault_kinds`. Draws depend on seed, fault and request, never on thread timing:
the same run meets the same faults.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from integrations.sandbox.server.call import Call
    from integrations.sandbox.server.sandbox import Sandbox

SETTING = "faults"
TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105 no secret
Spoil = Literal["null", "wrong_type", "nul", "surrogate", "text", "huge"]


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a fault hits: `path` is a regular expression searched in it, `record` an id in the answer."""

    practice: str | None = None
    path: str = ""
    record: str | None = None

    def hits(self, practice: str, path: str) -> bool:
        return (self.practice is None or self.practice == practice) and bool(re.search(self.path, path))


class Params(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The dose; each kind reads what concerns it."""

    status: int | None = None  # server_error; left out: 500, 502 or 503
    retry_after: int | None = None  # rate_limited: seconds, or no header
    seconds: float = 30  # timeout_before, timeout_after: how long to hang
    rows: int = 1  # duplicated_rows, missing_rows: how far pages shift
    field: str | None = None  # corrupt_record, unknown_code: dotted path; left out: the id, the usual code
    spoil: Spoil = msgspec.field(default="null", name="as")  # corrupt_record
    bytes: int = 50_000_000  # corrupt_record as huge
    code: str = "ZHOLD"  # unknown_code
    keep: tuple[str, ...] = ()  # truncated_record: fields that stay beside the id


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    name: str
    kind: str
    match: Match = Match()
    probability: float = 1.0
    times: int | None = None  # at most so many firings
    until: datetime | None = None
    params: Params = Params()
    fired: int = 0


class Switchboard:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.lock = threading.RLock()
        self.seen: Counter[tuple[str, str]] = Counter()
        kept = sandbox.store.setting(SETTING)
        faults = msgspec.json.decode(kept, type=list[Fault]) if kept else []
        self.faults = {fault.name: fault for fault in faults}

    def switch_on(self, fault: Fault) -> None:
        with self.lock:
            self.faults[fault.name] = fault
            self.keep()

    def switch_off(self, name: str | None = None) -> int:
        """Off by name, or all; the number switched off."""
        with self.lock:
            gone = [known for known in self.faults if name in (None, known)]
            for known in gone:
                del self.faults[known]
            self.keep()
            return len(gone)

    def live(self, kinds: frozenset[str], practice: str, path: str) -> list[Fault]:
        """The faults of these kinds that concern this request, before any draw."""
        if not self.faults:
            return []
        now = self.sandbox.clock()
        with self.lock:
            return [
                fault
                for fault in self.faults.values()
                if fault.kind in kinds
                and (fault.until is None or now < fault.until)
                and (fault.times is None or fault.fired < fault.times)
                and concerns(fault, practice, path)
            ]

    def strikes_call(self, fault: Fault, call: Call) -> bool:
        """Draw for one call and count a hit; the same request draws anew each time, so that retries can pass."""
        request = f"{call.method} {call.path} {sorted(call.query.values.items())}"
        with self.lock:
            nth = self.seen[fault.name, request]
            if fault.probability < 1:
                self.seen[fault.name, request] += 1
            hit = self.left(fault) > 0 and self.draw(fault, request, nth)
            self.fire(fault, int(hit))
            return hit

    def struck_records(self, fault: Fault, ids: list[str]) -> list[str]:
        """The records a fault hits: the same ones on every read, until it is switched off."""
        with self.lock:
            hit = [id for id in ids if self.draw(fault, "record", id)][: self.left(fault)]
            self.fire(fault, len(hit))
            return hit

    def draw(self, fault: Fault, *subject: object) -> bool:
        sure = fault.probability >= 1
        return sure or self.sandbox.rng(fault.name, *subject).random() < fault.probability

    def left(self, fault: Fault) -> int:
        """How often it may still fire; not at all once it is switched off."""
        current = self.faults.get(fault.name)
        if current is None:
            return 0
        return sys.maxsize if current.times is None else current.times - current.fired

    def fire(self, fault: Fault, times: int) -> None:
        if times:
            current = self.faults[fault.name]
            self.faults[fault.name] = msgspec.structs.replace(current, fired=current.fired + times)
            self.keep()

    def keep(self) -> None:
        with self.sandbox.store.transaction():
            self.sandbox.store.set(SETTING, msgspec.json.encode(list(self.faults.values())))


def concerns(fault: Fault, practice: str, path: str) -> bool:
    """Token calls are spared unless the fault's path names them, or it is about credentials."""
    spared = path == TOKEN_PATH and not fault.match.path and fault.kind != "revoked_credential"
    return not spared and fault.match.hits(practice, path)
