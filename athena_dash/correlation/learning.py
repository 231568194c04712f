"""Counts of levels among right and wrong pairs → a practice's points (Fellegi–Sunter), blended with the shipped ones.

A level weighs ln(m/u): how much more often it is seen between a record and its own visit than between it and another
visit around its day. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import exp, log

import msgspec

from athena_dash.correlation.weights import SHIPPED, STRAY

Counts = Mapping[str, Mapping[str, tuple[int, int]]]
"""Fact → level → pairs with the own visit, pairs with another."""

TRUSTED = 100  # other pairs at which a practice's own points weigh as much as the shipped ones
DOUBT = (
    4.0  # pairs of either kind that are added to every fact, alike in both, so that what is rare says little
)
SUPPOSED = 100  # pairs of claims that belong nowhere that are supposed to look like another visit's
SURE = 0.85  # chance from which a link is made
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
    def evidence(self) -> float:
        return sum(exp(points) for points, _ in self.pairs)

    @property
    def levels(self) -> Iterator[str]:
        return (level for _, levels in self.pairs for level in levels)


def points_of(counts: Counts) -> dict[str, float]:
    """Level → ln(m/u). A level seen in no pair keeps its shipped points."""
    found = {}
    for levels in counts.values():
        own, other = (sum(seen[side] for seen in levels.values()) for side in (0, 1))
        for level, (m, u) in levels.items():
            doubt = DOUBT * (m + u) / (own + other)
            found[level] = log((m + doubt) / (own + DOUBT)) - log((u + doubt) / (other + DOUBT))
    return {level: float(points) for level, points in SHIPPED.items()} | found


def strays_of(labels: Labels, lone: Sequence[Lone]) -> dict[str, float]:
    """What belonging to no visit on offer weighs, by expectation–maximisation over claims without an id.

    `none`, ln of its odds, and "stray LEVEL", ln(v/u): how much more often the level is seen between a claim that
    belongs nowhere and a visit around its day than between another visit's claim and it.
    """
    share = (labels.lost + 1) / (labels.placed + labels.lost + 2)
    claims = sum(one.claims for one in lone)
    others = [shares(levels) for levels in labels.counts.values()]
    stray: dict[str, float] = {}
    for _ in range(ROUNDS if claims else 0):
        seen: dict[str, float] = defaultdict(float)
        doubtful = 0.0
        for one in lone:
            nowhere = (
                share / (1 - share) * exp(min(sum(stray.get(level, 0) for level in one.levels), FARTHEST))
            )
            doubt = one.claims * nowhere / (nowhere + one.evidence)
            doubtful += doubt
            for level in one.levels:
                seen[level] += doubt
        share = min(max((doubtful + 1) / (claims + 2), 0.0005), 0.9)
        stray = {
            level: log((seen[level] / u + SUPPOSED) / (sum(seen[name] for name in other) + SUPPOSED))
            for other in others
            for level, u in other.items()
        }
    return {"none": log(share / (1 - share))} | {STRAY + level: points for level, points in stray.items()}


def shares(levels: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    """Of pairs with another visit; none of them is nil."""
    own, other = (sum(seen[side] for seen in levels.values()) for side in (0, 1))
    return {
        level: (u + DOUBT * (m + u) / (own + other)) / (other + DOUBT) for level, (m, u) in levels.items()
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
