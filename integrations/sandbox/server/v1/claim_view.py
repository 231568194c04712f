"""A claim as v1 shows it, in two dialects: on its own (numeric ids) and nested in an appointment (text ids).

No total, no paid amount, no claim status: only a status per payer slot. A voided claim carries no flag; its
slots are CLOSED and its lines net to zero.
"""

from __future__ import annotations

from decimal import Decimal

from integrations.sandbox.server.wire import EASTERN, money_number, money_text, number, present, us_day
from integrations.sandbox.world import Charge, Claim, ClaimNote, PayerSlot

HOLDS = {"HOLD", "MGRHOLD", "CBOHOLD", "ATHENAHOLD"}


def own(claim: Claim, *, supervising: bool = False) -> dict[str, object]:
    """As `GET /claims/{id}` and the lists have it: `claimid` text, every other id a number."""
    row = shared(claim, numeric=True)
    row["patientid"] = number(claim.patient_id)
    row["departmentid"] = number(claim.department_id)
    if claim.appointment_id is not None:
        row["appointmentid"] = number(claim.appointment_id)
    if supervising and claim.supervising_provider_id is not None:
        row["supervisingproviderid"] = number(claim.supervising_provider_id)
    return row


def nested(claim: Claim) -> dict[str, object]:
    """As in an appointment with showclaimdetail: ids text, no patient, department or appointment id."""
    return shared(claim, numeric=False)


def shared(claim: Claim, *, numeric: bool) -> dict[str, object]:
    provider = claim.billed_provider_id
    return {
        "claimid": claim.id,
        "claimcreateddate": us_day(claim.created_at.astimezone(EASTERN).date()),
        "billedservicedate": us_day(claim.service_day),
        "billedproviderid": number(provider) if numeric else provider,
        "procedures": [procedure(charge) for charge in claim.charges],
        "transactiondetails": {charge.transaction_id: money_text(charge.amount) for charge in claim.charges},
        "diagnoses": [
            {
                "diagnosisid": f"{claim.id}{rank:02}",
                "diagnosisrawcode": diagnosis.icd10,
                "diagnosiscodeset": "ICD10",
                "diagnosisdescription": diagnosis.description,
                "diagnosiscategory": diagnosis.description.upper(),
                "deleteddiagnosis": "false",
            }
            for rank, diagnosis in enumerate(claim.diagnoses, start=1)
        ],
        "primaryinsurancepayer": payer(claim, claim.primary, "primary", numeric=numeric),
        "secondaryinsurancepayer": payer(claim, claim.secondary, "secondary", numeric=numeric),
        "patientpayer": payer(claim, claim.patient, None, numeric=numeric),
    }


def procedure(charge: Charge) -> dict[str, object]:
    return {
        "transactionid": charge.transaction_id,
        "procedurecode": charge.procedure_code,
        "proceduredescription": charge.description,
        "chargeamount": money_text(charge.amount),
    }


def payer(claim: Claim, slot: PayerSlot, which: str | None, *, numeric: bool) -> dict[str, object]:
    """Insurance id 0 is nobody: `0` or `"0"` by dialect. A COLLECT slot says `n/a` (recorded 2019)."""
    status = "CLOSED" if claim.voided else slot.status
    row = present(status=status, note=slot.note or ("n/a" if status == "COLLECT" else None))
    if which is not None:
        id = slot.insurance_id or "0"
        row[f"{which}patientinsuranceid"] = number(id) if numeric else id
    return row


def transaction(claim: Claim, charge: Charge) -> dict[str, object]:
    """A charge with its aggregates, all numbers. Void reverses what was paid and adjusts off the rest."""
    payments = Decimal(0) if claim.voided else charge.payments
    adjustments = charge.amount if claim.voided else charge.adjustments
    return {
        "transactionid": number(charge.transaction_id),
        "parenttransactionid": number(charge.transaction_id),
        "transactiontype": "CHARGE",
        "transactiondate": us_day(charge.posted_on),
        "procedurecode": prefixed(charge.procedure_code),
        "payer": charge.payer,
        "units": charge.units,
        "amount": money_number(charge.amount),
        "payments": money_number(payments),
        "adjustments": money_number(adjustments),
        "outstandingamount": money_number(charge.amount - payments - adjustments),
    }


def prefixed(code: str) -> str:
    """CPT codes carry "CPT " here and HCPCS codes do not (recorded 2023)."""
    return f"CPT {code}" if code.isdigit() else code


def note(note: ClaimNote) -> dict[str, object]:
    return present(
        claimnoteid=number(note.id), status=note.status, pendingflag=note.pending, claimnote=note.text
    )
