"""What athena has, read from the sandbox's own store, as rows of our tables: the proof does not go through our reading.

A table's rule says which of athena's records we must hold (`required`) and what they must say. Some records athena
announces; others we only learn by asking, and `asked` then names the question (feed, its key): one that changed in
silence after it was last asked about may still be older here, and is counted apart. Nobody can ask about what is
`part_of` one that we do not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from athena_dash.sync.walks import AHEAD, DAY, HISTORY
from integrations.sandbox.server.fhir.ids import CLINICAL_KINDS, logical
from integrations.sandbox.server.wire import EASTERN
from integrations.sandbox.store import Store
from integrations.sandbox.world import (
    KINDS,
    Appointment,
    Claim,
    Clinical,
    Department,
    Encounter,
    Insurance,
    Patient,
    Provider,
    Service,
    Thing,
)

T = TypeVar("T", bound=Thing)
CAME = frozenset({"2", "3", "4"})
DOCUMENTED = (frozenset({"VISIT", "ORDERSONLY"}), frozenset({"OPEN", "REVIEW", "CLOSED"}))
FEED_OF_FACT = {
    "Observation": "observations",
    "Condition": "conditions",
    "MedicationRequest": "medication_requests",
    "DocumentReference": "document_references",
    "DiagnosticReport": "diagnostic_reports",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    key: str
    says: Mapping[str, Any]  # column → value
    modified: datetime
    required: bool = True
    asked: tuple[str, str] | None = None
    part_of: Row | None = None


@dataclass
class Truth:
    """One practice of the sandbox at one instant."""

    athena_id: str
    now: datetime
    things: dict[type[Thing], list[Any]]
    survivors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, athena_id: str, now: datetime) -> Truth:
        with Store(path) as store, store.transaction():  # one instant: life goes on while we read
            things = {struct: list(store.find(athena_id, kind)) for kind, struct in KINDS.items()}
        merged = {
            one.id: one.merged_into for one in things[Patient] if isinstance(one, Patient) and one.merged_into
        }
        return cls(athena_id, now, things, merged)

    def of(self, struct: type[T]) -> list[T]:
        return self.things[struct]

    def person(self, patient_id: str | None) -> str:
        """After all merges: which records a merge re-points is athena's secret."""
        named = patient_id or ""
        while named in self.survivors:
            named = self.survivors[named]
        return named

    def rows(self, table: str) -> Iterator[Row]:
        return RULES[table](self)

    def near(self, day: Any) -> bool:
        """Inside the windows a practice is asked for, with a day's margin."""
        today = self.now.date()
        return bool(today - HISTORY + DAY < day < today + AHEAD - DAY)

    def booked(self) -> list[Appointment]:
        return [
            one for one in self.of(Appointment) if one.patient_id and one.status != "o" and self.near(one.day)
        ]

    def seen(self) -> set[str]:
        return {one.patient_id or "" for one in self.booked() if one.status in CAME}

    def known(self) -> set[str]:
        """Patients whom an appointment or a claim names."""
        claims = {claim.patient_id for claim in self.of(Claim) if self.recent(claim)}
        return {one.patient_id or "" for one in self.booked()} | claims

    def recent(self, claim: Claim) -> bool:
        return self.near(claim.created_at.date())


def departments(truth: Truth) -> Iterator[Row]:
    for one in truth.of(Department):
        yield Row(key=one.id, says={"name": one.name, "timezone": one.timezone}, modified=one.modified)


def providers(truth: Truth) -> Iterator[Row]:
    for one in truth.of(Provider):
        says = {"first_name": one.first_name, "last_name": one.last_name, "npi": one.npi}
        yield Row(key=one.id, says=says, modified=one.modified)


def patients(truth: Truth) -> Iterator[Row]:
    known = truth.known()
    for one in truth.of(Patient):
        says: dict[str, Any] = {"merged_into": truth.person(one.merged_into)}
        if one.id in known or not one.merged_into:  # of one merged away long ago we need no more than that
            says |= {"first_name": one.first_name, "last_name": one.last_name, "dob": one.dob, "sex": one.sex}
            says |= {"status": one.status, "department_id": one.department_id}
        yield Row(key=one.id, says=says, modified=one.modified, required=one.id in known)


def insurances(truth: Truth) -> Iterator[Row]:
    known = truth.known()
    for one in truth.of(Insurance):
        says = {
            "patient_id": truth.person(one.patient_id),
            "plan_name": one.plan_name,
            "sequence": one.sequence,
        }
        says |= {"eligibility_status": one.eligibility_status, "cancelled_on": one.cancelled_on}
        yield Row(
            key=one.id,
            says=says,
            modified=one.modified,
            required=one.patient_id in known,
            asked=("insurances", one.patient_id),
        )


def appointments(truth: Truth) -> Iterator[Row]:
    inpatient = {one.id for one in truth.of(Encounter) if one.inpatient}
    exists = {one.id for one in truth.of(Encounter)}
    required = {one.id for one in truth.booked()}
    for one in truth.of(Appointment):
        charted = one.encounter_id in exists and one.encounter_id not in inpatient
        says = {
            "patient_id": truth.person(one.patient_id),
            "department_id": one.department_id,
            "provider_id": one.provider_id,
            "date": one.day,
            "start": one.start,
            "minutes": one.minutes,
            "status": one.status,
            "checked_in_at": second(one.checked_in_at),
            "checked_out_at": second(one.checked_out_at),
            "rescheduled_to": (one.rescheduled_to if one.status == "x" else None) or "",
            "charge_entry_not_required": one.charge_entry_not_required,
            "encounter_id": (one.encounter_id if charted else None) or "",
        }
        yield Row(key=one.id, says=says, modified=one.modified, required=one.id in required)


def encounters(truth: Truth) -> Iterator[Row]:
    """As `/chart` shows them. An inpatient stay is FHIR's alone."""
    seen = truth.seen()
    for one in truth.of(Encounter):
        says: dict[str, Any] = {"patient_id": truth.person(one.patient_id)}
        required = one.patient_id in seen
        if not one.inpatient:
            says |= {
                "appointment_id": one.appointment_id or "",
                "department_id": one.department_id,
                "provider_id": one.provider_id,
                "date": one.day,
                "kind": one.kind,
                "status": one.status,
                "closed_on": eastern_day(one.closed_at),
            }
        yield Row(
            key=f"stay-{one.id}" if one.inpatient else one.id,
            says=says,
            modified=one.modified,
            required=required,
            asked=("fhir_encounters" if one.inpatient else "encounters", one.patient_id),
        )


def services(truth: Truth) -> Iterator[Row]:
    seen = truth.seen()
    kinds, statuses = DOCUMENTED
    charts = {
        one.id
        for one in truth.of(Encounter)
        if one.patient_id in seen and one.kind in kinds and one.status in statuses and not one.inpatient
    }
    charted = {row.key: row for row in encounters(truth)}
    for one in truth.of(Service):
        says = {
            "encounter_id": one.encounter_id,
            "procedure_code": one.procedure_code,
            "units": Decimal(one.units),
            "modifiers": list(one.modifiers),
            "bill_for_service": one.bill_for_service,
        }
        yield Row(
            key=one.id,
            says=says,
            modified=one.modified,
            required=one.encounter_id in charts,
            asked=("services", one.encounter_id),
            part_of=charted.get(one.encounter_id),
        )


def claims(truth: Truth) -> Iterator[Row]:
    for one in truth.of(Claim):
        slots = {"primary": one.primary, "secondary": one.secondary, "patient": one.patient}
        says: dict[str, Any] = {
            f"{name}_status": "CLOSED" if one.voided else slot.status for name, slot in slots.items()
        }
        says |= {
            "patient_id": truth.person(one.patient_id),
            "department_id": one.department_id,
            "billed_provider_id": one.billed_provider_id,
            "service_date": one.service_day,
            "created_date": eastern_day(one.created_at),
            "diagnosis_codes": [each.icd10 for each in one.diagnoses],
            "procedure_codes": [line.procedure_code for line in one.charges],
        }
        if one.charges:
            says["charge_amount"] = sum((line.amount for line in one.charges), Decimal(0))
        if one.appointment_id:
            says["appointment_id"] = one.appointment_id
        yield Row(key=one.id, says=says, modified=one.modified, required=truth.recent(one))


def charge_lines(truth: Truth) -> Iterator[Row]:
    """What the claim says of its lines."""
    for claim in truth.of(Claim):
        for line in claim.charges:
            says = {"claim_id": claim.id, "procedure_code": line.procedure_code, "amount": line.amount}
            yield Row(
                key=line.transaction_id, says=says, modified=claim.modified, required=truth.recent(claim)
            )


def money(truth: Truth) -> Iterator[Row]:
    """What the transactions say of the same lines."""
    for claim in truth.of(Claim):
        for line in claim.charges:
            payments = Decimal(0) if claim.voided else line.payments
            adjustments = line.amount if claim.voided else line.adjustments
            says = {"payments": payments, "adjustments": adjustments, "posted_on": line.posted_on}
            yield Row(
                key=line.transaction_id,
                says=says,
                modified=claim.modified,
                required=truth.recent(claim),
                asked=("transactions", claim.id),
            )


def claim_notes(truth: Truth) -> Iterator[Row]:
    for claim in truth.of(Claim):
        closed = claim.voided or {claim.primary.status, claim.secondary.status} <= {"", "CLOSED"}
        for note in claim.notes:
            says = {"claim_id": claim.id, "status": note.status, "pending": note.pending}
            yield Row(
                key=f"{claim.id}/{note.id}",
                says=says,
                modified=claim.modified,
                required=not closed and truth.recent(claim),
                asked=("claim_notes", claim.id),
            )


def clinical_facts(truth: Truth) -> Iterator[Row]:
    """FHIR finds nothing by the id of a patient who was merged away."""
    seen = truth.seen()
    encounters = {one.id: one for one in truth.of(Encounter)}
    for one in truth.of(Clinical):
        about = encounters.get(one.encounter_id or "")
        says = {
            "resource": one.resource,
            "patient_id": truth.person(one.patient_id),
            "encounter_id": (f"stay-{about.id}" if about.inpatient else about.id) if about else "",
            "code": one.code,
        }
        yield Row(
            key=logical(truth.athena_id, CLINICAL_KINDS[one.resource], one.id),
            says=says,
            modified=one.modified,
            required=one.patient_id in seen and one.patient_id not in truth.survivors,
            asked=(FEED_OF_FACT[one.resource], one.patient_id),
        )


RULES = {
    "Department": departments,
    "Provider": providers,
    "Patient": patients,
    "Insurance": insurances,
    "Appointment": appointments,
    "Encounter": encounters,
    "ServiceLine": services,
    "Claim": claims,
    "ChargeLine": charge_lines,
    "ChargeLine money": money,
    "ClaimNote": claim_notes,
    "ClinicalFact": clinical_facts,
}
"""By table; a second view of one stands after a space."""


def second(at: datetime | None) -> datetime | None:
    """v1's stamps carry no fractions."""
    return at.replace(microsecond=0) if at else None


def eastern_day(at: datetime | None) -> Any:
    return at.astimezone(EASTERN).date() if at else None
