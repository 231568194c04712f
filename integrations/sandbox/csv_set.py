"""A generated practice → the CSV files of docs/evaluation.md, with the truth of its ledger: what an export would hold.

Instants of encounters are true and carry their zone; the days of claims are what the noise profile made of them.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from integrations.sandbox.ledger import Record, read_truth
from integrations.sandbox.store import Store
from integrations.sandbox.world import Appointment, Claim, Encounter, Patient, Service, Thing

Row = dict[str, object]
T = TypeVar("T", bound=Thing)

NOT_CHARTED = "no encounter was charted"
HIDDEN = "its id was hidden by the noise profile"


def write_csv_set(store: Store, practice: str, directory: Path) -> None:
    """One practice; `directory` is made if need be, and files of these names in it are replaced."""
    directory.mkdir(parents=True, exist_ok=True)
    zones = {site.id: getattr(site, "timezone", "") for site in store.find(practice, "department")}
    truth = [row for row in read_truth(store) if isinstance(row, Record) and row.practice == practice]
    for name, rows in (
        ("encounters", encounters(store, practice, zones)),
        ("claims", claims(store, practice)),
        ("charges", charges(store, practice)),
        ("merges", merges(store, practice)),
        ("truth", truths(truth)),
    ):
        write(directory / f"{name}.csv", rows)


def write(path: Path, rows: Iterator[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        first = next(rows, None)
        if first is None:
            path.unlink()
            return
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


def encounters(store: Store, practice: str, zones: dict[str, str]) -> Iterator[Row]:
    """Without an appointment of its own, an encounter takes it from the appointment that names it."""
    services: dict[str, list[str]] = defaultdict(list)
    for service in of(Service, store, practice, "service"):
        services[service.encounter_id].append(service.procedure_code)
    named = {
        appointment.encounter_id: appointment.id
        for appointment in of(Appointment, store, practice, "appointment")
        if appointment.encounter_id
    }
    for encounter in of(Encounter, store, practice, "encounter"):
        zone = zones.get(encounter.department_id, "")
        yield {
            "encounter_id": encounter.id,
            "appointment_id": encounter.appointment_id or named.get(encounter.id, ""),
            "patient_id": encounter.patient_id,
            "service_start": encounter.started_at.astimezone(ZoneInfo(zone or "UTC")).isoformat(),
            "timezone": zone,
            "provider_id": encounter.provider_id,
            "department_id": encounter.department_id,
            "class": "IMP" if encounter.inpatient else "AMB",
            "procedure_codes": "|".join(services[encounter.id]),
            "diagnosis_codes": "|".join(diagnosis.icd10 for diagnosis in encounter.diagnoses),
        }


def claims(store: Store, practice: str) -> Iterator[Row]:
    for claim in of(Claim, store, practice, "claim"):
        yield {
            "claim_id": claim.id,
            "patient_id": claim.patient_id,
            "service_date": claim.service_day,
            "billed_provider_id": claim.billed_provider_id,
            "department_id": claim.department_id,
            "appointment_id": claim.appointment_id or "",
            "amount": sum(charge.amount for charge in claim.charges),
            "procedure_codes": "|".join(charge.procedure_code for charge in claim.charges),
            "diagnosis_codes": "|".join(diagnosis.icd10 for diagnosis in claim.diagnoses),
        }


def charges(store: Store, practice: str) -> Iterator[Row]:
    for claim in of(Claim, store, practice, "claim"):
        for charge in claim.charges:
            yield {
                "charge_id": charge.transaction_id,
                "claim_id": claim.id,
                "patient_id": claim.patient_id,
                "service_date": claim.service_day,
                "provider_id": claim.billed_provider_id,
                "department_id": claim.department_id,
                "procedure_code": charge.procedure_code,
                "amount": charge.amount,
            }


def merges(store: Store, practice: str) -> Iterator[Row]:
    for patient in of(Patient, store, practice, "patient"):
        if patient.merged_into:
            yield {
                "old_patient_id": patient.id,
                "patient_id": patient.merged_into,
                "merged_on": patient.modified.date(),
            }


def truths(records: Iterable[Record]) -> Iterator[Row]:
    """A visit has one encounter at most; what was billed without one belongs to none."""
    records = list(records)
    charted = {row.visit: row.id for row in records if row.kind in ("encounter", "stay") and row.visit}
    for record in records:
        if record.kind in ("claim", "charge"):
            encounter = charted.get(record.visit, "") if record.visit else ""
            yield {
                "kind": record.kind,
                "id": record.id,
                "encounter_id": encounter,
                "reason": record.reason or (HIDDEN if record.hidden else "" if encounter else NOT_CHARTED),
            }


def of(kind: type[T], store: Store, practice: str, name: str) -> Iterator[T]:
    for thing in store.find(practice, name):
        if isinstance(thing, kind):
            yield thing
