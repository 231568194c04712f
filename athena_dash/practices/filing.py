"""Payer type + date of service → the last day on which the first claim may reach the payer.

Shipped defaults of revenue-cycle.md §3.1. They are an admin's to confirm by contract, so that each limit says
whether it is assumed. A practice's own terms are the policies `filing_days.{insurance type}` (calendar days) and
`filing_source.{insurance type}` (where that is written); who set them has confirmed them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

SELF_PAY = "self-pay"


@dataclass(frozen=True, slots=True)
class FilingRule:
    """Months are calendar months, not 30 days."""

    months: int = 0
    days: int = 0
    source: str = ""
    assumed: bool = True

    @property
    def length(self) -> str:
        return f"{self.months} months" if self.months else f"{self.days} days"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a practice says of one payer type. Without days, it confirms the shipped limit by its source."""

    days: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class FilingLimit:
    on: date
    source: str
    assumed: bool


MEDICARE = FilingRule(
    months=12, source="42 CFR 424.44: one calendar year from the date of service", assumed=False
)
UNKNOWN = FilingRule(days=90, source="90 days, assumed: no contract on file")

# First match wins; the words are looked for in athena's insurance type, then in the payer's name.
RULES: tuple[tuple[str, FilingRule], ...] = (
    ("medicare advantage", FilingRule(days=90, source="90 days, assumed: Medicare Advantage is by contract")),
    ("medicare", MEDICARE),
    ("tricare", FilingRule(months=12, source="TRICARE: 12 months")),
    ("medicaid", FilingRule(days=90, source="90 days, assumed: Medicaid limits are each state's own")),
)


def filing_limit(
    insurance_type: str, payer_name: str, service_date: date | None, terms: Mapping[str, Terms]
) -> FilingLimit | None:
    """None for self-pay and for a visit without a date. `terms`: the practice's own, by lower-case type."""
    kind = insurance_type.strip().lower()
    if service_date is None or SELF_PAY in (kind, payer_name.strip().lower()):
        return None
    own = terms.get(kind, Terms())
    if own.days is not None:
        source = own.source or "set by the practice"
        return FilingLimit(service_date + timedelta(days=own.days), source, assumed=False)
    rule = shipped_rule(kind, payer_name)
    day = add_months(service_date, rule.months) + timedelta(days=rule.days)
    return FilingLimit(day, own.source or rule.source, rule.assumed and not own.source)


def shipped_rule(insurance_type: str, payer_name: str = "") -> FilingRule:
    kind, payer = insurance_type.lower(), payer_name.lower()
    return next((rule for words, rule in RULES if words in kind or words in payer), UNKNOWN)


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
