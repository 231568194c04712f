"""A directory of CSV files → how often the real stage ties its claims and charges to the right encounter.

In a database made for this run and dropped afterwards. Records that name an appointment are scored apart from
those that do not: only the latter had to be matched, by weights learnt from the former where they are enough.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from athena_dash.correlation.models import Link
from athena_dash.operations.evaluation.arena import throwaway_database
from athena_dash.operations.evaluation.breakdown import Placed, breakdown, tally, visits_seen
from athena_dash.operations.evaluation.csv_landing import land, lone_id
from athena_dash.operations.evaluation.csv_set import CsvSet, TruthRow, read_set
from athena_dash.operations.evaluation.own_weights import use_own_weights
from athena_dash.operations.evaluation.score import LINK_COUNTS, Truth
from athena_dash.practices.models import Practice

Id = tuple[str, str]
"""Kind and id of a record, as truth.csv names it."""
MOST_SHOWN = 100


class Place(msgspec.Struct, frozen=True):
    """Where a link puts its record; a record of which no link speaks waits for something."""

    state: str = Link.State.PENDING.value
    visit_id: int | None = None
    method: str = Link.Method.NONE.value
    score: float = 0.0
    evidence: dict[str, Any] = {}

    @property
    def best(self) -> int | None:
        offered = self.evidence.get("candidates", ())
        return self.visit_id or next((one["visit_id"] for one in offered), None)


Places = Mapping[Id, Place]
NOWHERE = Place()


def evaluate_set(directory: Path) -> dict[str, Any]:
    rows = read_set(directory)
    with throwaway_database():
        return conclude(rows)


def conclude(rows: CsvSet) -> dict[str, Any]:
    practice = Practice.objects.create(slug="export", name="Export", athena_id="1")
    land(rows, practice.pk)
    weights = use_own_weights(practice.pk)
    links = Link.objects.for_practice(practice.pk).values_list(
        "kind", "record_id", "state", "visit_id", "method", "score", "evidence"
    )
    places = {(kind, record_id): Place(*place) for kind, record_id, *place in links.iterator()}
    return {"weights": weights} | report(rows, places)


def report(rows: CsvSet, places: Places) -> dict[str, Any]:
    claim_of = {charge.id: charge.claim_id or lone_id(charge) for charge in rows.charges}
    named = {claim.id for claim in rows.claims if claim.appointment_id}
    departments = {row.id: row.department_id for row in rows.encounters}

    def place_of(row: TruthRow) -> Place:
        kind, id = row.id
        return places.get(("claim", claim_of[id] if kind == "charge" else id), NOWHERE)

    def has_id(row: TruthRow) -> bool:
        kind, id = row.id
        return (claim_of[id] if kind == "charge" else id) in named

    def placed(row: TruthRow) -> Placed:
        place, (kind, id) = place_of(row), row.id
        return Placed(
            kind=kind,
            id=id,
            truth=truth_of(row, places),
            visit=str(place.visit_id) if place.visit_id else None,
            best=str(place.best) if place.best else None,
            chance=place.score,
            tier=place.method,
            department=departments.get(row.encounter_id, ""),
        )

    scores: dict[str, Any] = {}
    states: dict[str, Any] = {}
    for kind in ("claim", "charge"):
        truths = [row for row in rows.truth if row.id[0] == kind]
        parts = {
            kind: truths,
            f"{kind}_with_id": [row for row in truths if has_id(row)],
            f"{kind}_without_id": [row for row in truths if not has_id(row)],
        }
        for name, part in parts.items():
            scores[name] = tally(map(placed, part)).report(*LINK_COUNTS)
        states[kind] = dict(Counter(place_of(row).state for row in truths))
    all = [placed(row) for row in rows.truth]
    visits = {
        str(place.visit_id) for (kind, _), place in places.items() if kind == "encounter" and place.visit_id
    }
    read = {part.name: len(getattr(rows, part.name)) for part in fields(rows)}
    return {
        "read": read,
        "links": scores,
        "states": states,
        "seen": visits_seen(all, visits),
        **breakdown(all),
        "bad": rows.bad[:MOST_SHOWN],
    }


def truth_of(row: TruthRow, places: Places) -> Truth:
    """An encounter that is not in the set cannot be found: leaving the record alone is right."""
    if not row.encounter_id:
        return Truth(frozenset())
    own = places.get(("encounter", row.encounter_id), NOWHERE)
    if own.visit_id is None:
        return Truth(frozenset({"not in this set"}), linkable=False)
    return Truth(frozenset({str(own.visit_id)}))
