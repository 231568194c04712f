"""A practice's versions of weights, and what one changes level by level, into what the Weights page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from athena_dash.correlation import reweighing
from athena_dash.correlation.models import Weights
from athena_dash.correlation.weights import SHIPPED, STRAY

FACTS: Mapping[str, Mapping[str, str]] = {
    "Date of service": {
        "same_day": "the visit’s day",
        "same_local_day": "an evening visit’s own day",
        "utc_day": "the visit’s day in UTC",
        "one_day": "one day off",
        "two_days": "two days off",
        "three_days": "three days off",
    },
    "Provider": {
        "same_provider": "the visit’s",
        "supervisor": "its supervisor",
        "other_provider": "another",
    },
    "Department": {"same_department": "the visit’s", "other_department": "another"},
    "Procedures billed": {
        "procedures_agree": "all documented, and no others",
        "one_procedure": "the only one documented",
        "procedures_within": "documented among others",
        "procedures_some": "some documented",
        "procedures_family": "documented at another level",
        "procedures_differ": "none documented",
    },
    "Diagnoses": {
        "diagnoses_agree": "all documented, and no others",
        "diagnoses_within": "documented among others",
        "diagnoses_some": "some documented",
        "diagnoses_differ": "none documented",
    },
    "Other claims of the visit": {
        "free": "none by id",
        "taken": "another by id",
        "billed_again": "another bills the same",
        "billed_other": "another bills other services",
        "billed_rest": "another bills the rest of them",
    },
    "Belongs to no visit here": {"none": "before any evidence", "absent": "its visit did not arrive"},
    "Lead asked for": {"sure": "to tie", "look": "to ask a person"},
}


@dataclass(frozen=True)
class VersionRow:
    weights: Weights
    name: str
    used: bool
    done: int
    lone: int  # claims without an id

    @property
    def applying(self) -> bool:
        return self.weights.active and self.weights.applied_at is None


@dataclass(frozen=True)
class LevelRow:
    """Points in use and points of the version; `stray`: what the level adds to belonging to no visit."""

    fact: str
    level: str
    used: Decimal
    points: Decimal
    stray: Decimal

    @property
    def moved(self) -> bool:
        return abs(self.points - self.used) >= 1


def versions_of(practice_id: int) -> list[VersionRow]:
    rows = Weights.objects.for_practice(practice_id).select_related("applied_by")
    used = next((row.version for row in rows if row.active), 0)
    return [
        VersionRow(row, name_of(row.version), row.version == used, *reweighing.progress(row)) for row in rows
    ]


def name_of(version: int) -> str:
    return f"Version {version}" if version else "Shipped points"


def levels_of(used: Mapping[str, Decimal], version: Weights) -> Sequence[LevelRow]:
    points = {**SHIPPED, **{name: Decimal(value) for name, value in version.points.items()}}
    return [
        LevelRow(fact, words, used[level], points[level], points.get(STRAY + level, Decimal(0)))
        for fact, levels in FACTS.items()
        for level, words in levels.items()
    ]
