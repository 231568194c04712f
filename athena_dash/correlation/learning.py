"""Counts of levels among right and wrong pairs → a practice's points (Fellegi–Sunter), blended with the shipped ones.

A level weighs ln(m/u): how much more often it is seen between a record and its own visit than between it and another
visit around its day. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import log

import msgspec

from athena_dash.correlation.weights import SHIPPED

Counts = Mapping[str, Mapping[str, tuple[int, int]]]
"""Fact → level → pairs with the own visit, pairs with another."""

TRUSTED = 100  # other pairs at which a practice's own points weigh as much as the shipped ones
DOUBT = (
    4.0  # pairs of either kind that are added to every fact, alike in both, so that what is rare says little
)
SURE = 0.9  # chance from which a link is made
WORTH_A_LOOK = 0.05  # chance from which a person is asked
ROUNDS = 25
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


def points_of(counts: Counts) -> dict[str, float]:
    """Level → ln(m/u). A level seen in no pair keeps its shipped points."""
    found = {}
    for levels in counts.values():
        own, other = (sum(seen[side] for seen in levels.values()) for side in (0, 1))
        for level, (m, u) in levels.items():
            doubt = DOUBT * (m + u) / (own + other)
            found[level] = log((m + doubt) / (own + DOUBT)) - log((u + doubt) / (other + DOUBT))
    return {level: float(points) for level, points in SHIPPED.items()} | found


def none_of(labels: Labels, evidence: Sequence[float]) -> float:
    """ln of the odds that a record without an id belongs to no visit on offer, by expectation–maximisation.

    `evidence`: of each such record, the likelihood ratios of its pairs, summed.
    """
    share = (labels.lost + 1) / (labels.placed + labels.lost + 2)
    for _ in range(ROUNDS if evidence else 0):
        odds = share / (1 - share)
        doubtful = sum(odds / (odds + ratio) for ratio in evidence)
        share = min(max((doubtful + 1) / (len(evidence) + 2), 0.0005), 0.9)
    return log(share / (1 - share))


def blend(points: Mapping[str, float], none: float, others: int) -> dict[str, Decimal]:
    """The two experts weigh by how much the practice has shown, thresholds included, so that a small one behaves as
    shipped."""
    own = dict(points)
    sure, look = (log(chance / (1 - chance)) for chance in (SURE, WORTH_A_LOOK))
    own |= {"none": none, "threshold": none + sure, "margin": sure, "review_floor": none + look}
    trust = Decimal(others) / (others + TRUSTED)
    return {
        name: (trust * Decimal(own[name]) + (1 - trust) * shipped).quantize(CENT)
        for name, shipped in SHIPPED.items()
    }
