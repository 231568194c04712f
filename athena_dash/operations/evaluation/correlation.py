"""Links in the database against the ledger: precision and recall by kind of record, tier and department."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from athena_dash.correlation.models import Coverage, Link, Visit
from athena_dash.operations.evaluation.breakdown import Placed, breakdown, tally, visits_seen
from athena_dash.operations.evaluation.labels import (
    Labels,
    athena_ids,
    clinical_number,
    record_key,
    records_by_kind,
)
from athena_dash.operations.evaluation.own_weights import use_own_weights
from athena_dash.operations.evaluation.score import LINK_COUNTS, Tally, Truth
from athena_dash.records.models import ChargeLine, Claim
from integrations.sandbox.ledger import Ledger, Record

KINDS = ("claim", "encounter", "charge", "clinical")
NOWHERE = Truth(frozenset())

Names = Mapping[int, str]
"""Row id of a visit → its true name."""


class Placing:
    """Records by kind and key, as links place them."""

    def __init__(self, visits: Names, practices: Mapping[int, str]) -> None:
        self.links: dict[tuple[str, str], Link] = {}
        for link in Link.objects.filter(kind__in=KINDS):
            id = clinical_number(link.record_id) if link.kind == "clinical" else link.record_id
            self.links[link.kind, f"{practices[link.practice_id]}/{id}"] = link
        for line in ChargeLine.objects.filter(gone_at__isnull=True):
            athena_id = practices[line.practice_id]
            if link := self.links.get(("claim", f"{athena_id}/{line.claim_id}")):
                self.links["charge", f"{athena_id}/{line.external_id}"] = link
        self.visits = visits
        places = Visit.objects.values_list("pk", "department_id")
        self.departments = {visits[pk]: department for pk, department in places}

    def of(self, kind: str, id: str, truth: Truth) -> Placed:
        link = self.links.get((kind, id))
        department = next((self.departments.get(visit, "") for visit in truth.visits), "")
        if link is None:
            return Placed(kind=kind, id=id, truth=truth, department=department)
        best = link.visit_id or next((one["visit_id"] for one in link.evidence.get("candidates", ())), None)
        return Placed(
            kind=kind,
            id=id,
            truth=truth,
            visit=self.visits[link.visit_id]
            if link.state == Link.State.LINKED and link.visit_id is not None
            else None,
            best=self.visits.get(best) if best else None,
            chance=link.score,
            tier=link.method,
            department=department,
        )


def evaluate_links(ledger: Ledger) -> dict[str, Any]:
    """Report for `evaluate_correlation`: links by kind, tier and department, and those whose id a noise profile hid."""
    practices = athena_ids()
    weights = {athena_id: use_own_weights(pk) for pk, athena_id in practices.items()}
    labels = Labels(ledger)
    names = labels.of_visits(Visit.objects.all(), practices)
    placed = list(place(ledger, Placing(names, practices)))
    parts = {kind: [row for row in placed if row.kind == kind] for kind in KINDS}
    true = set(labels.true_visit.values())
    return {
        "weights": weights,
        "links": {
            name: tally(part).report(*LINK_COUNTS) for name, part in (parts | lone(ledger, placed)).items()
        },
        "visits": evaluate_visits(true, list(names.values())),
        "seen": visits_seen(placed, true),
        "paid_for": {"all": covered(ledger, names, practices).report(*LINK_COUNTS)},
        **breakdown(placed),
    }


def covered(ledger: Ledger, names: Names, practices: Mapping[int, str]) -> Tally:
    """Pairs of a visit and a claim that pays for it beside its own; those a person is asked about are `abstained`."""
    true = {(f"{part.practice}/{part.visit}", f"{part.practice}/{part.claim}") for part in ledger.parts}
    rows = Coverage.objects.values_list("practice_id", "visit_id", "claim_id", "state")
    ours = {(names[visit], f"{practices[practice]}/{claim}"): state for practice, visit, claim, state in rows}
    found = {pair for pair, state in ours.items() if state == Coverage.State.COVERED}
    asked = {pair for pair, state in ours.items() if state == Coverage.State.ASKED}
    return Tally(
        tp=len(found & true), fp=len(found - true), fn=len(true - found), abstained=len(asked & true)
    )


def place(ledger: Ledger, placing: Placing) -> Iterator[Placed]:
    """Every record of the ledger, and every one of ours that is not in it."""
    records = records_by_kind(ledger)
    for kind in KINDS:
        known = {record_key(record): truth_of(record) for record in records.get(kind, [])}
        ours = {id for of, id in placing.links if of == kind}
        for id in [*known, *sorted(ours - known.keys())]:
            yield placing.of(kind, id, known.get(id, NOWHERE))


def lone(ledger: Ledger, placed: list[Placed]) -> dict[str, list[Placed]]:
    """Claims whose id a noise profile hid apart from those that never had one: hidden ids are the easier part."""
    seen = Claim.objects.filter(appointment_id="").values_list("practice__athena_id", "external_id")
    nameless = {f"{athena_id}/{id}" for athena_id, id in seen}
    hidden = {record_key(record) for record in ledger.records if record.kind == "claim" and record.hidden}
    claims = [row for row in placed if row.kind == "claim"]
    return {
        "claim_without_id": [row for row in claims if row.id in hidden | nameless],
        "claim_hidden_id": [row for row in claims if row.id in hidden],
        "claim_never_had_id": [row for row in claims if row.id in nameless - hidden],
    }


def truth_of(record: Record) -> Truth:
    visits = {f"{record.practice}/{record.visit}"} if record.visit else set()
    return Truth(frozenset(visits), record.linkable)


def evaluate_visits(true: set[str], named: list[str]) -> dict[str, int]:
    """One true visit may hold several slots, hence rows of ours. `wrong`: a split-off encounter, or no true
    visit."""
    return {
        "true": len(true),
        "found": len(true & set(named)),
        "wrong": sum(name not in true for name in named),
    }
