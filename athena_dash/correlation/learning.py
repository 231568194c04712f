"""Counts of levels among right and wrong pairs → a practice's points (Fellegi–Sunter), blended with the shipped ones.

A level weighs ln(m/u): how much more often it is seen between a record and its own visit than between it and another
visit around its day. m is learnt from claims whose visit is known and then from those without an id, which slip more
often, as far as the first say which visit is theirs. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import exp, log

import msgspec

from athena_dash.correlation.weights import SHIPPED, STRAY

Counts = Mapping[str, Mapping[str, tuple[int, int]]]
"""Fact → level → pairs with the own visit, pairs with another."""

METHOD = 2  # of learning; by a newer one a practice learns anew
OWN, OTHER = 0, 1
TRUSTED = 100  # other pairs at which a practice's own points weigh as much as the shipped ones
DOUBT = (
    4.0  # pairs of either kind that are added to every fact, alike in both, so that what is rare says little
)
SUPPOSED = 5  # pairs of claims that belong nowhere that are supposed to look like another visit's
HEARD = 2_000  # pairs at most that known claims count for beside claims without an id
SURE = 0.6  # chance from which a link is made
WORTH_A_LOOK = 0.05  # chance from which a person is asked
ROUNDS = 25
FARTHEST = 50  # points; beyond, exp() has little more to tell
CENT = Decimal("0.01")


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What records whose visit is known say. `placed` had their own visit on offer, `lost` had only others."""

    counts: Counts
    placed: int
    lost: int

    @property
    def pairs(self) -> int:
        return sum(own for own, _ in self.counts["date"].values())

    @property
    def others(self) -> int:
        return sum(other for _, other in self.counts["date"].values())


class Lone(msgspec.Struct, frozen=True, kw_only=True):
    """Claims without an id whose pairs are alike: of each pair its points and its levels."""

    pairs: tuple[tuple[float, tuple[str, ...]], ...]
    claims: int

    @property
    def levels(self) -> Iterator[str]:
        return (level for _, levels in self.pairs for level in levels)


@dataclass(slots=True)
class Seen:
    """What one round of expectation adds up: strays, and levels of their pairs and of own pairs."""

    strays: float = 0.0
    stray: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    own: dict[str, float] = field(default_factory=lambda: defaultdict(float))


def points_of(counts: Counts) -> dict[str, float]:
    """Level → ln(m/u). A level seen in no pair keeps its shipped points."""
    found: dict[str, float] = {}
    for levels in counts.values():
        own, other = shares(levels, OWN), shares(levels, OTHER)
        found |= {level: log(own[level] / other[level]) for level in levels}
    return {level: float(points) for level, points in SHIPPED.items()} | found


def lone_points(labels: Labels, points: Mapping[str, float], lone: Sequence[Lone]) -> dict[str, float]:
    """`points` as claims without an id amend them, by expectation–maximisation, and what belonging to no visit on
    offer weighs. `absent`, ln of the odds that the visit did not arrive: such a claim looks like another visit's.
    `none`, ln of those of a stray, and "stray LEVEL", ln(v/u), how much more often the level is seen between a stray
    and a visit around its day than between another visit's claim and it.
    """
    absent = none = log((labels.lost + 1) / (labels.placed + 1))
    claims = sum(one.claims for one in lone)
    facts = [(shares(levels, OWN), shares(levels, OTHER)) for levels in labels.counts.values()]
    heard = min(labels.pairs, HEARD)
    more: dict[str, float] = {}  # than `points`
    stray: dict[str, float] = {}
    for _ in range(ROUNDS if claims else 0):
        seen = expected(lone, none, absent, more, stray)
        share = min(max((seen.strays + 1) / (claims + 2), 0.0005), 0.9)
        none = log(share / (1 - share))
        for own, other in facts:
            owned, strayed = (sum(side[level] for level in other) for side in (seen.own, seen.stray))
            for level, u in other.items():
                m = (seen.own[level] + heard * own[level]) / (owned + heard)
                more[level] = log(m / u) - points[level]
                stray[level] = log((seen.stray[level] / u + SUPPOSED) / (strayed + SUPPOSED))
    return (
        {level: value + more.get(level, 0) for level, value in points.items()}
        | {"none": none, "absent": absent}
        | {STRAY + level: value for level, value in stray.items()}
    )


def expected(
    lone: Sequence[Lone], none: float, absent: float, more: Mapping[str, float], stray: Mapping[str, float]
) -> Seen:
    """Each claim shared out by chance: between the visits on offer, being a stray, and a visit that is not here."""
    seen = Seen()
    for one in lone:
        strays = exp(bounded(none + sum(stray.get(level, 0) for level in one.levels)))
        likely = [
            exp(bounded(points + sum(more.get(level, 0) for level in levels))) for points, levels in one.pairs
        ]
        whole = one.claims / (strays + exp(absent) + sum(likely))
        seen.strays += strays * whole
        for (_, levels), own in zip(one.pairs, likely, strict=True):
            for level in levels:
                seen.stray[level] += strays * whole
                seen.own[level] += own * whole
    return seen


def bounded(points: float) -> float:
    return min(max(points, -FARTHEST), FARTHEST)


def shares(levels: Mapping[str, tuple[int, int]], side: int) -> dict[str, float]:
    """Of the pairs with the own visit, or of those with another; none of them is nil."""
    own, other = (sum(seen[one] for seen in levels.values()) for one in (OWN, OTHER))
    return {
        level: (seen[side] + DOUBT * sum(seen) / (own + other)) / ((own, other)[side] + DOUBT)
        for level, seen in levels.items()
    }


def blend(points: Mapping[str, float], others: int) -> dict[str, Decimal]:
    """The two experts weigh by how much the practice has shown, so that a small one behaves as shipped, which knows
    nothing of strays."""
    sure, look = (log(chance / (1 - chance)) for chance in (SURE, WORTH_A_LOOK))
    own = {**points, "sure": sure, "look": look}
    trust = Decimal(others) / (others + TRUSTED)
    return {
        name: (trust * Decimal(value) + (1 - trust) * SHIPPED.get(name, Decimal(0))).quantize(CENT)
        for name, value in own.items()
    }
