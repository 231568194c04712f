"""How late the demo shows what happens at its athena: its world, its workers, its speed, at noon of a working day; then
the same with life over there as dense as in a torture run, for in three minutes of the demo next to nothing happens.
`python -m bench lag 40 demo` is 40 minutes of the first alone.

From the instant the sandbox's ledger gives a change to the look, one every two seconds, at which our row says it and
nothing waits to be judged; by kind of record, and together for what athena announces and for what it must be asked
about. What was never seen counts as later than all others: a percentile among those is told as `>` how long they had
waited at the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.lag.demo import demo, state
from bench.lag.watch import Watched, watch

SPEEDS = {"demo": 60.0, "busy": 20_000.0}
AFTER = 120.0  # seconds in which nothing newly counts, and what has happened may still arrive


def run(minutes: str = "3", *cases: str) -> Iterator[dict[str, object]]:
    with state() as root:
        for case in cases or SPEEDS:
            with demo(root, SPEEDS[case]):
                seen = watch(root, 60 * float(minutes), AFTER)
            for kind, some in kinds(seen):
                yield {
                    "case": case,
                    "speed": f"{SPEEDS[case]:g}",
                    "minutes": minutes,
                    "kind": kind,
                    **figures(some),
                }


def kinds(seen: list[Watched]) -> Iterator[tuple[str, list[Watched]]]:
    from athena_dash.operations.torture.recovery import ANNOUNCED

    yield "announced", [one for one in seen if one.kind in ANNOUNCED]
    yield "asked_about", [one for one in seen if one.kind not in ANNOUNCED]
    for kind in sorted({one.kind for one in seen}):
        yield kind.replace(" ", "_"), [one for one in seen if one.kind == kind]


def figures(seen: list[Watched]) -> dict[str, object]:
    return {
        "changes": len(seen),
        "unseen": sum(not one.visible for one in seen),
        "p50_seconds": percentile(seen, 0.5),
        "p95_seconds": percentile(seen, 0.95),
    }


def percentile(seen: list[Watched], part: float) -> str:
    ranked = sorted(seen, key=lambda one: (not one.visible, one.seconds))
    if not ranked:
        return "-"
    one = ranked[min(int(part * len(ranked)), len(ranked) - 1)]
    return f"{'' if one.visible else '>'}{one.seconds:.0f}"
