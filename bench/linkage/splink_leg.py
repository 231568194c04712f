"""Splink's pairs, run in the bench's own environment → what it would tie with a given abstention."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import defaultdict
from itertools import accumulate
from math import inf
from pathlib import Path

from bench.linkage.measure import Ground, score

PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bench" / "bin" / "python"
SCRIPT = Path(__file__).with_name("splink_script.py")
THRESHOLDS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
SECONDS = 600

Best = dict[str, tuple[str, float, float]]
"""Claim → its best encounter, how probable, and by how many bits it leads the second."""


def pairs_of(directory: Path) -> tuple[dict[str, Best], dict[str, float]]:
    """By way of training: the best pair of each claim; seconds without reading the files."""
    out = directory / "pairs.csv"
    told = subprocess.run(
        [PYTHON, SCRIPT, directory, out], check=True, capture_output=True, text=True, timeout=SECONDS
    )
    found: dict[str, dict[str, list[tuple[float, float, str]]]] = defaultdict(lambda: defaultdict(list))
    with out.open(newline="") as file:
        for row in csv.DictReader(file):
            pair = (float(row["match_weight"]), float(row["match_probability"]), row["encounter_id"])
            found[row["how"]][row["claim_id"]].append(pair)
    return {
        how: {id: best_of(pairs) for id, pairs in claims.items()} for how, claims in found.items()
    }, json.loads(told.stdout.splitlines()[-1])


def best_of(pairs: list[tuple[float, float, str]]) -> tuple[str, float, float]:
    first, *rest = sorted(pairs, reverse=True)
    return first[2], first[1], first[0] - rest[0][0] if rest else inf


def at_its_best(ground: Ground, best: Best, left: float) -> dict[str, str]:
    """The threshold of the best F1 after giving back the links with the smallest lead, until the share `left` of the
    claims that have an encounter here is not tied."""
    owned = sum(1 for id in ground.lone if ground.true[id])
    allowed = round(left * owned)

    def tied(threshold: float) -> dict[str, str]:
        sure = sorted(
            ((lead, id) for id, (_, chance, lead) in best.items() if chance >= threshold and lead > 0),
            reverse=True,
        )
        missing = owned - sum(1 for _, id in sure if ground.true[id])
        while sure and (missing < allowed or sure[-1][0] <= 0):
            _, id = sure.pop()
            missing += bool(ground.true[id])
        return {id: best[id][0] for _, id in sure}

    def f1(found: dict[str, str]) -> float:
        got = score(ground.true, found, ground.lone, None)
        return 2 * got["p"] * got["r"] / ((got["p"] + got["r"]) or 1)

    return max(map(tied, THRESHOLDS), key=f1)


def as_precise(ground: Ground, best: Best, precision: float) -> dict[str, str]:
    """The most links of which that share is right, over all thresholds: those with the smallest lead are given back."""
    most: list[str] = []
    for threshold in THRESHOLDS:
        sure = sorted(
            (id for id, (_, chance, lead) in best.items() if chance >= threshold and lead > 0),
            key=lambda id: best[id][2],
            reverse=True,
        )
        right = list(accumulate(best[id][0] == ground.true[id] for id in sure))
        enough = (count for count in range(len(sure), 0, -1) if right[count - 1] >= precision * count)
        most = max(most, sure[: next(enough, 0)], key=len)
    return {id: best[id][0] for id in most}
