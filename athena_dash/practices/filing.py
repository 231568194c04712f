"""Payer + the day its clock starts → the last day on which the first claim, or an appeal, may reach it.

Shipped defaults of revenue-cycle.md §3.1. They are an admin's to confirm by contract, so that each limit says
whether it is assumed. A practice's own terms are the policies `{clock}_days.{payer or insurance type}` (calendar days)
and `{clock}_source.…` (where that is written), clock being filing or appeal; who set them has confirmed them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

SELF_PAY = "self-pay"
PAYERS = 10_000  # of so many, which rule is theirs is remembered


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
    """What a practice says of one payer or payer type. Without days, it confirms the shipped limit by its source."""

    days: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class FilingLimit:
    on: date
    source: str
    assumed: bool


Rules = tuple[tuple[str, FilingRule], ...]
"""First match wins; the words are looked for in athena's insurance type, then in the payer's name."""

MEDICARE = FilingRule(
    months=12, source="42 CFR 424.44: one calendar year from the date of service", assumed=False
)
UNKNOWN = FilingRule(days=90, source="90 days, assumed: no contract on file")


def commonly(days: int, whose: str) -> FilingRule:
    return FilingRule(days=days, source=f"{whose}: {days} days, assumed from what is commonly agreed")


RULES: Rules = (
    ("medicare advantage", FilingRule(days=90, source="90 days, assumed: Medicare Advantage is by contract")),
    ("medicare", MEDICARE),
    ("tricare", FilingRule(months=12, source="TRICARE: 12 months")),
    ("medicaid", FilingRule(days=90, source="90 days, assumed: Medicaid limits are each state's own")),
    ("unitedhealth", commonly(90, "UnitedHealthcare")),
    ("aetna better health", commonly(180, "Aetna Better Health")),
    ("aetna", commonly(120, "Aetna")),
    ("cigna", commonly(90, "Cigna")),
    ("anthem", commonly(90, "Anthem")),
    ("humana", commonly(180, "Humana")),
    ("kaiser", commonly(90, "Kaiser")),
    ("amerigroup", commonly(90, "Amerigroup")),
    ("wellcare", commonly(180, "WellCare")),
    ("ambetter", commonly(120, "Ambetter")),
)
APPEALS: Rules = (
    ("medicare advantage", commonly(60, "Medicare Advantage")),
    ("medicare", FilingRule(days=120, source="Medicare redetermination: 120 days", assumed=False)),
    (
        "unitedhealth",
        FilingRule(days=65, source="65 days, assumed: sources say 65 days to 12 months, so set it"),
    ),
    ("aetna", commonly(180, "Aetna")),
    ("cigna", commonly(180, "Cigna")),
    ("blue cross", commonly(180, "Blue Cross")),
)
UNKNOWN_APPEAL = FilingRule(days=60, source="60 days, assumed: no contract on file")


def filing_limit(
    insurance_type: str, payer_name: str, service_date: date | None, terms: Mapping[str, Terms]
) -> FilingLimit | None:
    """None for self-pay and for a visit without a date. `terms`: the practice's own, by lower-case name or type."""
    return limit(shipped_rule, insurance_type, payer_name, service_date, terms)


def appeal_limit(
    insurance_type: str, payer_name: str, denied_on: date, terms: Mapping[str, Terms]
) -> FilingLimit | None:
    return limit(shipped_appeal, insurance_type, payer_name, denied_on, terms)


def limit(
    shipped: Callable[[str, str], FilingRule],
    insurance_type: str,
    payer_name: str,
    since: date | None,
    terms: Mapping[str, Terms],
) -> FilingLimit | None:
    """A contract is with a payer, so terms by its name go before those by its type."""
    kind, payer = insurance_type.strip().lower(), payer_name.strip().lower()
    if since is None or SELF_PAY in (kind, payer):
        return None
    own = terms.get(payer) or terms.get(kind) or Terms()
    if own.days is not None:
        source = own.source or "set by the practice"
        return FilingLimit(since + timedelta(days=own.days), source, assumed=False)
    rule = shipped(kind, payer)
    day = add_months(since, rule.months) + timedelta(days=rule.days)
    return FilingLimit(day, own.source or rule.source, rule.assumed and not own.source)


@lru_cache(PAYERS)
def shipped_rule(insurance_type: str, payer_name: str = "") -> FilingRule:
    return first_of(RULES, insurance_type, payer_name) or UNKNOWN


@lru_cache(PAYERS)
def shipped_appeal(insurance_type: str, payer_name: str = "") -> FilingRule:
    return first_of(APPEALS, insurance_type, payer_name) or UNKNOWN_APPEAL


def first_of(rules: Rules, insurance_type: str, payer_name: str) -> FilingRule | None:
    kind, payer = insurance_type.lower(), payer_name.lower()
    return next((rule for words, rule in rules if words in kind or words in payer), None)


def add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
