"""A record without an id that names its visit + the patient's visits around its day → a match, a review, or
none.

Points per agreeing or differing fact, summed; the best candidate must reach THRESHOLD and lead the second by
MARGIN, else a person chooses, down to REVIEW_FLOOR. Precision before recall: a wrong link shown as fact hides
money (revenue- cycle.md §7.1, §7.4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from math import exp
from typing import Any

import msgspec

WINDOW_DAYS = 3
THRESHOLD = 5.0
MARGIN = 2.0
REVIEW_FLOOR = 3.5

DATE_POINTS = {0: 4.0, 1: 1.5, 2: -0.5, 3: -1.0}
SAME_PROVIDER, SUPERVISOR, OTHER_PROVIDER = 3.0, 2.0, -1.0
SAME_DEPARTMENT, OTHER_DEPARTMENT = 1.5, -1.0
PROCEDURES_AGREE, PROCEDURES_DIFFER = 2.5, -4.0
DIAGNOSES_AGREE, DIAGNOSES_DIFFER = 1.0, -0.5
ALREADY_CLAIMED = -3.0
AWAITED = 1.5
NOTHING_EXPECTED = -2.5
DID_NOT_HAPPEN = -6.0
CANDIDATES_KEPT = 5


class Unbound(msgspec.Struct, frozen=True, kw_only=True):
    """A claim or encounter that names no appointment. `patient_id` is after the merge map."""

    record_id: str
    patient_id: str
    date: date | None
    department_id: str = ""
    provider_ids: frozenset[str] = frozenset()  # billed and supervising, or the encounter's own
    procedures: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A visit the record may belong to. `taken`: another record of that kind names it by id already."""

    visit_id: int
    anchor_id: str
    patient_id: str
    date: date | None
    department_id: str = ""
    provider_ids: frozenset[str] = frozenset()
    supervisor_id: str = ""
    procedures: frozenset[str] = frozenset()
    diagnoses: frozenset[str] = frozenset()
    happened: bool = True  # not cancelled, not a no-show, checked in
    expected: bool = True  # no "charge entry not required"
    taken: bool = False
    awaited: bool = False  # the appointment says that such a record exists, and none names it by id


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """How the record stands: state and method are those of correlation.Link."""

    record_id: str
    visit_id: int | None = None
    state: str = "unmatched"
    method: str = "none"
    score: float = 0.0
    evidence: Mapping[str, Any] = {}


class Scored(msgspec.Struct, frozen=True):
    candidate: Candidate
    points: float
    facts: Mapping[str, float]


def match_all(unbound: Iterable[Unbound], candidates: Iterable[Candidate]) -> list[Match]:
    """Each record is judged by itself against all visits of its patient, so that order never matters."""
    by_patient: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        by_patient.setdefault(candidate.patient_id, []).append(candidate)
    return [match(record, by_patient.get(record.patient_id, ())) for record in unbound]


def match(record: Unbound, candidates: Sequence[Candidate]) -> Match:
    if not record.patient_id or record.date is None:
        return Match(record_id=record.record_id, evidence={"lacks": "patient" if record.date else "date"})
    near = [candidate for candidate in candidates if days_apart(record, candidate) <= WINDOW_DAYS]
    if not near:
        return Match(record_id=record.record_id, evidence={"candidates": []})
    exact = [candidate for candidate in near if same_day_and_provider(record, candidate)]
    ranked = sorted(
        (score(record, candidate) for candidate in near), key=lambda s: (-s.points, s.candidate.anchor_id)
    )
    best = ranked[0]
    lead = best.points - ranked[1].points if len(ranked) > 1 else MARGIN
    contradicted = best.facts.get("procedures", 0) < 0  # it bills none of the documented services
    if best.points >= THRESHOLD and lead >= MARGIN and not contradicted:
        unique = len(exact) == 1 and exact[0] is best.candidate
        return Match(
            record_id=record.record_id,
            visit_id=best.candidate.visit_id,
            state="linked",
            method="patient_day" if unique else "scored",
            score=probability(best.points),
            evidence={"points": dict(best.facts), "candidates": shown(ranked)},
        )
    if best.points >= REVIEW_FLOOR:
        return Match(
            record_id=record.record_id,
            state="review",
            score=probability(best.points),
            evidence={"candidates": shown(ranked)},
        )
    return Match(
        record_id=record.record_id, score=probability(best.points), evidence={"candidates": shown(ranked)}
    )


def score(record: Unbound, candidate: Candidate) -> Scored:
    facts = {"date": DATE_POINTS[days_apart(record, candidate)]}
    if record.provider_ids and candidate.provider_ids:
        if record.provider_ids & candidate.provider_ids:
            facts["provider"] = SAME_PROVIDER
        elif candidate.supervisor_id in record.provider_ids:
            facts["provider"] = SUPERVISOR
        else:
            facts["provider"] = OTHER_PROVIDER
    if record.department_id and candidate.department_id:
        same = record.department_id == candidate.department_id
        facts["department"] = SAME_DEPARTMENT if same else OTHER_DEPARTMENT
    facts |= overlap(
        "procedures", record.procedures, candidate.procedures, PROCEDURES_AGREE, PROCEDURES_DIFFER
    )
    facts |= overlap("diagnoses", record.diagnoses, candidate.diagnoses, DIAGNOSES_AGREE, DIAGNOSES_DIFFER)
    if candidate.taken:
        facts["taken"] = ALREADY_CLAIMED
    if candidate.awaited and not candidate.taken:
        facts["awaited"] = AWAITED
    if not candidate.expected:
        facts["not expected"] = NOTHING_EXPECTED
    if not candidate.happened:
        facts["did not happen"] = DID_NOT_HAPPEN
    return Scored(candidate, sum(facts.values()), facts)


def overlap(
    name: str, ours: Collection[str], theirs: Collection[str], agree: float, differ: float
) -> dict[str, float]:
    """Points in proportion to the share of the record's codes that the visit documents; unknown says nothing."""
    if not ours or not theirs:
        return {}
    share = len(set(ours) & set(theirs)) / len(ours)
    return {name: round(agree * share, 2) if share else differ}


def same_day_and_provider(record: Unbound, candidate: Candidate) -> bool:
    return (
        days_apart(record, candidate) == 0
        and candidate.happened
        and record.department_id == candidate.department_id
        and bool(record.provider_ids & (candidate.provider_ids | {candidate.supervisor_id}))
    )


def days_apart(record: Unbound, candidate: Candidate) -> int:
    if record.date is None or candidate.date is None:
        return WINDOW_DAYS + 1
    return abs((record.date - candidate.date).days)


def probability(points: float) -> float:
    """For people to compare, 0..1; the decision is made on points."""
    return round(1 / (1 + exp(-(points - THRESHOLD) / 1.5 - 1)), 3)


def shown(ranked: Sequence[Scored]) -> list[dict[str, Any]]:
    return [
        {
            "visit_id": scored.candidate.visit_id,
            "anchor_id": scored.candidate.anchor_id,
            "points": round(scored.points, 2),
        }
        for scored in ranked[:CANDIDATES_KEPT]
    ]
