"""One link that waits for a person → the record and its offers side by side, and which record comes next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from athena_dash.correlation.models import Decision, Link, Visit
from athena_dash.correlation.offers import Offer, offers_for, record_of
from athena_dash.worklist.keyset import after, in_order
from athena_dash.worklist.names import Names, names_of
from athena_dash.worklist.unmatched import ORDER, PLACES, waiting, what_of, why_of

FACTS = (
    ("date", "Date of service"),
    ("provider", "Provider"),
    ("department", "Department"),
    ("procedures", "Procedures"),
    ("diagnoses", "Diagnoses"),
)
CIRCUMSTANCES = {
    "awaited": "athena says that one like it exists here",
    "not expected": "no charge entry is expected",
    "did not happen": "cancelled, or nobody checked in",
}


@dataclass(frozen=True)
class Cell:
    """`same` is None where one of the two does not say."""

    text: str | dt.date
    same: bool | None


@dataclass(frozen=True)
class Choice:
    """One visit on offer; `number` is its key on the keyboard."""

    number: int
    visit: Visit
    points: float | None
    days: int
    circumstances: tuple[str, ...]
    is_now: bool


@dataclass(frozen=True)
class Line:
    """One fact across the table: what the record says, and each visit."""

    label: str
    ours: str | dt.date
    theirs: tuple[Cell, ...]


@dataclass(frozen=True)
class Review:
    link: Link
    what: str
    why: str
    patient_id: str
    amount: Decimal | None  # gross charges of a claim
    lines: tuple[Line, ...]
    choices: tuple[Choice, ...]
    decisions: Sequence[Decision]


def review_of(link: Link) -> Review:
    record = record_of(link)
    lines: tuple[Line, ...] = ()
    offered: list[Offer] = []
    if record is not None:
        unbound, offered = offers_for(link, record)
        names = names_of([link.practice_id])
        lines = tuple(_line(key, label, link, unbound, offered, names) for key, label in FACTS)
    decisions = Decision.objects.for_practice(link.practice_id).filter(
        kind=link.kind, record_id=link.record_id
    )
    return Review(
        link=link,
        what=what_of(record),
        why=why_of(link),
        patient_id=getattr(record, "patient_id", ""),
        amount=getattr(record, "charge_amount", None),
        lines=lines,
        choices=_choices(link, offered),
        decisions=list(decisions.select_related("user", "visit")[:20]),
    )


def undecided(practice_ids: Collection[int], kind: str, state: str) -> QuerySet[Link]:
    """Those of the list of unmatched records that no person has spoken about yet."""
    return waiting(practice_ids, kind, state).exclude(method=Link.Method.MANUAL)


def next_of(queue: QuerySet[Link], link: Link) -> int | None:
    """The one after it; after the last one the first again, so that "later" does come."""
    others = in_order(queue.exclude(pk=link.pk), ORDER)
    return first_id(others.filter(after(ORDER, place_of(link)))) or first_id(others)


def previous_of(queue: QuerySet[Link], link: Link) -> int | None:
    backwards = [replace(key, descending=not key.descending) for key in ORDER]
    return first_id(in_order(queue, backwards).filter(after(backwards, place_of(link))))


def place_of(link: Link) -> tuple[int, int]:
    return PLACES.get(Link.Kind(link.kind), 0), link.pk


def first_id(links: QuerySet[Link]) -> int | None:
    return links.values_list("pk", flat=True).first()


def _choices(link: Link, offered: Sequence[Offer]) -> tuple[Choice, ...]:
    visits = Visit.objects.for_practice(link.practice_id).in_bulk([o.visit_id for o in offered])
    taken = _taken(link, visits)
    return tuple(
        Choice(
            number=number,
            visit=visits[offer.visit_id],
            points=offer.points,
            days=offer.days,
            circumstances=(
                *taken[offer.visit_id],
                *(words for fact, words in CIRCUMSTANCES.items() if fact in offer.facts),
            ),
            is_now=offer.visit_id == link.visit_id,
        )
        for number, offer in enumerate(offered, 1)
    )


def _taken(link: Link, visits: Collection[int]) -> dict[int, list[str]]:
    """Others of its kind at each visit, however they were tied: the rules count ids only, a person sees all."""
    found: dict[int, list[str]] = {visit_id: [] for visit_id in visits}
    if link.kind == Link.Kind.CLINICAL:  # a visit has any number of results
        return found
    others = Link.objects.filter(visit_id__in=visits, kind=link.kind, state=Link.State.LINKED)
    for visit_id, record_id in others.exclude(pk=link.pk).order_by("pk").values_list("visit_id", "record_id"):
        found[visit_id].append(f"{link.kind} {record_id} is tied here already")
    return found


def _line(key: str, label: str, link: Link, record: Any, offered: Sequence[Offer], names: Names) -> Line:
    def said(side: Any) -> str | dt.date:
        if key == "date":
            return side.date or ""
        if key == "provider":
            return _joined({names.of("provider", link.practice_id, id) for id in side.provider_ids})
        if key == "department":
            return names.of("department", link.practice_id, side.department_id)
        return _joined(getattr(side, key))

    ours = said(record)
    cells = []
    for offer in offered:
        theirs = said(offer.visit)
        cells.append(Cell(theirs, _same(key, ours, theirs, offer)))
    return Line(label, ours, tuple(cells))


def _same(key: str, ours: Any, theirs: Any, offer: Offer) -> bool | None:
    """As the rules see it, where they look; the date always, and exactly."""
    if not ours or not theirs:
        return None
    if key == "date":
        return offer.days == 0
    return offer.facts[key] > 0 if key in offer.facts else bool(ours == theirs)


def _joined(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
