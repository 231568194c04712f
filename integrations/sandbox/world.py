"""What exists inside the synthetic athenahealth, free of any wire quirk: frozen structs, ids as decimal strings.

`population` makes these, `store` keeps them, `server` renders them as athenaOne v1 or FHIR R4 with athena's drift.
All instants are aware UTC; all dates are the department's local dates; all money is Decimal dollars.
The true visit of a record is never part of a struct: it is only in the ledger.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import msgspec


class Thing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Anything athena keeps. `id` is unique per practice and kind."""

    id: str
    modified: datetime


class Practice(Thing, frozen=True, kw_only=True):
    name: str
    clinicals: bool = True


class Department(Thing, frozen=True, kw_only=True):
    name: str
    timezone: str  # IANA name, e.g. "America/New_York"
    city: str
    state: str
    place_of_service: str = "11"  # CMS POS code
    clinicals: bool = True


class Provider(Thing, frozen=True, kw_only=True):
    first_name: str
    last_name: str
    npi: str
    specialty: str
    specialty_id: str  # three digits with leading zeros, e.g. "008"
    provider_type: str  # "MD", "NP", ...
    billable: bool = True
    create_encounter_on_checkin: bool = True
    supervisor_id: str | None = None


class Patient(Thing, frozen=True, kw_only=True):
    first_name: str
    last_name: str
    dob: date
    sex: str  # "M" | "F"
    department_id: str
    provider_id: str | None = None
    status: str = "active"  # active | inactive | prospective | deleted
    merged_into: str | None = None  # set on the losing patient of a merge
    previous_ids: tuple[str, ...] = ()  # on the surviving patient
    city: str = ""
    state: str = ""
    zip: str = ""
    registered_on: date | None = None


class Insurance(Thing, frozen=True, kw_only=True):
    patient_id: str
    package_id: str
    plan_name: str
    payer_name: str  # athena's ircname
    insurance_type: str  # "Commercial", "Medicare Part B", "Medicaid", ...
    member_id: str
    sequence: int  # 1 primary, 2 secondary
    eligibility_status: str = "Unverified"  # Eligible | Ineligible | Unverified
    eligibility_checked_on: date | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    cancelled_on: date | None = None


class Appointment(Thing, frozen=True, kw_only=True):
    department_id: str
    provider_id: str
    day: date
    start: time  # local to the department
    minutes: int
    type_id: str
    type_name: str
    status: str  # o open, f future, x cancelled, 2 checked in, 3 checked out, 4 charge entered
    patient_id: str | None = None
    rendering_provider_id: str | None = None
    supervising_provider_id: str | None = None
    scheduled_at: datetime | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    intake_done_at: datetime | None = None
    exam_done_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    cancel_no_show: bool = False
    rescheduled_to: str | None = None  # the new appointment's id
    charge_entry_not_required: bool = False
    charge_entry_not_required_reason: str | None = None
    encounter_id: str | None = None
    copay: Decimal = Decimal(0)


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    icd10: str
    snomed: str
    description: str


class Encounter(Thing, frozen=True, kw_only=True):
    patient_id: str
    department_id: str
    provider_id: str
    day: date
    started_at: datetime
    kind: str = "VISIT"  # VISIT | ORDERSONLY | FLOWSHEET
    status: str = "OPEN"  # OPEN | CLOSED | REVIEW | PEND | DELETED
    stage: str = "INTAKE"  # INTAKE | EXAM | SIGNOFF
    progress: str = "READYFORSTAFF"  # READYFORSTAFF | WITHSTAFF | READYFORPROVIDER | CHECKEDOUT
    visit_name: str = ""
    appointment_id: str | None = None
    ended_at: datetime | None = None
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    inpatient: bool = False  # FHIR id kind `stay` instead of `encounter`; invisible in /chart


class Service(Thing, frozen=True, kw_only=True):
    """A service documented in an encounter (athena's serviceid): the clinical side of a charge."""

    encounter_id: str
    procedure_code: str
    description: str
    units: int = 1
    modifiers: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    bill_for_service: bool = True


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a claim, keyed by athena's transactionid."""

    transaction_id: str
    procedure_code: str
    description: str
    amount: Decimal
    units: int = 1
    posted_on: date
    payments: Decimal = Decimal(0)
    adjustments: Decimal = Decimal(0)
    payer: str = "PRIMARY"  # who holds the balance: PRIMARY | SECONDARY | PATIENT


class PayerSlot(msgspec.Struct, frozen=True, kw_only=True):
    status: str  # HOLD, MGRHOLD, DROP, BILLED, FOLLOWUP, CLOSED, COLLECT, ... an open set
    insurance_id: str | None = None  # None renders as "0": nobody / self-pay
    note: str | None = None


class ClaimNote(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    text: str | None = None
    pending: str = "undef"


class Claim(Thing, frozen=True, kw_only=True):
    patient_id: str
    department_id: str
    billed_provider_id: str
    service_day: date
    created_at: datetime
    appointment_id: str | None = None
    supervising_provider_id: str | None = None
    charges: tuple[Charge, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    primary: PayerSlot
    secondary: PayerSlot
    patient: PayerSlot
    notes: tuple[ClaimNote, ...] = ()
    voided: bool = False  # v1 shows no such flag: a voided claim's lines net to zero and its slots are CLOSED


class Clinical(Thing, frozen=True, kw_only=True):
    """A FHIR-only clinical fact: Observation, Condition, MedicationRequest, DocumentReference, DiagnosticReport."""

    resource: str
    patient_id: str
    at: datetime
    code: str
    code_system: str
    display: str
    encounter_id: str | None = None  # None: an orphan, e.g. an outside lab result
    provider_id: str | None = None
    value: str | None = None
    unit: str | None = None
    status: str = "final"
    category: str = ""


class Subscription(Thing, frozen=True, kw_only=True):
    """A changed feed's subscription; `id` is "{api key}:{feed}". Events flow once `active_at` has passed."""

    feed: str
    api_key: str
    active_at: datetime
    events: tuple[str, ...] = ()
    department_ids: tuple[str, ...] = ()


KINDS: dict[str, type[Thing]] = {
    "practice": Practice,
    "department": Department,
    "provider": Provider,
    "patient": Patient,
    "insurance": Insurance,
    "appointment": Appointment,
    "encounter": Encounter,
    "service": Service,
    "claim": Claim,
    "clinical": Clinical,
    "subscription": Subscription,
}
