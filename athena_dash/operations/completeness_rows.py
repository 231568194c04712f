"""The last audit of each practice in words: "claims 99.8 % complete to 14:05 EST"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync.completeness import Completeness, latest


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """`tone` as core's badge knows it. What is not good says its `note` openly."""

    tone: str
    sentence: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessRow:
    practice: Practice
    kinds: tuple[KindRow, ...]


def completeness_rows(practices: Iterable[Practice]) -> list[CompletenessRow]:
    """One for each practice, also where no audit has run yet."""
    practices = list(practices)
    found: dict[int, list[Completeness]] = defaultdict(list)
    for one in latest([practice.pk for practice in practices]):
        found[one.practice_id].append(one)
    return [
        CompletenessRow(practice=practice, kinds=tuple(_kind(one, practice) for one in found[practice.pk]))
        for practice in practices
    ]


def _kind(one: Completeness, practice: Practice) -> KindRow:
    at = one.at.astimezone(ZoneInfo(practice.timezone))
    until = (
        f"{at:%H:%M %Z}" if at.date() == clock.now().astimezone(at.tzinfo).date() else f"{at:%b %d %H:%M %Z}"
    )
    if one.problem:
        return KindRow(tone="wait", sentence=f"{one.kind.label} not checked at {until}", note=one.problem)
    healed = f"{one.healed} were missing and were fetched. " if one.healed else ""
    missing = f"{one.missing} of {one.theirs} are missing." if one.missing else f"All {one.theirs} are here."
    return KindRow(
        tone="bad" if one.missing else "good",
        sentence=f"{one.kind.label} {one.percent} complete to {until}",
        note=healed + missing,
    )
