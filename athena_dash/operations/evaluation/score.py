"""What we concluded + what was true → counts, precision and recall. Pure: knows neither database nor sandbox."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec.structs import astuple

from athena_dash.core.shares import interval, ratio


class Truth(msgspec.Struct, frozen=True):
    """The visits one record truly belongs to; none when it belongs to no visit. `linkable`: a client could
    tell."""

    visits: frozenset[str]
    linkable: bool = True


class Tally(msgspec.Struct):
    """`abstained`: records of a visit that we left to a person or waiting; those a client could tell are `fn`
    too.

    `dont_care` counts what was neither right nor wrong to show: within a business day of its grace. Of gaps, `said` is
    the part of fp that says "not synced" where athena has what we lack, `held` the part of fn of whose visit something
    is not here whole.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    abstained: int = 0
    dont_care: int = 0
    said: int = 0
    held: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def precision(self) -> float | None:
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return ratio(self.tp, self.tp + self.fn)

    def report(self, *counts: str) -> dict[str, Any]:
        shown = {name: getattr(self, name) for name in counts}
        return shown | {
            "precision": self.precision,
            "precision_95": interval(self.tp, self.tp + self.fp),
            "recall": self.recall,
            "recall_95": interval(self.tp, self.tp + self.fn),
        }


LINK_COUNTS = ("tp", "fp", "fn", "abstained")
GAP_COUNTS = ("tp", "fp", "said", "fn", "held", "dont_care")


def score_links(truth: Mapping[str, Truth], found: Mapping[str, str]) -> Tally:
    """By record id. `found` holds the true name of the visit we tied it to; a record left alone is not in it."""
    tally = Tally()
    for record_id, true in truth.items():
        visit = found.get(record_id)
        if visit is None:
            tally.abstained += bool(true.visits)
            tally.fn += bool(true.visits) and true.linkable
        elif visit in true.visits:
            tally.tp += 1
        else:
            tally.fp += 1
            tally.fn += bool(true.visits) and true.linkable
    tally.fp += sum(1 for record_id in found if record_id not in truth)
    return tally


def score_gaps(
    expected: Collection[str],
    tolerated: Collection[str],
    found: Collection[str],
    said: Collection[str] = (),
    lacking: Collection[str] = (),
) -> Tally:
    """By the name of the visit (or of the orphan result), for one gap code. `said`: those of `found` that say "not
    synced"; `lacking`: of which something is truly not here."""
    shown, true, either = set(found), set(expected), set(tolerated) - set(expected)
    return Tally(
        tp=len(shown & true),
        fp=len(shown - true - either),
        fn=len(true - shown),
        dont_care=len(shown & either),
        said=len((shown - true - either) & set(said) & set(lacking)),
        held=len((true - shown) & set(lacking)),
    )
