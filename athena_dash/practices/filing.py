"""Payer type + date of service → the last day on which the first claim may reach the payer.

Shipped defaults of revenue-cycle.md §3.1. They are an admin's to confirm by contract, so that each limit says
whether it is assumed; a practice's own value is the policy `filing_days.{insurance type}` (calendar days).
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
    insurance_type: str, payer_name: str, service_date: date | None, days_by_type: Mapping[str, int]
) -> FilingLimit | None:
    """None for self-pay and for a visit without a date. `days_by_type` holds the practice's own limits."""
    kind = insurance_type.strip().lower()
    if service_date is None or SELF_PAY in (kind, payer_name.strip().lower()):
        return None
    if kind in days_by_type:
        return FilingLimit(
            service_date + timedelta(days=days_by_type[kind]), "set by the practice", assumed=False
        )
    rule = next(
        (rule for words, rule in RULES if words in kind or words in payer_name.lower()),
        UNKNOWN,
    )
    return FilingLimit(
        add_months(service_date, rule.months) + timedelta(days=rule.days), rule.source, rule.assumed
    )


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
