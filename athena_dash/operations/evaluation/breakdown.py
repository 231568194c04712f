"""Where each record was put, beside its truth → the same score by tier and department, the visits, the calibration.

Pure: whether truth is a ledger, a truth.csv or an id that was hidden, is not known here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec

from athena_dash.core.shares import interval, ratio
from athena_dash.operations.evaluation.score import LINK_COUNTS, Tally, Truth, score_links

BINS = 10
BY_RULE = ("patient_day", "scored", "none")
"""Tiers that say how likely they are; an id, an anchor and a person do not."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `visit` is what it is tied to, `best` the likeliest visit on offer, tied or not, by `chance`."""

    kind: str
    id: str
    truth: Truth
    visit: str | None = None
    best: str | None = None
    chance: float = 0.0  # 0..1
    tier: str = "none"  # how it was tied, as links say it
    department: str = ""  # of the visit it belongs to; empty when it belongs to none


def tally(rows: Iterable[Placed]) -> Tally:
    rows = list(rows)
    return score_links(
        {row.id: row.truth for row in rows}, {row.id: row.visit for row in rows if row.visit is not None}
    )


def breakdown(rows: Sequence[Placed]) -> dict[str, Any]:
    return {
        "tiers": grouped(rows, lambda row: f"{row.kind} {row.tier}"),
        "departments": grouped(rows, lambda row: f"{row.kind} {row.department or 'nowhere'}"),
        "calibration": calibration([row for row in rows if row.kind == "claim" and row.tier in BY_RULE]),
    }


def grouped(rows: Iterable[Placed], name: Callable[[Placed], str]) -> dict[str, dict[str, Any]]:
    groups: dict[str, list[Placed]] = defaultdict(list)
    for row in rows:
        groups[name(row)].append(row)
    return {name: tally(group).report(*LINK_COUNTS) for name, group in sorted(groups.items())}


def calibration(rows: Iterable[Placed]) -> dict[str, dict[str, Any]]:
    """Bin of chance → how many, how likely they were said to be, how many of them were right."""
    bins: dict[int, list[Placed]] = defaultdict(list)
    for row in rows:
        if row.best is not None:
            bins[min(int(row.chance * BINS), BINS - 1)].append(row)
    return {
        f"{place / BINS:.1f}–{(place + 1) / BINS:.1f}": {
            "records": len(bin),
            "predicted": round(sum(row.chance for row in bin) / len(bin), 4),
            "observed": ratio(right := sum(row.best in row.truth.visits for row in bin), len(bin)),
            "observed_95": interval(right, len(bin)),
        }
        for place, bin in sorted(bins.items())
    }


def visits_seen(rows: Iterable[Placed], visits: Collection[str]) -> dict[str, dict[str, Any]]:
    """Of all visits: those whose claim is not shown, and those that show a claim and have none."""
    owned: set[str] = set()
    shown: set[str] = set()
    for row in rows:
        if row.kind == "claim":
            owned |= row.truth.visits
            shown |= {row.visit} if row.visit else set()
    here = set(visits)
    wrong = {"false_missing": here & (owned - shown), "false_complete": here & (shown - owned)}
    return {
        name: {
            "visits": len(these),
            "of": len(here),
            "share": ratio(len(these), len(here)),
            "share_95": interval(len(these), len(here)),
        }
        for name, these in wrong.items()
    }
