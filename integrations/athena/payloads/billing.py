"""Claims with their charge lines and payer slots, claim transactions and claim notes, as v1 sends them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from integrations.athena.values import AthenaId


class Procedure(msgspec.Struct, frozen=True, kw_only=True):
    """One charge line; `transactionid` is its identity."""

    transactionid: AthenaId
    procedurecode: str | None = None
    proceduredescription: str | None = None
    chargeamount: Decimal | None = None


class ClaimDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    diagnosisrawcode: str | None = None
    deleteddiagnosis: bool | None = None


class PrimaryPayer(msgspec.Struct, frozen=True, kw_only=True):
    """`status` is an open set: HOLD, MGRHOLD, DROP, BILLED, FOLLOWUP, CLOSED, …"""

    status: str | None = None
    primarypatientinsuranceid: AthenaId | None = None


class SecondaryPayer(msgspec.Struct, frozen=True, kw_only=True):
    status: str | None = None
    secondarypatientinsuranceid: AthenaId | None = None


class PatientPayer(msgspec.Struct, frozen=True, kw_only=True):
    status: str | None = None  # also COLLECT


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Nested in an appointment it carries no appointment, patient or department: take the parent's."""

    claimid: AthenaId
    appointmentid: AthenaId | None = None
    patientid: AthenaId | None = None
    departmentid: AthenaId | None = None
    billedproviderid: AthenaId | None = None
    supervisingproviderid: AthenaId | None = None
    claimcreateddate: date | None = None
    billedservicedate: date | None = None
    chargeamount: Decimal | None = None
    procedures: tuple[Procedure, ...] = ()
    diagnoses: tuple[ClaimDiagnosis, ...] = ()
    primaryinsurancepayer: PrimaryPayer | None = None
    secondaryinsurancepayer: SecondaryPayer | None = None
    patientpayer: PatientPayer | None = None


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """Only CHARGE rows have been seen, with aggregates.

    athenahealth's own answer is of one claim and does not repeat it; an export of many names it in `claimid`.
    """

    transactionid: AthenaId
    claimid: AthenaId | None = None
    transactiontype: str | None = None
    transactiondate: date | None = None
    payer: str | None = None
    units: Decimal | None = None
    payments: Decimal | None = None
    adjustments: Decimal | None = None
    outstandingamount: Decimal | None = None


class ClaimNote(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest thing to a status history, without a time."""

    claimnoteid: AthenaId
    status: str | None = None
    pendingflag: str | None = None  # Y pending, O overridden, N, "undef"
    claimnote: str | None = None
