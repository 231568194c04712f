"""The case book: one file per gap code, each case a visit, an instant, and whether the rule finds a gap there.

A file names the paragraph of revenue-cycle.md that its rule comes from. `[usual]` is the visit all its cases start
from; a case replaces what it says otherwise. The visit is of Monday, 2 March 2026, in an office in New York, and
instants are that office's wall clock. Written before the rule it judges.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from athena_dash.correlation.visit_facts import ClaimFacts, CoverFacts, LineFacts, ServiceFacts, VisitFacts
from tests.correlation.casebook import NEW_YORK, a_visit, claim, line, note, seen, service

HERE = Path(__file__).parent
EXPECTED = ("gap", "owner", "dollars", "estimator", "deadline", "suppressed")
MONEY = ("payments", "adjustments", "outstanding")


@dataclass(frozen=True)
class Case:
    """`expected`: gap (always), and whichever of the other words of EXPECTED the case speaks of."""

    code: str
    source: str
    says: str
    now: datetime
    visit: VisitFacts
    policies: Mapping[str, Any]
    expected: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.code} {self.says}"


def cases() -> Iterator[Case]:
    for path in sorted(HERE.glob("g*.toml")):
        book = tomllib.loads(path.read_text())
        for entry in book["case"]:
            told = book.get("usual", {}) | entry
            expected = {word: told.pop(word) for word in EXPECTED if word in told}
            yield Case(
                code=path.stem.upper(),
                source=book["source"],
                says=told.pop("says"),
                now=told.pop("now").replace(tzinfo=NEW_YORK),
                policies=told.pop("policies", book.get("policies", {})),
                expected=expected,
                visit=visit_of(**told),
            )


def visit_of(
    *,
    appointment: Mapping[str, Any] | None = None,
    encounters: list[dict[str, Any]] = [],  # noqa: B006 only read
    services: list[str] = [],  # noqa: B006
    claims: list[dict[str, Any]] = [],  # noqa: B006
    cover: dict[str, Any] | str = "none",
    results: list[str] = [],  # noqa: B006
    usual: Mapping[str, str] | None = None,
    **fields: Any,
) -> VisitFacts:
    notes = [note(**{"kind": "VISIT"} | told) for told in encounters]
    if isinstance(cover, dict):
        fields["cover"] = CoverFacts(**cover)
    return a_visit(
        seen(**zoned(appointment)) if appointment else None,
        *notes,
        *(service_of(words) for words in services),
        *(claim_of(**told) for told in claims),
        results=tuple(results),
        usual={code: Decimal(dollars) for code, dollars in (usual or {}).items()},
        **fields,
    )


def service_of(words: str) -> ServiceFacts:
    """ "99213", or "99213 not billed"."""
    code, _, ruled_out = words.partition(" ")
    return service(code, bill=not ruled_out)


def claim_of(
    *,
    id: str = "40",
    seen: datetime | None = None,
    lines: list[dict[str, Any]] | None = None,
    notes: list[str] = [],  # noqa: B006
    last_note: str = "",
    denied: bool = False,
    second_policy: bool = False,
    voided_on: date | None = None,
    **slots: str,
) -> ClaimFacts:
    """`seen`: we watched its slots take their status then; else they were so when we first looked."""
    facts = claim(id, notes=tuple(notes), since=seen and seen.replace(tzinfo=NEW_YORK), **slots)
    written = facts.lines if lines is None else tuple(line_of(**told) for told in lines)
    if voided_on:
        written = (*written, *(replace(one, amount=-one.amount, posted_on=voided_on) for one in written))
    return replace(facts, lines=written, last_note=last_note, denied=denied, second_policy=second_policy)


def line_of(*, amount: str = "180", code: str = "99213", **fields: Any) -> LineFacts:
    dollars = {name: Decimal(fields.pop(name)) for name in MONEY if name in fields}
    return line(amount, code, **fields, **dollars)


def zoned(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.replace(tzinfo=NEW_YORK) if isinstance(value, datetime) else value
        for name, value in fields.items()
    }
