"""Departments, providers, patients and their insurances, as v1 sends them. Field names are athenahealth's."""

from __future__ import annotations

from datetime import date

import msgspec

from integrations.athena.values import AthenaId


class Department(msgspec.Struct, frozen=True, kw_only=True):
    departmentid: AthenaId
    name: str | None = None
    patientdepartmentname: str | None = None
    timezonename: str | None = None  # IANA; absent in the 2016 recordings
    clinicals: str | None = None  # "ON", "OFF", "PILOT", …
    placeofservicetypeid: AthenaId | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    providerid: AthenaId
    firstname: str | None = None
    lastname: str | None = None
    displayname: str | None = None
    npi: str | None = None
    specialty: str | None = None
    billable: bool | None = None
    createencounteroncheckin: bool | None = None


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    patientid: AthenaId  # the enterprise id
    firstname: str | None = None
    lastname: str | None = None
    dob: date | None = None
    sex: str | None = None
    status: str | None = None
    departmentid: AthenaId | None = None
    primarydepartmentid: AthenaId | None = None
    primaryproviderid: AthenaId | None = None
    previouspatientids: tuple[AthenaId, ...] = ()  # merged into this one


class Insurance(msgspec.Struct, frozen=True, kw_only=True):
    insuranceid: AthenaId
    insurancepackageid: AthenaId | None = None
    insuranceplanname: str | None = None
    insurancetype: str | None = None
    ircname: str | None = None
    sequencenumber: int | None = None
    eligibilitystatus: str | None = None  # Eligible, Ineligible, Unverified, …
    eligibilitylastchecked: date | None = None
    issuedate: date | None = None
    expirationdate: date | None = None
    cancelled: date | None = None
