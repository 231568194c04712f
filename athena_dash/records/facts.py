"""Frozen facts: what one view of one payload says about one row. Made by sync.normalise, written by records.upsert.

A fact class is a *view*: its fields are exactly the columns that view carries, so that a view which does not know a
column can never null it. An empty value inside a carried column is real ("athena no longer says"). Instants are aware
UTC, dates department-local, money Decimal dollars, ids text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar

import msgspec

SLOTS = ("primary", "secondary", "patient")
"""Of a claim: who is asked to pay. Each has a status, "{slot}_status"."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """`table` names the model of records.models; `external_id` is the row's natural key inside the practice.

    `since` names, for columns whose changes are dated, the column that keeps when we saw its present value begin: null
    while it is what this view said first, which was at the instant in the column `first_seen` names.
    """

    table: ClassVar[str]
    first_seen: ClassVar[str] = ""
    since: ClassVar[Mapping[str, str]] = MappingProxyType({})
    external_id: str


class DepartmentFact(Fact, frozen=True, kw_only=True):
    table = "department"
    name: str = ""
    timezone: str = "America/New_York"
    place_of_service: str = ""
    clinicals: bool = True


class ProviderFact(Fact, frozen=True, kw_only=True):
    table = "provider"
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    npi: str = ""
    specialty: str = ""
    billable: bool = True
    creates_encounter: bool = True


class PatientFact(Fact, frozen=True, kw_only=True):
    table = "patient"
    first_name: str = ""
    last_name: str = ""
    dob: dt.date | None = None
    sex: str = ""
    status: str = ""
    department_id: str = ""
    provider_id: str = ""
    previous_ids: tuple[str, ...] = ()


class PatientMerge(Fact, frozen=True, kw_only=True):
    """Said of a losing patient by the survivor's previouspatientids."""

    table = "patient"
    merged_into: str = ""


class FhirPatient(Fact, frozen=True, kw_only=True):
    """Names stay athenaOne's: two views of one column would take turns overwriting it."""

    table = "patient"
    fhir_id: str = ""
    fhir_active: bool | None = None


class InsuranceFact(Fact, frozen=True, kw_only=True):
    table = "insurance"
    patient_id: str = ""
    package_id: str = ""
    plan_name: str = ""
    payer_name: str = ""
    insurance_type: str = ""
    sequence: int | None = None
    eligibility_status: str = ""
    eligibility_checked_on: dt.date | None = None
    issued_on: dt.date | None = None
    expires_on: dt.date | None = None
    cancelled_on: dt.date | None = None


class AppointmentFact(Fact, frozen=True, kw_only=True):
    table = "appointment"
    patient_id: str = ""
    department_id: str = ""
    provider_id: str = ""
    rendering_provider_id: str = ""
    supervising_provider_id: str = ""
    date: dt.date | None = None
    start: dt.time | None = None
    starts_at: dt.datetime | None = None
    minutes: int | None = None
    type_name: str = ""
    status: str = ""
    scheduled_at: dt.datetime | None = None
    checked_in_at: dt.datetime | None = None
    checked_out_at: dt.datetime | None = None
    exam_done_at: dt.datetime | None = None
    cancelled_at: dt.datetime | None = None
    cancel_reason: str = ""
    no_show: bool = False
    rescheduled_to: str = ""
    charge_entry_not_required: bool = False
    charge_entry_not_required_reason: str = ""
    encounter_id: str = ""
    encounter_state: str = ""
    encounter_status: str = ""
    copay: Decimal | None = None


class BriefEncounter(Fact, frozen=True, kw_only=True):
    """athenaOne's `/chart` view, where it was not told the diagnoses."""

    table = "encounter"
    appointment_id: str = ""
    patient_id: str = ""
    department_id: str = ""
    provider_id: str = ""
    date: dt.date | None = None
    kind: str = ""
    status: str = ""
    stage: str = ""
    visit_name: str = ""
    closed_on: dt.date | None = None
    reopened_on: dt.date | None = None


class ChartEncounter(BriefEncounter, frozen=True, kw_only=True):
    diagnosis_codes: tuple[str, ...] = ()


class FhirEncounter(Fact, frozen=True, kw_only=True):
    """FHIR's view of the same encounter, or of a stay that `/chart` does not know."""

    table = "encounter"
    patient_id: str = ""
    fhir_id: str = ""
    fhir_status: str = ""
    fhir_class: str = ""
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None


class ServiceFact(Fact, frozen=True, kw_only=True):
    table = "serviceline"
    encounter_id: str
    procedure_code: str = ""
    description: str = ""
    units: Decimal | None = None
    modifiers: tuple[str, ...] = ()
    bill_for_service: bool = True


class ClinicalFact(Fact, frozen=True, kw_only=True):
    table = "clinicalfact"
    resource: str
    patient_id: str = ""
    encounter_id: str = ""
    provider_id: str = ""
    at: dt.datetime | None = None
    code: str = ""
    code_system: str = ""
    display: str = ""
    status: str = ""
    category: str = ""
    value: str = ""
    unit: str = ""


class ClaimFact(Fact, frozen=True, kw_only=True):
    """A claim from `/claims`. athena dates no status, so we do."""

    table = "claim"
    first_seen = "first_seen"
    since = MappingProxyType(
        {f"{slot}_status": f"{slot}_since" for slot in ("primary", "secondary", "patient")}
    )
    patient_id: str = ""
    department_id: str = ""
    billed_provider_id: str = ""
    supervising_provider_id: str = ""
    service_date: dt.date | None = None
    created_date: dt.date | None = None
    charge_amount: Decimal | None = None
    primary_status: str = ""
    primary_insurance_id: str = ""
    secondary_status: str = ""
    secondary_insurance_id: str = ""
    patient_status: str = ""
    diagnosis_codes: tuple[str, ...] = ()
    procedure_codes: tuple[str, ...] = ()


class ClaimOfAppointment(ClaimFact, frozen=True, kw_only=True):
    """A claim from `/claims` that names its appointment: of one that does not, another view may know it."""

    appointment_id: str


class ClaimAppointment(Fact, frozen=True, kw_only=True):
    """The bridge, from the appointment that nests the claim."""

    table = "claim"
    appointment_id: str


class ChargeFact(Fact, frozen=True, kw_only=True):
    """A procedure of a claim payload."""

    table = "chargeline"
    claim_id: str
    procedure_code: str = ""
    description: str = ""
    amount: Decimal | None = None


class TransactionFact(Fact, frozen=True, kw_only=True):
    """A row of `/claimtransactions`: the only view of money received. Code and amount stay the claim's."""

    table = "chargeline"
    claim_id: str
    units: Decimal | None = None
    posted_on: dt.date | None = None
    payments: Decimal | None = None
    adjustments: Decimal | None = None
    outstanding: Decimal | None = None
    payer: str = ""


class ClaimNoteFact(Fact, frozen=True, kw_only=True):
    table = "claimnote"
    claim_id: str
    status: str = ""
    text: str = ""
    pending: str = ""


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """The whole list of children a payload gave for one parent: rows of that parent not named here are gone."""

    table: str
    parent_column: str  # "claim_id", "encounter_id", "patient_id"
    parent_id: str
    external_ids: tuple[str, ...]


class Sourced(msgspec.Struct, frozen=True):
    """A fact or roster with where it came from: the RawRecord's pk and the instant it was fetched."""

    fact: Fact | Roster
    raw_id: int
    fetched_at: dt.datetime
