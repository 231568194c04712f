"""Correlation beside the bare scored join that it should cost no more than a few of (reference/performance.md §3).

`python -m bench correlate [VISITS]`: everything of a practice from nothing, ours and the bare join in turn. Seconds are
CPU of the database's backend and of this process, because other work on the machine does not move them.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bench.correlate import bare, data
from bench.correlate.ground import clear, everything, measured, practice_in, scored

ROUNDS = 3


def run(visits: str = "200000") -> Iterator[dict[str, object]]:
    with practice_in("correlate") as practice_id:
        from athena_dash.correlation.service import correlate  # Django is set up only now

        data.invent(practice_id, visits=int(visits))
        touched = everything(practice_id)
        cpu: dict[str, list[float]] = {"bare": [], "ours": []}
        wall: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(ROUNDS):
            clear()
            with measured() as spent:
                bare.join(practice_id)
            cpu["bare"].append(spent.cpu)
            wall["bare"].append(spent.wall)
            with measured() as spent:
                correlate(practice_id, touched)
            cpu["ours"].append(spent.cpu)
            wall["ours"].append(spent.wall)
        accuracy = {"bare": bare.scored(), "ours": scored()}
        with measured() as again:
            correlate(practice_id, touched)
    for name, seconds in cpu.items():
        yield {
            "case": name,
            "records": sum(map(len, touched.values())),
            "cpu_s": round(median(seconds), 2),
            "wall_s": round(median(wall[name]), 2),
            "ratio": round(median(seconds) / median(cpu["bare"]), 2),
            **accuracy[name],
        }
    yield {"case": "ours, again", "cpu_s": round(again.cpu, 2), "wall_s": round(again.wall, 2)}
