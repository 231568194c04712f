"""Links that found no visit into rows that say what the record is, why it waits, and where it may belong."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, QuerySet, When

from athena_dash.core.templatetags.ui import plural
from athena_dash.correlation.models import Link, Visit
from athena_dash.records.models import Claim, ClinicalFact, Encounter
from athena_dash.worklist.episodes import visits_paid
from athena_dash.worklist.keyset import Key, Page, parse_id, take

PAGE_SIZE = 50
SHOWN = 4  # codes of a claim, on its one line
STATE_WORDS = {
    Link.State.REVIEW: "A visit may fit",
    Link.State.UNMATCHED: "No visit fits",
    Link.State.PENDING: "Waits for a record",
}
OPEN_STATES = tuple(STATE_WORDS)
PLACES = {Link.Kind.CLAIM: 2, Link.Kind.ENCOUNTER: 1}
"""Claims come first: money with a deadline waits with them; then what may be billed; results last."""
ORDER = (Key("place", True, parse_id), Key("id", True, parse_id))

# Which table holds a record of each kind, and which of its columns say who, when and how much.
TABLES: Mapping[str, tuple[Any, str, str]] = {
    Link.Kind.ENCOUNTER: (Encounter, "date", ""),
    Link.Kind.CLAIM: (Claim, "service_date", "charge_amount"),
    Link.Kind.CLINICAL: (ClinicalFact, "at", ""),
}


@dataclass(frozen=True)
class Candidate:
    visit_id: int
    date: dt.date | None
    visit_type: str
    points: float | None


@dataclass(frozen=True)
class UnmatchedRow:
    """`amount`: gross charges of a claim. Empty fields mean that the record itself is not here."""

    pk: int  # of the link
    kind: str
    record_id: str
    practice: str
    patient_id: str
    date: dt.date | None
    amount: Decimal | None
    what: str
    state: str
    why: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Waiting:
    """How many links of a kind wait, in each state."""

    kind: str
    by_state: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


def counts(practice_ids: Sequence[int]) -> list[Waiting]:
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    grouped = Link.objects.filter(practice_id__in=practice_ids, state__in=OPEN_STATES).values_list(
        "kind", "state"
    )
    for kind, state, count in grouped.annotate(Count("pk")).order_by():
        found[kind][state] = count
    return [Waiting(kind, found[kind]) for kind in Link.Kind.values if found[kind]]


def waiting(practice_ids: Collection[int], kind: str, state: str) -> QuerySet[Link]:
    """Annotated with its place, for ORDER."""
    links = Link.objects.filter(practice_id__in=practice_ids, state__in=[state] if state else OPEN_STATES)
    place = Case(*(When(kind=kind, then=place) for kind, place in PLACES.items()), default=0)
    placed: QuerySet[Link] = (links.filter(kind=kind) if kind else links).annotate(place=place)
    return placed


def page_of(practice_ids: Sequence[int], kind: str, state: str, cursor: str) -> Page:
    return take(waiting(practice_ids, kind, state).select_related("practice"), ORDER, cursor, PAGE_SIZE)


def rows(links: Sequence[Link]) -> list[UnmatchedRow]:
    """One query for each kind on the page, one for the candidates, one for what claims pay for, whatever its length."""
    records = _records(links)
    visits = _candidates(links)
    claims = [link for link in links if link.kind == Link.Kind.CLAIM]
    paid = visits_paid({link.practice_id for link in claims}, [link.record_id for link in claims])
    return [
        _row(link, records.get((link.practice_id, link.kind, link.record_id)), visits, paid) for link in links
    ]


def _records(links: Sequence[Link]) -> dict[tuple[int, str, str], Any]:
    found = {}
    for kind, (model, _, _) in TABLES.items():
        ids = [link.record_id for link in links if link.kind == kind]
        practices = {link.practice_id for link in links if link.kind == kind}
        for record in model.objects.filter(practice_id__in=practices, external_id__in=ids) if ids else ():
            found[record.practice_id, kind, record.external_id] = record
    return found


def _candidates(links: Sequence[Link]) -> dict[tuple[int, int], Visit]:
    """Only visits of the link's own practice: evidence is data and could name any id."""
    ids = {c.get("visit_id") for link in links for c in link.evidence.get("candidates", ())} - {None}
    practices = {link.practice_id for link in links}
    found = Visit.objects.filter(pk__in=ids, practice_id__in=practices) if ids else ()
    return {(visit.practice_id, visit.pk): visit for visit in found}


def _row(
    link: Link,
    record: Any,
    visits: Mapping[tuple[int, int], Visit],
    paid: Mapping[tuple[int, str], int],
) -> UnmatchedRow:
    _, date_column, amount_column = TABLES[link.kind]
    date = getattr(record, date_column, None)
    shown = []
    for candidate in link.evidence.get("candidates", ()):
        if visit := visits.get((link.practice_id, candidate.get("visit_id", 0))):
            shown.append(Candidate(visit.pk, visit.service_date, visit.visit_type, candidate.get("points")))
    return UnmatchedRow(
        pk=link.pk,
        kind=link.kind,
        record_id=link.record_id,
        practice=link.practice.name,
        patient_id=getattr(record, "patient_id", ""),
        date=date.date() if isinstance(date, dt.datetime) else date,
        amount=getattr(record, amount_column, None) if amount_column else None,
        what=what_of(record),
        state=link.state,
        why=why_of(link) + paid_words(link, paid),
        candidates=tuple(shown),
    )


def what_of(record: Any) -> str:
    if isinstance(record, ClinicalFact):
        return record.display or record.resource
    if isinstance(record, Claim):
        return codes_told(record.procedure_codes)
    return getattr(record, "type_name", "") or getattr(record, "visit_name", "")


def codes_told(codes: Sequence[str]) -> str:
    """As often as each is billed: "4 × 99232, 99238"; of a long bill the first few."""
    counted = Counter(codes)
    told = [code if times == 1 else f"{times} × {code}" for code, times in counted.items()]
    return ", ".join(told[:SHOWN]) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")


def paid_words(link: Link, paid: Mapping[tuple[int, str], int]) -> str:
    count = paid.get((link.practice_id, link.record_id), 0) if link.kind == Link.Kind.CLAIM else 0
    return f" Pays for {plural(count, 'visit,visits')} all the same." if count else ""


def why_of(link: Link) -> str:
    """Why it waits, in words; the facts come from the link's evidence."""
    evidence = link.evidence
    if link.method == Link.Method.MANUAL:
        return "A person decided: it belongs to none of our visits."
    if link.state == Link.State.PENDING:
        for kind in ("appointment", "encounter"):
            if named := evidence.get(f"{kind}_id"):
                return f"Names {kind} {named}, which we have not received."
        return "Names a record we have not received."
    if link.state == Link.State.REVIEW:
        count = len(evidence.get("candidates", ()))
        return (
            f"{count} visits fit about equally well." if count > 1 else "One visit may fit, but not surely."
        )
    if lacks := evidence.get("lacks"):
        return f"Carries no {lacks} to match by."
    if evidence.get("candidates"):
        return "The nearest visits do not fit well enough."
    if link.kind == Link.Kind.CLINICAL:
        return "Names no encounter."
    return "The patient has no visit near that day."
