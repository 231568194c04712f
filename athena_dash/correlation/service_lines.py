"""A visit's documented services ↔ the charge lines of its live claims, one to one: what was captured but not billed.

By code and units, reversed lines left out. What is left over is tied by family where a code only says the level of the
same service (an office visit documented as 99213 and charged as 99214), if one is left on either side; of several, none
is guessed. Pure: the rules (G15) and the visit page ask the same, of their own kinds of rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

# CPT evaluation and management: within a range, codes differ by level, age or new against established patient.
LEVELS = (
    ("office visit", 99202, 99215),
    ("hospital care", 99221, 99239),
    ("emergency visit", 99281, 99285),
    ("preventive visit", 99381, 99397),
)
NOTHING = Decimal(0)


class Service(Protocol):
    @property
    def procedure_code(self) -> str: ...
    @property
    def units(self) -> Decimal | None: ...


class Line(Protocol):
    @property
    def procedure_code(self) -> str: ...
    @property
    def units(self) -> Decimal | None: ...
    @property
    def amount(self) -> Decimal | None: ...


class How(StrEnum):
    CODE = "code"
    LEVEL = "level"  # charged at another level of the same service
    UNCLEAR = "unclear"  # several of that family are left: which is which, nobody can tell
    MISSING = "missing"  # documented, on no claim
    UNDOCUMENTED = "undocumented"  # charged, documented nowhere


S = TypeVar("S", bound=Service)
L = TypeVar("L", bound=Line)


@dataclass(frozen=True, slots=True)
class Tie(Generic[S, L]):
    service: S | None
    line: L | None
    how: How


def each_on_a_line(services: Sequence[Service], lines: Sequence[Line]) -> bool:
    """Nothing was reversed, and each service is there once, charged by its code: as in most visits. Then tying would
    leave none of them over."""
    codes = {service.procedure_code for service in services}
    if len(codes) < len(services) or not codes <= {line.procedure_code for line in lines}:
        return False
    return not [line for line in lines if line.amount is not None and line.amount < NOTHING]


def tie_lines(services: Iterable[S], lines: Iterable[L]) -> list[Tie[S, L]]:
    """`services`: those to be billed. Services first, in their order; then lines that no service explains."""
    ties: list[Tie[S, L]] = []
    standing = not_reversed(lines)
    room = [line.units if line.units and line.units > 0 else Decimal(1) for line in standing]
    used: set[int] = set()
    left: list[S] = []
    for service in services:
        of_code = [n for n, line in enumerate(standing) if line.procedure_code == service.procedure_code]
        open_ones = [n for n in of_code if room[n] > 0]
        if not open_ones:
            left.append(service)
            continue
        need = service.units if service.units and service.units > 0 else Decimal(1)
        for n in open_ones:
            if need <= 0:
                break
            taken = min(need, room[n])
            room[n], need = room[n] - taken, need - taken
            used.add(n)
        ties.append(Tie(service, standing[open_ones[0]], How.CODE))
    return ties + by_level(left, [line for n, line in enumerate(standing) if n not in used])


def by_level(services: Sequence[S], lines: Sequence[L]) -> list[Tie[S, L]]:
    lines_of: defaultdict[str, list[L]] = defaultdict(list)
    for line in lines:
        lines_of[family(line.procedure_code)].append(line)
    services_of: defaultdict[str, list[S]] = defaultdict(list)
    for service in services:
        services_of[family(service.procedure_code)].append(service)
    ties: list[Tie[S, L]] = []
    for service in services:
        name = family(service.procedure_code)
        rivals, offered = services_of[name], lines_of[name] if name else []
        if not offered:
            ties.append(Tie(service, None, How.MISSING))
        elif len(rivals) == len(offered) == 1:
            ties.append(Tie(service, offered[0], How.LEVEL))
        else:
            ties.append(Tie(service, None, How.UNCLEAR))
    explained = {id(tie.line) for tie in ties if tie.line is not None}
    return ties + [Tie(None, line, How.UNDOCUMENTED) for line in lines if id(line) not in explained]


def not_reversed(lines: Iterable[L]) -> list[L]:
    """Without reversals, and without the one line that each takes back: same code, same dollars."""
    standing = list(lines)
    for reversal in [line for line in standing if line.amount is not None and line.amount < 0]:
        standing.remove(reversal)
        taken_back = (
            line
            for line in standing
            if line.procedure_code == reversal.procedure_code and line.amount == -(reversal.amount or 0)
        )
        if (line := next(taken_back, None)) is not None:
            standing.remove(line)
    return standing


def family(code: str) -> str:
    """Empty where a code stands for itself only."""
    number = int(code) if code.isascii() and code.isdigit() else 0
    return next((name for name, low, high in LEVELS if low <= number <= high), "")
