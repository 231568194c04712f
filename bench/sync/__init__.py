"""The whole sync beside its baselines, on one loopback stub, in one run: ours, bare COPY + upsert, and dlt.

`python -m bench sync` is the table of issue 3 §9; `python -m bench sync quick` a small one for work on the pipeline
(no dlt, one round, with the seconds of each stage), and `sync quick profile` adds cProfile files beside the corpus.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.sync import complete, copying, ours, product
from bench.sync.cluster import GROUND, Cluster, cluster
from bench.sync.corpus import Corpus, corpus
from bench.sync.leg import Leg

VAR = Path(__file__).resolve().parents[2] / "var" / "sync"
QUICK = 5_000


def run(*words: str) -> Iterator[dict[str, object]]:
    if words[:1] == ("quick",):
        return quick(profiled="profile" in words)
    raise SystemExit("only `sync quick` so far")


def quick(*, profiled: bool = False) -> Iterator[dict[str, object]]:
    made = corpus(QUICK, VAR)
    with cluster() as services, stub(made) as play:
        prepare(services, play, made)
        for contender in ("ours", "copy"):
            services.create(contender, GROUND)
        conninfo = services.postgres.conninfo("copy")
        for case, version in (("first", 1), ("unchanged", 1), ("changed", 2)):
            address = play(version)
            baseline, _ = measured(services, "copy", partial(copying.copy, conninfo, address))
            profile = VAR / f"quick-{case}" if profiled else None
            leg, written = measured(services, "ours", partial(ours.pull, "ours", profile))
            yield {"case": case, **figures(made, leg), "vs_copy": ratio(leg, baseline), **written}
            yield {"case": case, "contender": "copy", **figures(made, baseline)}
            yield {"case": case, "stages": "wall/cpu", **leg.stages}
            yield {"case": case, **complete.of_ours(services, "ours", made, version)}
            if faults := complete.of_rows(services, "copy", made)["short"]:
                raise RuntimeError(f"the baseline is short of rows: {faults}")


def measured(services: Cluster, database: str, pull: Callable[[], Leg]) -> tuple[Leg, dict[str, object]]:
    """A leg behind a checkpoint of its own, and what its database had written."""
    services.checkpoint()
    before = services.written(database)
    leg = pull()
    return leg, services.written(database).since(before)


def figures(made: Corpus, leg: Leg) -> dict[str, object]:
    speed = round(made.total / leg.seconds)
    return {"seconds": round(leg.seconds, 2), "rec_s": speed, **leg.cpu, "rss_mb": leg.rss_mb}


def ratio(ours: Leg, baseline: Leg) -> float:
    return round(ours.seconds / baseline.seconds, 2)


Play = Callable[..., str]


@contextmanager
def stub(made: Corpus) -> Iterator[Play]:
    """`play(version, latency)` says what the stub answers from now on, and returns its address."""
    command = [sys.executable, "-m", "bench.sync.stub", str(made.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=VAR.parents[1]) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        address = f"http://127.0.0.1:{int(process.stdout.readline())}"

        def play(version: int = 1, latency: float = 0.0) -> str:
            urllib.request.urlopen(f"{address}/bench?version={version}&latency={latency}").read()  # noqa: S310
            return address

        try:
            yield play
        finally:
            process.terminate()


def prepare(services: Cluster, play: Play, made: Corpus) -> None:
    services.create(GROUND)
    apart(product.prepare, GROUND, play(), made)
    services.vacuum(GROUND)


def apart(function: Callable[..., None], *args: Any) -> None:
    """In a process of its own: Django knows one database for life."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=args)
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{function.__name__} failed")
