"""Judging a practice of a million visits: in bulk by two workers, again with nothing changed, one visit, the tick.

`python -m bench judge [VISITS]`. Everything runs in processes of its own on a cluster of its own; the practice of
10,000 visits comes first, alone. `cpu_us` is CPU per visit of Python and its PostgreSQL backends together, so that it
also means something on a busy machine. `written` counts rows inserted or updated in visits and gaps.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from athena_dash.core.embedded.attach import attach, stop_keeper
from athena_dash.core.embedded.state import State
from bench.judge import work

SMALL = 10_000
WORKERS = 2

Figures = dict[str, object]


def run(visits: str = "1000000") -> Iterator[Figures]:
    root = Path(tempfile.mkdtemp(prefix="athena-dash-bench-"))
    root.chmod(0o711)
    os.environ |= {"ATHENA_DASH_STATE": str(root), "ATHENA_DASH_ENV": "test"}
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    state = State(root)
    try:
        in_use = attach()
        small = alone(work.make, SMALL)
        in_bulk(small["practice"])
        few = alone(work.one_by_one, small["practice"])
        yield {"case": "one", "visits": SMALL, **few}
        yield from large(int(visits), few)
        if in_use is not None:
            os.close(in_use)
    finally:
        stop_keeper(state)
        shutil.rmtree(root)


def large(visits: int, few: dict[str, Any]) -> Iterator[Figures]:
    made = alone(work.make, visits)
    practice = made["practice"]
    yield {"case": "fill", "visits": visits, "seconds": made["seconds"]}
    yield {"case": "learn", "visits": visits, **alone(work.learn, practice)}
    for case in ("bulk", "again"):
        yield {"case": case, "visits": visits, **in_bulk(practice)}
    many = alone(work.one_by_one, practice)
    yield {"case": "one", "visits": visits, **many, "ratio": round(many["p50_ms"] / few["p50_ms"], 2)}
    yield {"case": "tick", "visits": visits, **alone(work.tick, practice)}


def in_bulk(practice: int) -> Figures:
    """Two workers, as those of a queue: each takes the next part until none is left."""
    alone(work.wait, practice)
    before = alone(work.written)
    with pool(WORKERS) as processes:
        workers = [one.result() for one in [processes.submit(work.judge, practice) for _ in range(WORKERS)]]
    after = alone(work.written)
    visits = sum(one["visits"] for one in workers)
    seconds = max(one["ended"] for one in workers) - min(one["began"] for one in workers)
    python, postgres = (sum(one[name] for one in workers) / visits * 1e6 for name in ("python", "postgres"))
    return {
        "seconds": round(seconds, 1),
        "per_second": round(visits / seconds),
        "cpu_us": round(python + postgres, 1),
        "python_us": round(python, 1),
        "peak_rss_mb": max(one["rss_mb"] for one in workers),
        "written": after["rows"] - before["rows"],
        "gaps": after["gaps"],
    }


def alone(verb: Callable[..., dict[str, Any]], *words: Any) -> dict[str, Any]:
    with pool(1) as process:
        return process.submit(verb, *words).result()


def pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
