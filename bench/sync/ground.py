"""What every run stands on: the stub, the prepared practice, and how one leg is measured."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.sync import product
from bench.sync.cluster import GROUND, Cluster
from bench.sync.corpus import Corpus
from bench.sync.leg import Leg
from bench.sync.measure import family_cpu

VAR = Path(__file__).resolve().parents[2] / "var" / "sync"
Play = Callable[..., str]
"""`play(version, latency)` says what the stub answers from now on, and returns its address."""


@contextmanager
def stub(made: Corpus) -> Iterator[Play]:
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


def measured(services: Cluster, database: str, pull: Callable[[], Leg]) -> tuple[Leg, dict[str, float]]:
    """A leg behind a checkpoint of its own, and what its database had written."""
    services.checkpoint()
    before, busy = services.written(database), family_cpu(services.postmaster)
    leg = pull()
    leg = replace(leg, postgres=family_cpu(services.postmaster) - busy)
    return leg, services.written(database).since(before)


def figures(made: Corpus, leg: Leg) -> dict[str, object]:
    speed = round(made.total / leg.seconds)
    return {"seconds": round(leg.seconds, 2), "rec_s": speed, **leg.cpu, "rss_mb": leg.rss_mb}
