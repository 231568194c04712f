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
from athena_dash.records.models import ChargeLine
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
    hidden = [record for record in records.get("claim", []) if record.hidden or record.reason]
    ids = {record_key(record) for record in hidden}
    without_id = compare(hidden, {id: visit for id, visit in found["claim"].items() if id in ids})
    return {
        "links": links | {"claim_without_id": without_id.report(*LINK_COUNTS)},
        "visits": evaluate_visits(labels, list(visits.values())),
    }


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
