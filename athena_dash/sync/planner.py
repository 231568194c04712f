"""What could be read again, and how many calls there are → what to ask now and what to put off. Pure.

athena promises no event for holds, denials, part payments, charts or eligibility (athena-api.md §2.1), so these are
read again. Where the calls do not reach for all, they go where a call buys most: what has waited longest for its
kind, matters most and is worth most.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log10

RESERVE = 0.2  # of the day's calls, kept for what is new: changed feeds, windows, events

CLOSED = 0.25  # what an hour in which the practice is closed gets of an open one's calls


@dataclass(frozen=True, slots=True)
class Kind:
    """No subject is of two kinds. `every` is how old an answer may become, `weight` what a call for it is worth beside
    the others."""

    name: str
    resource: str  # the feed that asks
    every: timedelta
    weight: float


HOLDS = Kind("claims on hold", "claims", timedelta(minutes=15), 8)
FILING = Kind("claims near the filing limit", "claims", timedelta(hours=1), 6)
OPEN = Kind("open claims", "claims", timedelta(hours=4), 2)
CHARTS = Kind("unsigned charts", "encounters", timedelta(minutes=30), 4)
SERVICES = Kind("services of unsigned notes", "services", timedelta(minutes=30), 2)
ELIGIBILITY = Kind("eligibility before the visit", "insurances", timedelta(hours=12), 5)
NOTES = Kind("notes of holds", "claim_notes", timedelta(hours=4), 3)
MONEY = Kind("money of unpaid claims", "transactions", timedelta(hours=24), 1)
KINDS = (HOLDS, FILING, ELIGIBILITY, CHARTS, SERVICES, NOTES, OPEN, MONEY)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One subject whose last answer has become too old."""

    kind: Kind
    subject_id: int
    read_at: datetime
    dollars: float
    calls: int = 1

    def worth(self, now: datetime) -> float:
        """Of one call spent on it. Dollars count by their order of magnitude: a large claim must not starve all."""
        waited = (now - self.read_at) / self.kind.every
        return waited * self.kind.weight * (1 + log10(1 + self.dollars)) / self.calls


@dataclass(frozen=True, slots=True)
class Line:
    """Of one kind: what was due, what is asked now, what waits and why."""

    kind: str
    due: int
    chosen: int
    put_off: int
    oldest: datetime
    dollars: float  # of what was due
    calls: int  # that what was chosen costs
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    chosen: tuple[Candidate, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of athena's day: how long the practice is still open in it, how long closed, and which it is now."""

    open: timedelta
    closed: timedelta
    is_open: bool

    def share(self, length: timedelta) -> float:
        """Of what may be spent in the rest of the day, that of so long a time from now."""
        whole = self.open + CLOSED * self.closed
        part = length if self.is_open else CLOSED * length
        return min(1.0, part / whole) if whole else 1.0


def allowance(left: int, per_day: int, rest: Rest, every: timedelta) -> int:
    """Calls that this plan may spend: what the day has left above the reserve, most of it while somebody looks."""
    return int(max(0.0, left - RESERVE * per_day) * rest.share(every))


def decide(candidates: Iterable[Candidate], calls: int, now: datetime) -> Decision:
    """The worthiest first, as long as the calls reach; a cheaper one may still fit where a dearer one did not."""
    ranked = sorted(candidates, key=lambda one: (-one.worth(now), one.subject_id))
    left, chosen, asked = calls, [], set()
    for one in ranked:
        if one.calls <= left:
            left -= one.calls
            chosen.append(one)
            asked.add(one.subject_id)
    return Decision(tuple(chosen), tuple(lines(ranked, asked)))


def lines(ranked: Sequence[Candidate], asked: set[int]) -> Iterable[Line]:
    for kind in KINDS:
        due = [one for one in ranked if one.kind is kind]
        if due:
            taken = [one for one in due if one.subject_id in asked]
            yield Line(
                kind=kind.name,
                due=len(due),
                chosen=len(taken),
                put_off=len(due) - len(taken),
                oldest=min(one.read_at for one in due),
                dollars=round(sum(one.dollars for one in due), 2),
                calls=sum(one.calls for one in taken),
                why=reason(len(due), len(taken)),
            )


def reason(due: int, taken: int) -> str:
    if taken == due:
        return "The calls of today reach for all of them."
    if taken:
        return "The calls of today reach for those that have waited longest and are worth most."
    return "Other kinds buy more freshness for the calls that are left today."
