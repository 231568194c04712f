"""Where claims were put + truth.csv → precision and recall by part, what was left, and how visits look for it."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from athena_dash.core.shares import interval
from bench.linkage.population import BY_HAND_REASON


class Ground:
    """The truth of a set, and which claims carry no id."""

    def __init__(self, directory: Path) -> None:
        here = {row["encounter_id"] for row in rows(directory, "encounters")}
        self.encounters = here
        self.lone = {row["claim_id"] for row in rows(directory, "claims") if not row["appointment_id"]}
        self.lines: dict[str, int] = defaultdict(int)
        for row in rows(directory, "charges"):
            self.lines[row["claim_id"]] += 1
        self.true: dict[str, str] = {}
        self.by_hand = set()
        for row in rows(directory, "truth"):
            if row["kind"] == "claim":
                # one whose encounter was not exported belongs to none that is here
                self.true[row["id"]] = row["encounter_id"] if row["encounter_id"] in here else ""
                if row["reason"] == BY_HAND_REASON:
                    self.by_hand.add(row["id"])

    def figures(self, found: dict[str, str]) -> dict[str, Any]:
        """`found`: claim id → encounter id, of those that were tied."""
        lone = {
            f"{kind}_{name}": value
            for kind, weight in (("claim", None), ("charge", self.lines))
            for name, value in score(self.true, found, self.lone, weight).items()
        }
        all = score(self.true, found, self.true, self.lines)
        hand = score(self.true, found, self.by_hand, None)
        owned, shown = set(self.true.values()) - {""}, set(found.values()) - {""}
        return {
            **lone,
            "by_hand_p": hand["p"],
            "by_hand_r": hand["r"],
            "all_p": all["p"],
            "all_r": all["r"],
            "false_missing": round(len(owned - shown) / len(self.encounters), 5),
            "false_complete": round(len(shown - owned) / len(self.encounters), 5),
        }


def score(
    true: dict[str, str], found: dict[str, str], among: Iterable[str], weight: dict[str, int] | None
) -> dict[str, Any]:
    """`p_95` and `r_95` are Wilson's intervals; `counts`, what is right, tied and could be, adds up over seeds."""
    right = wrong = owned = left = 0
    for id in among:
        count = weight[id] if weight else 1
        truth, place = true[id], found.get(id, "")
        owned += count * bool(truth)
        right += count * (bool(place) and place == truth)
        wrong += count * (bool(place) and place != truth)
        left += count * (bool(truth) and not place)
    return {
        "p": round(right / (right + wrong or 1), 5),
        "p_95": interval(right, right + wrong),
        "r": round(right / (owned or 1), 5),
        "r_95": interval(right, owned),
        "abstained": round(left / (owned or 1), 5),
        "counts": f"{right}/{right + wrong}/{owned}",
    }


def calibration(ground: Ground, chances: dict[str, tuple[str, float]]) -> list[tuple[float, float, int]]:
    """Ten bins of chance: mean chance, share that was right, how many. `chances`: claim → its best, and how likely."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for id, (place, chance) in chances.items():
        bins[min(int(chance * 10), 9)].append((chance, place == ground.true[id]))
    return [
        (round(sum(c for c, _ in bin) / len(bin), 3), round(sum(ok for _, ok in bin) / len(bin), 3), len(bin))
        for bin in bins
        if bin
    ]


def rows(directory: Path, name: str) -> Iterable[dict[str, str]]:
    path = directory / f"{name}.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
