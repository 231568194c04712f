"""Appointments, encounters and the services documented in them, as v1 sends them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from integrations.athena.values import AthenaId

from .billing import Claim


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """`appointmentstatus`: x cancelled, f future, o open slot, 2 checked in, 3 checked out, 4 charge entered.

    `encounterid` does not mean the visit happened: future rows carry one with encounterstate PEND.
    """

    appointmentid: AthenaId
    appointmentstatus: str | None = None
    date: date | None = None
    starttime: time | None = None  # local to the department
    duration: int | None = None
    departmentid: AthenaId | None = None
    patientid: AthenaId | None = None
    providerid: AthenaId | None = None
    renderingproviderid: AthenaId | None = None
    supervisingproviderid: AthenaId | None = None
    appointmenttype: str | None = None
    patientappointmenttypename: str | None = None
    encounterid: AthenaId | None = None
    encounterstatus: str | None = None
    encounterstate: str | None = None
    rescheduledappointmentid: AthenaId | None = None
    chargeentrynotrequired: bool | None = None
    chargeentrynotrequiredreason: str | None = None
    copay: Decimal | None = None
    stopcheckin: datetime | None = None
    checkindatetime: datetime | None = None
    stopexamdatetime: datetime | None = None
    checkoutdatetime: datetime | None = None
    cancelleddatetime: datetime | None = None
    cancelreasonname: str | None = None
    cancelreasonnoshow: bool | None = None
    scheduleddatetime: datetime | None = None
    claims: tuple[Claim, ...] = ()


class IcdCode(msgspec.Struct, frozen=True, kw_only=True):
    code: str | None = None


class EncounterDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    icdcodes: tuple[IcdCode, ...] = ()


class Encounter(msgspec.Struct, frozen=True, kw_only=True):
    """`status`: OPEN, CLOSED, REVIEW, PEND, TEMP, DELETED. `diagnoses` is None where they were not told: only a
    list told to show them does."""

    encounterid: AthenaId
    appointmentid: AthenaId | None = None
    patientid: AthenaId | None = None
    departmentid: AthenaId | None = None
    providerid: AthenaId | None = None
    encountertype: str | None = None  # VISIT, ORDERSONLY, FLOWSHEET
    encountervisitname: str | None = None
    encounterdate: date | None = None
    status: str | None = None
    stage: str | None = None
    closeddate: date | None = None
    lastreopened: date | None = None
    diagnoses: tuple[EncounterDiagnosis, ...] | None = None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service documented in an encounter. No answer was recorded: these are the request's fields."""

    serviceid: AthenaId
    procedurecode: str | None = None
    proceduredescription: str | None = None
    description: str | None = None
    units: Decimal | None = None
    modifiers: tuple[str | None, ...] = ()
    billforservice: bool | None = None
