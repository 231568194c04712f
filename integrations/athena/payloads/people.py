"""Departments, providers, patients and their insurances, as v1 sends them. Field names are athenahealth's."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import msgspec

from integrations.athena.values import AthenaId


class Department(msgspec.Struct, frozen=True, kw_only=True):
    departmentid: AthenaId
    name: str | None = None
    patientdepartmentname: str | None = None
    city: str | None = None
    state: str | None = None
    timezonename: str | None = None  # IANA; absent in the 2016 recordings
    timezoneoffset: int | None = None  # standard time, hours; `timezone` is the same with DST applied
    doesnotobservedst: bool | None = None
    clinicals: str | None = None  # "ON", "OFF", "PILOT", …
    servicedepartment: bool | None = None
    ishospitaldepartment: bool | None = None
    placeofservicetypeid: AthenaId | None = None
    placeofservicetypename: str | None = None
    providergroupid: AthenaId | None = None
    providergroupname: str | None = None
    chartsharinggroupid: AthenaId | None = None


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    providerid: AthenaId
    firstname: str | None = None
    lastname: str | None = None
    displayname: str | None = None
    schedulingname: str | None = None
    npi: str | None = None
    entitytype: str | None = None
    providertype: str | None = None
    providertypeid: str | None = None
    specialty: str | None = None
    specialtyid: str | None = None
    billable: bool | None = None
    createencounteroncheckin: bool | None = None
    supervisingproviderid: AthenaId | None = None


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    balance: Decimal | None = None
    departmentlist: str | None = None
    providergroupid: AthenaId | None = None
    cleanbalance: bool | None = None


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    patientid: AthenaId  # the enterprise id
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    dob: date | None = None
    sex: str | None = None
    status: str | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    departmentid: AthenaId | None = None
    primarydepartmentid: AthenaId | None = None
    primaryproviderid: AthenaId | None = None
    localpatientid: AthenaId | None = None
    previouspatientids: tuple[AthenaId, ...] = ()  # merged into this one
    balances: tuple[Balance, ...] = ()
    registrationdate: date | None = None
    firstappointment: datetime | None = None
    lastappointment: datetime | None = None
    lastupdated: date | None = None


class Insurance(msgspec.Struct, frozen=True, kw_only=True):
    insuranceid: AthenaId
    insurancepackageid: AthenaId | None = None
    insuranceplanname: str | None = None
    insurancetype: str | None = None
    ircname: str | None = None
    ircid: AthenaId | None = None
    insuranceidnumber: str | None = None
    policynumber: str | None = None
    sequencenumber: int | None = None
    relationshiptoinsured: str | None = None
    relationshiptoinsuredid: AthenaId | None = None
    eligibilitystatus: str | None = None  # Eligible, Ineligible, Unverified, …
    eligibilitylastchecked: date | None = None
    eligibilityreason: str | None = None
    issuedate: date | None = None
    expirationdate: date | None = None
    cancelled: date | None = None
    lastupdated: date | None = None
