"""A small practice made by hand, one of each thing, for the server's tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from integrations.sandbox.store import Store
from integrations.sandbox.world import (
    Appointment,
    Charge,
    Claim,
    ClaimNote,
    Clinical,
    Department,
    Diagnosis,
    Encounter,
    Insurance,
    Patient,
    PayerSlot,
    Practice,
    Provider,
    Service,
)

PRACTICE, OTHER_PRACTICE = "195900", "195901"
NOW = datetime(2026, 3, 10, 15, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(days=3)
LAG = timedelta(minutes=5)
COLD = Diagnosis(icd10="J00", snomed="82272006", description="Common cold")


def department(id: str = "1", **over: object) -> Department:
    fields = {"name": "Main", "timezone": "America/New_York", "city": "Boston", "state": "MA"}
    return Department(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def provider(id: str = "21", **over: object) -> Provider:
    fields = {
        "first_name": "Ada",
        "last_name": "Moss",
        "npi": "1000000004",
        "specialty": "Family Medicine",
        "specialty_id": "008",
        "provider_type": "MD",
    }
    return Provider(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def patient(id: str = "7", **over: object) -> Patient:
    fields = {
        "first_name": "Ona",
        "last_name": "Petrel",
        "dob": date(1980, 2, 3),
        "sex": "F",
        "department_id": "1",
        "city": "Boston",
        "state": "MA",
        "zip": "02110",
        "registered_on": date(2024, 1, 2),
        "provider_id": "21",
    }
    return Patient(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def insurance(id: str = "63", **over: object) -> Insurance:
    fields = {
        "patient_id": "7",
        "package_id": "89474",
        "plan_name": "QUALCARE (PPO)",
        "payer_name": "Fund",
        "insurance_type": "Commercial",
        "member_id": "232323232",
        "sequence": 1,
        "eligibility_status": "Eligible",
        "eligibility_checked_on": date(2026, 1, 5),
    }
    return Insurance(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def appointment(id: str = "500", **over: object) -> Appointment:
    fields = {
        "department_id": "1",
        "provider_id": "21",
        "rendering_provider_id": "21",
        "day": date(2026, 3, 9),
        "start": time(9, 30),
        "minutes": 15,
        "type_id": "82",
        "type_name": "Any 15",
        "status": "3",
        "patient_id": "7",
        "scheduled_at": NOW - timedelta(days=9),
        "checked_in_at": datetime(2026, 3, 9, 13, 25, tzinfo=UTC),
        "checked_out_at": datetime(2026, 3, 9, 14, 5, tzinfo=UTC),
        "encounter_id": "900",
        "copay": Decimal(20),
    }
    return Appointment(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def encounter(id: str = "900", **over: object) -> Encounter:
    fields = {
        "patient_id": "7",
        "department_id": "1",
        "provider_id": "21",
        "day": date(2026, 3, 9),
        "started_at": datetime(2026, 3, 9, 13, 30, tzinfo=UTC),
        "ended_at": datetime(2026, 3, 9, 14, 0, tzinfo=UTC),
        "status": "CLOSED",
        "stage": "SIGNOFF",
        "progress": "CHECKEDOUT",
        "visit_name": "Any 15",
        "appointment_id": "500",
        "closed_at": datetime(2026, 3, 9, 15, 0, tzinfo=UTC),
        "diagnoses": (COLD,),
    }
    return Encounter(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def service(id: str = "40", **over: object) -> Service:
    fields = {
        "encounter_id": "900",
        "procedure_code": "99213",
        "description": "OFFICE VISIT",
        "icd10": ("J00",),
    }
    return Service(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def charge(id: str = "2801", **over: object) -> Charge:
    fields = {
        "procedure_code": "99213",
        "description": "OFFICE VISIT",
        "amount": Decimal("225"),
        "posted_on": date(2026, 3, 9),
    }
    return Charge(transaction_id=id, **{**fields, **over})  # type: ignore[arg-type]


def claim(id: str = "301", **over: object) -> Claim:
    fields = {
        "patient_id": "7",
        "department_id": "1",
        "billed_provider_id": "21",
        "service_day": date(2026, 3, 9),
        "created_at": datetime(2026, 3, 10, 2, 0, tzinfo=UTC),  # still March 9 in the East
        "appointment_id": "500",
        "charges": (charge(), charge("2802", procedure_code="G8553", amount=Decimal("0.01"))),
        "diagnoses": (COLD,),
        "primary": PayerSlot(status="BILLED", insurance_id="63"),
        "secondary": PayerSlot(status="CLOSED", note="None on file."),
        "patient": PayerSlot(status="COLLECT"),
        "notes": (ClaimNote(id="322", status="DROP"), ClaimNote(id="323", status="HOLD", text="Missing NPI")),
    }
    return Claim(id=id, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def clinical(id: str, resource: str, **over: object) -> Clinical:
    fields = {
        "patient_id": "7",
        "at": datetime(2026, 3, 9, 13, 45, tzinfo=UTC),
        "code": "8867-4",
        "code_system": "http://loinc.org",
        "display": "Heart rate",
        "encounter_id": "900",
        "provider_id": "21",
        "value": "72",
        "unit": "/min",
    }
    return Clinical(id=id, resource=resource, **{"modified": EARLIER, **fields, **over})  # type: ignore[arg-type]


def populate(path: Path) -> None:
    """One ordinary visit, paid by nobody yet, and a second practice with nothing in it."""
    with Store(path) as store, store.transaction():
        for practice in (PRACTICE, OTHER_PRACTICE):
            store.put(practice, "practice", [Practice(id=practice, modified=EARLIER, name="Practice")])
        store.put(PRACTICE, "department", [department(), department("2", timezone="America/Chicago")])
        store.put(PRACTICE, "provider", [provider()])
        store.put(PRACTICE, "patient", [patient()])
        store.put(PRACTICE, "insurance", [insurance()])
        store.put(PRACTICE, "appointment", [appointment()])
        store.put(PRACTICE, "encounter", [encounter()])
        store.put(PRACTICE, "service", [service()])
        store.put(PRACTICE, "claim", [claim()])
        facts = [
            clinical("1", "Observation"),
            clinical("2", "Condition", code="82272006", code_system="http://snomed.info/sct"),
            clinical("3", "MedicationRequest", code="198405"),
            clinical("4", "DocumentReference", code="34133-9", value="Seen, well."),
            clinical("5", "DiagnosticReport", code="", encounter_id=None, value=None),
        ]
        store.put(PRACTICE, "clinical", facts)


def populate_like_the_recordings(path: Path) -> None:
    """What the recorded practices had beside `populate`: other states of the same things."""
    tomorrow = NOW.date() + timedelta(days=1)
    here = {"status": "2", "checked_out_at": None, "encounter_id": "901"}
    with Store(path) as store, store.transaction():
        arrived = appointment("501", **here)
        expected = appointment("502", status="f", day=tomorrow, checked_in_at=None, encounter_id=None)
        free = appointment("503", status="o", day=tomorrow, patient_id=None, encounter_id=None)
        store.put(PRACTICE, "appointment", [arrived, expected, free])
        with_doctor = {"status": "OPEN", "stage": "EXAM", "progress": "READYFORPROVIDER", "closed_at": None}
        store.put(PRACTICE, "encounter", [encounter("901", appointment_id="501", **with_doctor)])
        cancelled = {"cancelled_on": date(2026, 2, 1), "expires_on": date(2026, 12, 31)}
        store.put(PRACTICE, "patient", [patient("8")])
        store.put(PRACTICE, "provider", [provider("22", specialty_id="26", supervisor_id="21")])
        store.put(PRACTICE, "insurance", [insurance("64", **cancelled)])
        store.put(
            PRACTICE,
            "claim",
            [claim(notes=(ClaimNote(id="1", status="DROP"), ClaimNote(id="2", status="CLOSED", text="OK")))],
        )
