"""A hundred touched visits in a practice of ten thousand and in one of a million: it must not matter how large it is.

`python -m bench correlate_incremental [VISITS]`. The records are invented and tied by set-based SQL, the touched ones
then correlated by the stage itself. CPU seconds as in `correlate`; the first rounds warm the cache and are not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median, quantiles

from bench.correlate import data
from bench.correlate.ground import measured, practice_in

SMALL, TOUCHED, WARM, ROUNDS = 10_000, 100, 2, 24


def run(visits: str = "1000000") -> Iterator[dict[str, object]]:
    with practice_in("small") as practice_id:
        from athena_dash.practices.models import Practice  # Django is set up only now

        small = rounds(practice_id, SMALL)
        large = rounds(Practice.objects.create(slug="large", name="large", athena_id="2").pk, int(visits))
    for count, found in ((SMALL, small), (int(visits), large)):
        cpu, wall = (sorted(seconds) for seconds in zip(*found, strict=True))
        yield {
            "visits": count,
            "touched": TOUCHED,
            "cpu_p50_ms": round(median(cpu) * 1000),
            "cpu_p95_ms": round(quantiles(cpu, n=20)[-1] * 1000),
            "wall_p50_ms": round(median(wall) * 1000),
            "wall_p95_ms": round(quantiles(wall, n=20)[-1] * 1000),
        }
    yield {"ratio": round(median(cpu for cpu, _ in large) / median(cpu for cpu, _ in small), 2)}


def rounds(practice_id: int, visits: int) -> list[tuple[float, float]]:
    """CPU and wall seconds of each round; every round touches visits of its own."""
    from athena_dash.correlation.service import correlate

    data.invent(practice_id, visits=visits, lines=1, more=0)
    data.settle(practice_id)
    found = []
    for number in range(WARM + ROUNDS):
        first = visits // 2 + number * TOUCHED
        numbers = range(first, first + TOUCHED)
        touched = {
            "appointment": [str(n) for n in numbers],
            "encounter": [str(10_000_000 + n) for n in numbers],
            "claim": [str(20_000_000 + n) for n in numbers],
        }
        with measured() as spent:
            correlate(practice_id, touched)
        found.append((spent.cpu, spent.wall))
    return found[WARM:]
