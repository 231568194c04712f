"""The ledger and our rows → the same names for the same visits, so that they can be compared.

Our visit is called what the truth calls the appointment or encounter it is anchored at. An encounter's own
visit where the truth has an appointment for it is a split, and is never right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from integrations.sandbox.ledger import Ledger, Record

ENCOUNTERS = ("encounter", "stay")


class Labels:
    """Names are "{athena practice id}/{true visit}"; record ids are "{athena practice id}/{id}"."""

    def __init__(self, ledger: Ledger) -> None:
        self.true_visit: dict[tuple[str, str], str] = {}
        with_appointment = set()
        for record in ledger.records:
            if record.visit is None:
                continue
            name = f"{record.practice}/{record.visit}"
            if record.kind == "appointment":
                self.true_visit["appointment", f"{record.practice}/{record.id}"] = name
                with_appointment.add(name)
            elif record.kind in ENCOUNTERS:
                id = record.id if record.kind == "encounter" else f"stay-{record.id}"
                self.true_visit["encounter", f"{record.practice}/{id}"] = name
        self.with_appointment = with_appointment

    def of_visits(self, visits: Iterable[Visit], practices: Mapping[int, str]) -> dict[int, str]:
        """Visit row id → true name, or "split …" / "unknown …" where there is no such true visit."""
        return {visit.pk: self.of(visit, practices[visit.practice_id]) for visit in visits}

    def of(self, visit: Visit, athena_id: str) -> str:
        key = f"{athena_id}/{visit.anchor_id}"
        name = self.true_visit.get((visit.anchor, key))
        if name is None:
            return f"unknown {key}"
        if visit.anchor == Visit.Anchor.ENCOUNTER and name in self.with_appointment:
            return f"split {key}"
        return name


def athena_ids() -> dict[int, str]:
    return dict(Practice.objects.values_list("pk", "athena_id"))


def records_by_kind(ledger: Ledger) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in ledger.records:
        found["encounter" if record.kind in ENCOUNTERS else record.kind].append(record)
    return dict(found)


def record_key(record: Record) -> str:
    id = f"stay-{record.id}" if record.kind == "stay" else record.id
    return f"{record.practice}/{id}"


def clinical_number(logical_id: str) -> str:
    """The ledger counts clinical facts by number; FHIR spells them a-{practice}.{kind}-{number}."""
    return logical_id.rpartition("-")[2]
