"""The lines of a claim and what payers do to them, in Decimal dollars; a line keeps only aggregates."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from msgspec.structs import replace

from integrations.sandbox.population.catalogue import FEES
from integrations.sandbox.population.ids import Ids
from integrations.sandbox.world import Charge

CENT = Decimal("0.01")
Lines = tuple[Charge, ...]


def charge_lines(ids: Ids, codes: tuple[str, ...], posted_on: date, payer: str) -> Lines:
    return tuple(
        Charge(
            transaction_id=ids.next("transaction"),
            procedure_code=code,
            description=FEES[code][0],
            amount=FEES[code][1],
            posted_on=posted_on,
            payer=payer,
        )
        for code in codes
    )


def outstanding(line: Charge) -> Decimal:
    return line.amount - line.payments - line.adjustments


def allow(lines: Lines, allows: float, share: float, then: str) -> Lines:
    """The payer pays the allowed amount less the patient's share, which passes on, and adjusts the rest."""
    return tuple(_allow(line, allows, share, then) for line in lines)


def _allow(line: Charge, allows: float, share: float, then: str) -> Charge:
    allowed = cents(line.amount * Decimal(str(allows)))
    owed = cents(allowed * Decimal(str(share)))
    return replace(line, payments=allowed - owed, adjustments=line.amount - allowed, payer=then)


def pay_off(lines: Lines, then: str) -> Lines:
    """Whoever holds the balance pays it."""
    return tuple(replace(line, payments=line.payments + outstanding(line), payer=then) for line in lines)


def pay_part(lines: Lines, part: float) -> Lines:
    return tuple(
        replace(line, payments=line.payments + cents(outstanding(line) * Decimal(str(part))))
        for line in lines
    )


def write_off(lines: Lines) -> Lines:
    return tuple(replace(line, adjustments=line.adjustments + outstanding(line)) for line in lines)


def overpay(lines: Lines) -> Lines:
    """The payer pays the first line twice."""
    first = lines[0]
    return (replace(first, payments=first.payments + max(first.payments, CENT)), *lines[1:])


def reverse(ids: Ids, lines: Lines, posted_on: date) -> Lines:
    """A void mirrors every line, so that the claim nets to zero; money posted to it goes elsewhere."""
    return tuple(replace(line, payments=Decimal(0), adjustments=Decimal(0)) for line in lines) + tuple(
        replace(
            line,
            transaction_id=ids.next("transaction"),
            amount=-line.amount,
            payments=Decimal(0),
            adjustments=Decimal(0),
            posted_on=posted_on,
        )
        for line in lines
    )


def owes(lines: Lines) -> bool:
    return any(outstanding(line) > 0 for line in lines)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)
