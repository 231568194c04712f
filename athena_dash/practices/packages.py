"""Procedure codes that pay for more visits than the one they are charged on, and for how long (docs/adr/0011).

A package is written as its kind and, where the kind does not go by the calendar month, the days before and after the
service: `obstetric 280 42`, `care`, or `off`. What ships is common usage, to be confirmed by contract; a practice's own
words (the policy `packages`, by code) replace, add and switch off. Sources: revenue-cycle.md §3.2; the days after
operations are those of Medicare's physician fee schedule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

OFF = "off"
LONGEST = 366  # days to either side

OFFICE = tuple(str(code) for code in (*range(99202, 99206), *range(99211, 99216)))
DIALYSIS = tuple(str(code) for code in range(90951, 90971))


@dataclass(frozen=True, slots=True)
class Kind:
    """What a package of this kind pays for.

    `pays_for`: services that need no charge of their own inside it. `marks`: codes that, documented on a visit, say by
    themselves that it belongs to such a package; `reported`: those of them that come before its claim is made.
    `diagnoses`: what such visits are for, as beginnings of ICD-10 codes. `repeats`: it pays for the same services
    again, so the claim's own codes do both. `reason`: a visit for what the claim itself was for may belong to it.
    `monthly`: it spans the calendar month of its service.
    """

    label: str
    pays_for: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    repeats: bool = False
    reason: bool = False
    monthly: bool = False


KINDS: Mapping[str, Kind] = {
    "obstetric": Kind(
        "obstetric package",
        pays_for=(*OFFICE, "59425", "59426", "59430", "0500F", "0501F", "0502F", "0503F", "81000", "81002"),
        marks=("0500F", "0501F", "0502F", "0503F"),
        reported=("0500F", "0501F", "0502F"),
        diagnoses=("O", "Z34", "Z39", "Z3A"),
    ),
    "surgery": Kind(
        "surgical package",
        pays_for=("99024", *OFFICE[4:]),
        marks=("99024",),
        diagnoses=("Z47", "Z48"),
        reason=True,
    ),
    "dialysis": Kind(
        "month of dialysis",
        pays_for=(*OFFICE, *DIALYSIS),
        marks=DIALYSIS,
        diagnoses=("N18.6", "Z99.2"),
        monthly=True,
    ),
    "care": Kind("month of care", repeats=True, monthly=True),
    "series": Kind("series of visits", repeats=True),
}

SHIPPED: Mapping[str, str] = {
    # prenatal, birth and after; prenatal only; what comes after the birth
    **dict.fromkeys(("59400", "59510", "59610", "59618"), "obstetric 280 42"),
    **dict.fromkeys(("59425", "59426"), "obstetric 280 0"),
    **dict.fromkeys(("59410", "59515", "59614", "59622", "59430"), "obstetric 0 42"),
    **dict.fromkeys(("49505", "49650", "47562", "27130", "27447", "29881", "66984"), "surgery 1 90"),
    **dict.fromkeys(("10060", "11402", "11750", "17000", "17110"), "surgery 0 10"),
    **dict.fromkeys(DIALYSIS, "dialysis"),
    # coordination, and remote monitoring
    **dict.fromkeys(("99487", "99490", "99491", "99424", "99426", "99454", "99457"), "care"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """`before` and `after` are days around the service; None is the calendar month of it."""

    code: str
    kind: str
    before: int | None = None
    after: int | None = None


def table_of(own: Mapping[str, str]) -> tuple[Package, ...]:
    """What ships, with a practice's own words for some codes."""
    told = {**SHIPPED, **own}
    return tuple(read(code, words) for code, words in sorted(told.items()) if words != OFF)


def waits_of(table: Iterable[Package]) -> Mapping[str, int]:
    """Codes that are only reported, never charged → how many days later the claim that pays for them may come."""
    found: dict[str, int] = {}
    for package in table:
        for code in KINDS[package.kind].reported:
            found[code] = max(found.get(code, 0), package.before or 0)
    return found


def read(code: str, words: str) -> Package:
    """Raises ValueError for words that are no package."""
    kind, *days = words.split() or [""]
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    if KINDS[kind].monthly and not days:
        return Package(code, kind)
    if KINDS[kind].monthly or len(days) != 2:
        raise ValueError(f"{kind} takes {'no days' if KINDS[kind].monthly else 'two numbers of days'}")
    if not all(day.isascii() and day.isdigit() and int(day) <= LONGEST for day in days):
        raise ValueError(f"days are whole numbers up to {LONGEST}")
    return Package(code, kind, int(days[0]), int(days[1]))
