"""A policy's dotted name and its value → how people say them, on the policies page and where a rule is explained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from athena_dash.practices.packages_field import PackagesField
from athena_dash.practices.policies import WEEKDAYS
from athena_dash.practices.tests_field import TestsField

SAID: Mapping[str, tuple[str, str]] = {  # name → what it is called, its unit
    "grace_hours_facility.G13": ("Grace of G13 in hospitals and surgery centres", "h"),
    "grace_hours_manager.G24": ("Grace of G24 while the billing manager holds", "h"),
    "opening.from": ("Opens at", ""),
    "opening.to": ("Closes at", ""),
    "opening.days": ("Open on", ""),
    "no_show_fee": ("No-show fee", "$"),
    "show_rate": ("Share of unresolved appointments that took place", ""),
    "filing_alarm_days": ("Filing alarm before the limit", "days"),
    "secondary_days": ("Limit of a second payer, from the first one's answer", "days"),
    "in_house_tests": ("Tests done here", ""),
    "packages": ("Claims that pay for many visits", ""),
    "capitated_payers": ("Payers that pay by the month", ""),
    "not_billable.visit_types": ("Visit types that are not billable", ""),
    "not_billable.departments": ("Departments that are not billable", ""),
    "not_billable.providers": ("Providers that are not billable", ""),
    "not_billable.payers": ("Payers that are not billed", ""),
}
LINES: Mapping[str, Callable[[Any], str]] = {
    "in_house_tests": TestsField.written,
    "packages": PackagesField.written,
}
FAMILIES: Mapping[str, tuple[str, str]] = {
    "grace_hours": ("Grace of {}", "h"),
    "sla_hours": ("Time to solve {}", "h"),
    "owner": ("Owner of {}", ""),
    "claim_status": ("Meaning of {}", ""),
    "filing_days": ("Filing limit of {}", "days"),
    "filing_source": ("Source of the filing limit of {}", ""),
    "appeal_days": ("Appeal limit of {}", "days"),
    "appeal_source": ("Source of the appeal limit of {}", ""),
}


def label(name: str) -> str:
    if name in SAID:
        return SAID[name][0]
    family, _, member = name.partition(".")
    return FAMILIES[family][0].format(member) if family in FAMILIES else name


def said(name: str, value: Any) -> str:
    """None is the shipped value."""
    if value is None:
        return "the default"
    if name == "opening.days":
        return ", ".join(WEEKDAYS[day] for day in value)
    if name in LINES:
        return "; ".join(LINES[name](value).splitlines()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    unit = SAID[name][1] if name in SAID else FAMILIES.get(name.partition(".")[0], ("", ""))[1]
    words = f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")
    return f"${words}" if unit == "$" else f"{words} {unit}".strip()
