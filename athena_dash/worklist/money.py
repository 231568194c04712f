"""A visit's claims into its money: lines, totals, and three payer slots each saying who acts next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from athena_dash.practices.statuses import Meaning, meaning
from athena_dash.records.models import ChargeLine, Claim, ClaimNote
from athena_dash.worklist.visit_records import VisitRecords


@dataclass(frozen=True)
class Slot:
    """One of a claim's three parallel statuses: athena's raw word beside what it means."""

    name: str
    raw: str
    meaning: Meaning
    payer: str


@dataclass(frozen=True)
class Totals:
    """Gross charges; the rest is None until claim transactions were read, which is not the same as zero."""

    charges: Decimal | None
    payments: Decimal | None
    adjustments: Decimal | None
    outstanding: Decimal | None


@dataclass(frozen=True)
class ClaimMoney:
    claim: Claim
    slots: tuple[Slot, ...]
    lines: Sequence[ChargeLine]
    totals: Totals
    notes: Sequence[ClaimNote]


def money_of(records: VisitRecords) -> list[ClaimMoney]:
    return [_claim(claim, records) for claim in records.claims]


def _claim(claim: Claim, records: VisitRecords) -> ClaimMoney:
    lines = [line for line in records.lines if line.claim_id == claim.external_id]
    payers = {i.external_id: i.payer_name or i.plan_name for i in records.insurances}
    overrides = records.policies.claim_statuses
    slots = (
        ("Primary", claim.primary_status, payers.get(claim.primary_insurance_id, "")),
        ("Secondary", claim.secondary_status, payers.get(claim.secondary_insurance_id, "")),
        ("Patient", claim.patient_status, ""),
    )
    return ClaimMoney(
        claim,
        tuple(Slot(name, raw, meaning(raw, overrides), payer) for name, raw, payer in slots),
        lines,
        Totals(
            _sum(line.amount for line in lines),
            _sum(line.payments for line in lines),
            _sum(line.adjustments for line in lines),
            _sum(line.outstanding for line in lines),
        ),
        [note for note in records.claim_notes if note.claim_id == claim.external_id],
    )


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
