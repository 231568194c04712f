"""Claims without an id, tied by learnt weights beside Splink on the same pairs and with the same abstention.

`python -m bench linkage [VISITS [SEEDS [PROFILES]]]`, lists with commas: `linkage 100000 101,102,103,104,105 combined`.
Weights were tuned on seeds 1 to 3 and 91 to 93; ask for others. P and R, with their 95 % intervals, count a claim that
was left to a person as missed. Splink is taken at its best: trained in three ways, every threshold tried on the very
set it is scored on, and then as many of its least certain links taken back as leave it with our abstention; and once
more, as leave it as precise as ours.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.correlate.ground import practice_in
from bench.linkage import measure, splink_leg
from bench.linkage.population import write_set
from integrations.sandbox.population.noise import PROFILES

NOISY = ",".join(name for name in PROFILES if name != "demo")


def run(visits: str = "20000", seeds: str = "101", profiles: str = NOISY) -> Iterator[dict[str, object]]:
    with practice_in("linkage") as practice_id, tempfile.TemporaryDirectory() as root:
        for profile in profiles.split(","):
            for seed in seeds.split(","):
                directory = Path(root) / f"{profile}-{seed}"
                write_set(directory, int(visits), int(seed), profile)
                yield from compare(
                    directory, practice_id, {"profile": profile, "seed": int(seed), "visits": int(visits)}
                )


def compare(directory: Path, practice_id: int, case: dict[str, object]) -> Iterator[dict[str, object]]:
    from bench.linkage import ours  # Django is set up only now

    ground = measure.Ground(directory)
    places, spent = ours.tie(directory, practice_id)
    for name in ("shipped", "learnt"):
        found = {id: encounter for id, (encounter, state, _) in places[name].items() if state == "linked"}
        chances = {id: place[2] for id, place in places[name].items()}
        yield {**case, "who": name, **ground.figures(found), **(spent if name == "learnt" else {})}
    named = {id: encounter for id, encounter in found.items() if id not in ground.lone}
    tied = ground.figures(found)
    pairs, seconds = splink_leg.pairs_of(directory)
    for how, best in pairs.items():
        theirs = splink_leg.at_its_best(ground, best, tied["claim_abstained"])
        yield {**case, "who": f"splink {how}", **ground.figures(named | theirs), "seconds": seconds[how]}
        theirs = splink_leg.as_precise(ground, best, tied["claim_p"])
        yield {**case, "who": f"splink {how}, as precise", **ground.figures(named | theirs)}
    bins = measure.calibration(
        ground, {id: (places["learnt"][id][0], chances[id]) for id in ground.lone if places["learnt"][id][0]}
    )
    yield {**case, "who": "learnt", "calibration": json.dumps(bins)}
