"""The script of a visit: what happens to its records and when, and what is true of them, in one timed list.

`fold` turns a script and an instant into the records' state at that instant, the truth known by then, and the
steps that are still to come.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from integrations.sandbox.ledger import Cause, Part, Record, RecordRef, Truth, truth_key
from integrations.sandbox.population.noise import PLAIN, Disguise
from integrations.sandbox.world import Claim, Encounter, Thing

T = TypeVar("T", bound=Thing)


@dataclass(frozen=True, slots=True)
class Change:
    """A record's state from some instant on, and the changed-feed event that announces it, if any."""

    kind: str
    thing: Thing
    event: str | None = None


class Step(msgspec.Struct, frozen=True):
    """One instant of a script that has not come yet, as the store's `pending` table keeps it."""

    at: datetime
    changes: list[tuple[str, str | None, msgspec.Raw]]  # kind, event, the thing as JSON
    truth: list[Truth]


@dataclass
class Script:
    """`visit` is None for things that belong to no visit: open slots, outside results, registrations.

    Entries hold what is true; the disguise is put on when they are folded.
    """

    practice: str
    visit: str | None = None
    disguise: Disguise = PLAIN
    entries: list[tuple[datetime, Change | Truth]] = field(default_factory=list)
    known: set[tuple[str, str]] = field(default_factory=set)

    def put(
        self,
        at: datetime,
        kind: str,
        thing: T,
        event: str | None = None,
        *,
        linkable: bool = True,
        reason: str | None = None,
    ) -> T:
        """The thing is so from `at` on. Its first appearance also writes whose it is."""
        thing = replace(thing, modified=at)
        self.entries.append((at, Change(kind, thing, event)))
        if kind in TOLD:
            self._tell(at, kind, thing, linkable, reason)
        return thing

    def cause(
        self,
        code: str,
        name: str,
        since: datetime,
        until: datetime | None,
        record: tuple[str, str] | None = None,
    ) -> None:
        """`name` was so from `since` to `until`; the ledger learns of the end when it comes."""
        if until is not None and until <= since:
            return
        cause = Cause(
            practice=self.practice,
            visit=self.visit,
            cause=name,
            code=code,
            since=since,
            record=RecordRef(*record) if record else None,
        )
        self.entries.append((since, cause))
        if until is not None:
            self.entries.append((until, replace(cause, until=until)))

    def part(self, at: datetime, claim_id: str) -> None:
        """From `at` on, that claim pays for this visit beside its own."""
        if self.visit is not None:
            self.entries.append((at, Part(practice=self.practice, visit=self.visit, claim=claim_id)))

    def end(self, code: str, at: datetime) -> None:
        """What would have lasted beyond `at` ends there, since nothing is left of which it could be so."""
        for place, (when, entry) in enumerate(self.entries):
            if isinstance(entry, Cause) and entry.code == code and entry.until and when > at:
                self.entries[place] = (at, replace(entry, until=at))
        last = [entry for _, entry in self.entries if isinstance(entry, Cause) and entry.code == code]
        if last and last[-1].until is None:
            self.entries.append((at, replace(last[-1], until=at)))

    def repoint(self, loser: str, survivor: str, at: datetime, kept: frozenset[str]) -> None:
        """Patients merged at `at`: records name the survivor from then on; the `kept` kinds never learn."""
        current: dict[tuple[str, str], Thing] = {}
        moved: list[tuple[datetime, Change | Truth]] = []
        for when, entry in sorted(self.entries, key=_when):
            if isinstance(entry, Change) and entry.kind not in kept and hasattr(entry.thing, "patient_id"):
                if when < at:
                    current[entry.kind, entry.thing.id] = entry.thing
                else:
                    entry = Change(entry.kind, _belongs_to(entry.thing, survivor), entry.event)
            moved.append((when, entry))
        moved.extend(
            (at, Change(kind, replace(_belongs_to(thing, survivor), modified=at)))
            for (kind, _), thing in current.items()
            if getattr(thing, "patient_id", None) == loser
        )
        self.entries = moved

    def _tell(self, at: datetime, kind: str, thing: Thing, linkable: bool, reason: str | None) -> None:
        if isinstance(thing, Encounter) and thing.inpatient:
            kind = "stay"
        subjects = [(kind, thing.id)]
        if isinstance(thing, Claim):
            subjects += [("charge", charge.transaction_id) for charge in thing.charges]
        for subject in subjects:
            if subject not in self.known:
                self.known.add(subject)
                self.entries.append(
                    (
                        at,
                        Record(
                            practice=self.practice,
                            kind=subject[0],
                            id=subject[1],
                            visit=self.visit,
                            linkable=linkable,
                            reason=reason,
                            hidden=self.disguise.hides(thing),
                        ),
                    )
                )


TOLD = frozenset({"appointment", "encounter", "service", "claim", "clinical"})


@dataclass
class Folded:
    things: dict[tuple[str, str], Thing] = field(default_factory=dict)
    truth: dict[tuple[str, str], Truth] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def fold(script: Script, as_of: datetime) -> Folded:
    folded = Folded()
    later: dict[datetime, Step] = {}
    for at, entry in sorted(script.entries, key=_when):
        if at > as_of:
            step = later.setdefault(at, Step(at, [], []))
            if isinstance(entry, Change):
                doc = msgspec.Raw(msgspec.json.encode(script.disguise.dress(entry.thing)))
                step.changes.append((entry.kind, entry.event, doc))
            else:
                step.truth.append(entry)
        elif isinstance(entry, Change):
            folded.things[entry.kind, entry.thing.id] = entry.thing
        else:
            folded.truth[truth_key(entry)] = entry
    folded.things = {key: script.disguise.dress(thing) for key, thing in folded.things.items()}
    folded.steps = list(later.values())
    return folded


def _when(entry: tuple[datetime, object]) -> datetime:
    return entry[0]


def _belongs_to(thing: Thing, patient_id: str) -> Thing:
    return replace(thing, patient_id=patient_id)
