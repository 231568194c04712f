"""Links in the database against the ledger: precision and recall by kind of record."""

from __future__ import annotations

from typing import Any

from athena_dash.correlation.models import Link, Visit
from athena_dash.operations.evaluation.labels import (
    Labels,
    athena_ids,
    clinical_number,
    record_key,
    records_by_kind,
)
from athena_dash.operations.evaluation.score import LINK_COUNTS, Tally, Truth, score_links
from athena_dash.records.models import ChargeLine, Claim
from integrations.sandbox.ledger import Ledger, Record

KINDS = ("claim", "encounter", "charge", "clinical")


def evaluate_links(ledger: Ledger) -> dict[str, Any]:
    """Report for `evaluate_correlation`: links by kind, and those whose id a noise profile hid; visits."""
    labels, practices = Labels(ledger), athena_ids()
    visits = labels.of_visits(Visit.objects.all(), practices)
    found = {kind: dict[str, str]() for kind in KINDS}
    for link in Link.objects.filter(state=Link.State.LINKED, visit__isnull=False):
        if link.kind in found:
            id = clinical_number(link.record_id) if link.kind == "clinical" else link.record_id
            found[link.kind][f"{practices[link.practice_id]}/{id}"] = visits[link.visit_id]
    for line in ChargeLine.objects.filter(gone_at__isnull=True):
        athena_id = practices[line.practice_id]
        if visit := found["claim"].get(f"{athena_id}/{line.claim_id}"):
            found["charge"][f"{athena_id}/{line.external_id}"] = visit
    records = records_by_kind(ledger)
    links = {kind: compare(records.get(kind, []), found[kind]).report(*LINK_COUNTS) for kind in KINDS}
    return {
        "links": links | without_id(records.get("claim", []), found["claim"]),
        "visits": evaluate_visits(labels, list(visits.values())),
    }


def without_id(claims: list[Record], found: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Claims whose id a noise profile hid apart from those that never had one: hidden ids are the easier part."""
    seen = Claim.objects.filter(appointment_id="").values_list("practice__athena_id", "external_id")
    nameless = {f"{athena_id}/{id}" for athena_id, id in seen}
    hidden = [record for record in claims if record.hidden]
    native = [record for record in claims if not record.hidden and record_key(record) in nameless]
    parts = {"claim_without_id": hidden + native, "claim_hidden_id": hidden, "claim_never_had_id": native}
    return {name: compare(part, among(part, found)).report(*LINK_COUNTS) for name, part in parts.items()}


def among(records: list[Record], found: dict[str, str]) -> dict[str, str]:
    ids = {record_key(record) for record in records}
    return {id: visit for id, visit in found.items() if id in ids}


def compare(records: list[Record], found: dict[str, str]) -> Tally:
    return score_links({record_key(record): truth_of(record) for record in records}, found)


def truth_of(record: Record) -> Truth:
    visits = {f"{record.practice}/{record.visit}"} if record.visit else set()
    return Truth(frozenset(visits), record.linkable)


def evaluate_visits(labels: Labels, named: list[str]) -> dict[str, int]:
    """One true visit may hold several slots, hence rows of ours. `wrong`: a split-off encounter, or no true
    visit."""
    true = set(labels.true_visit.values())
    return {
        "true": len(true),
        "found": len(true & set(named)),
        "wrong": sum(name not in true for name in named),
    }
