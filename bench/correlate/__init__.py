"""Correlation beside the bare scored join that it should cost no more than a few of (reference/performance.md §3).

`python -m bench correlate [VISITS]`: everything of a practice from nothing, ours and the bare join in turn. Seconds are
CPU of the database's backend and of this process, because other work on the machine moves them least. A ratio is the
median of the rounds' own (`by_round`): between rounds the machine's speed changes more than what is looked for.

What is compared is not the same work, and the total is what counts. Both tie claims and charge lines. The bare join
starts where appointments stand for visits, keeps three texts a record under one index, and neither evidence nor what it
did not tie. Ours finds what is in scope, makes the visits and shows on each what lists need (money, payer), ties the
encounters, keeps why, and can be asked again about any record. So the split is told beside: `part` by part of ours, and
what only writing those same rows again costs (`rows alone`), which is the least that ours can come to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from bench.correlate import bare, data, rows_alone
from bench.correlate.ground import clear, everything, measured, practice_in, scored
from bench.correlate.parts import Parts

ROUNDS = 7


def run(visits: str = "200000") -> Iterator[dict[str, object]]:
    with practice_in("correlate") as practice_id:
        from athena_dash.correlation.service import correlate  # Django is set up only now

        data.invent(practice_id, visits=int(visits))
        touched = everything(practice_id)
        cpu: dict[str, list[float]] = {"bare": [], "ours": []}
        wall: dict[str, list[float]] = {"bare": [], "ours": []}
        parts = Parts()
        for _ in range(ROUNDS):
            clear()
            with measured() as spent:
                bare.join(practice_id)
            cpu["bare"].append(spent.cpu)
            wall["bare"].append(spent.wall)
            with measured() as spent, parts.told():
                correlate(practice_id, touched)
            cpu["ours"].append(spent.cpu)
            wall["ours"].append(spent.wall)
        accuracy = {"bare": bare.scored(), "ours": scored()}
        with measured() as again:
            correlate(practice_id, touched)
        kept = rows_alone.keep()
        with measured() as writing:
            rows_alone.write()
    for name, seconds in cpu.items():
        yield {
            "case": name,
            "records": sum(map(len, touched.values())),
            "cpu_s": round(median(seconds), 2),
            "wall_s": round(median(wall[name]), 2),
            **beside(cpu["bare"], seconds),
            **accuracy[name],
        }
    yield {
        "case": "ours, rows alone",
        **kept,
        "cpu_s": round(writing.cpu, 2),
        "ratio": round(writing.cpu / median(cpu["bare"]), 2),
    }
    for part, seconds in parts.cpu.items():
        yield {
            "case": "ours",
            "part": part,
            "cpu_s": round(median(seconds), 2),
            "ratio": beside(cpu["bare"], seconds)["ratio"],
        }
    yield {"case": "ours, again", "cpu_s": round(again.cpu, 2), "wall_s": round(again.wall, 2)}


def beside(bare: Sequence[float], seconds: Sequence[float]) -> dict[str, object]:
    by_round = [one / base for one, base in zip(seconds, bare, strict=True)]
    return {"ratio": round(median(by_round), 2), "by_round": " ".join(f"{ratio:.2f}" for ratio in by_round)}
