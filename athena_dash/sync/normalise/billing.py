"""Insurances, claims, claim transactions and claim notes of athenaOne → facts."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from athena_dash.records.facts import (
    ChargeFact,
    ClaimFact,
    ClaimNoteFact,
    ClaimOfAppointment,
    Fact,
    InsuranceFact,
    Roster,
    TransactionFact,
)
from athena_dash.sync.normalise.context import Context
from integrations.athena.payloads import Claim, ClaimNote, Insurance, Transaction, read

ZERO = Decimal(0)


def insurance(body: bytes, context: Context) -> tuple[InsuranceFact]:
    """Member ids, policy holders and SSNs are in the payload and are left there: nothing here needs them."""
    seen = read(Insurance, body)
    return (
        InsuranceFact(
            external_id=seen.insuranceid,
            patient_id=context.subject,
            package_id=seen.insurancepackageid or "",
            plan_name=seen.insuranceplanname or "",
            payer_name=seen.ircname or seen.insuranceplanname or "",
            insurance_type=seen.insurancetype or "",
            sequence=seen.sequencenumber,
            eligibility_status=seen.eligibilitystatus or "",
            eligibility_checked_on=seen.eligibilitylastchecked,
            issued_on=seen.issuedate,
            expires_on=seen.expirationdate,
            cancelled_on=seen.cancelled,
        ),
    )


def claim(body: bytes, _: Context) -> tuple[Fact | Roster, ...]:
    """The claim, its lines and the roster of them, and the bridge where the claim names its appointment."""
    seen = read(Claim, body)
    primary, secondary, patient = seen.primaryinsurancepayer, seen.secondaryinsurancepayer, seen.patientpayer
    lines, codes = seen.procedures, [plain_code(line.procedurecode or "") for line in seen.procedures]
    amounts = [line.chargeamount for line in lines if line.chargeamount is not None]
    named = seen.appointmentid
    view: Any = ClaimOfAppointment if named else ClaimFact
    bridge = {"appointment_id": named} if named else {}
    facts: list[Fact | Roster] = [
        view(
            **bridge,
            external_id=seen.claimid,
            patient_id=seen.patientid or "",
            department_id=seen.departmentid or "",
            billed_provider_id=seen.billedproviderid or "",
            supervising_provider_id=seen.supervisingproviderid or "",
            service_date=seen.billedservicedate,
            created_date=seen.claimcreateddate,
            charge_amount=sum(amounts, ZERO) if amounts else seen.chargeamount,
            primary_status=(primary and primary.status) or "",
            primary_insurance_id=(primary and primary.primarypatientinsuranceid) or "",
            secondary_status=(secondary and secondary.status) or "",
            secondary_insurance_id=(secondary and secondary.secondarypatientinsuranceid) or "",
            patient_status=(patient and patient.status) or "",
            diagnosis_codes=tuple(
                [d.diagnosisrawcode for d in seen.diagnoses if d.diagnosisrawcode and not d.deleteddiagnosis]
            ),
            procedure_codes=tuple([code for code in codes if code]),
        ),
        Roster(
            table="chargeline",
            parent_column="claim_id",
            parent_id=seen.claimid,
            external_ids=tuple([line.transactionid for line in lines]),
        ),
    ]
    for line, code in zip(lines, codes, strict=True):
        facts.append(
            ChargeFact(
                external_id=line.transactionid,
                claim_id=seen.claimid,
                procedure_code=code,
                description=line.proceduredescription or "",
                amount=line.chargeamount,
            )
        )
    return tuple(facts)


def transaction(body: bytes, context: Context) -> tuple[TransactionFact, ...]:
    """Only CHARGE rows are lines; each carries the payments and adjustments made on it so far.

    The claim it names itself outranks the one that was asked about.
    """
    seen = read(Transaction, body)
    if (seen.transactiontype or "CHARGE") != "CHARGE":
        return ()
    return (
        TransactionFact(
            external_id=seen.transactionid,
            claim_id=seen.claimid or context.subject,
            units=seen.units,
            posted_on=seen.transactiondate,
            payments=seen.payments,
            adjustments=seen.adjustments,
            outstanding=seen.outstandingamount,
            payer=seen.payer or "",
        ),
    )


def claim_note(body: bytes, context: Context) -> tuple[ClaimNoteFact]:
    seen = read(ClaimNote, body)
    return (
        ClaimNoteFact(
            external_id=f"{context.subject}/{seen.claimnoteid}",
            claim_id=context.subject,
            status=seen.status or "",
            text=seen.claimnote or "",
            pending=seen.pendingflag or "",
        ),
    )


@lru_cache(maxsize=1024)
def plain_code(code: str) -> str:
    """`/claimtransactions` and some claims write "CPT 99490" for 99490 (recorded 2023)."""
    return code.removeprefix("CPT ").strip()
