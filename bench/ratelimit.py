"""Four worker processes at full speed on one key: 429s the sandbox counted, calls made of those allowed, live waits.

`allowed` is athena's figure, `reached` our calls ÷ that. `wait` is what a call waited for its turn in our budget. The
baseline of the live waits is the same load without a reserve: the backfills then call as live.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx

from athena_dash.core.embedded.attach import attach, stop_keeper
from athena_dash.core.embedded.state import State
from integrations.sandbox.population import populate
from integrations.sandbox.server import PRESETS, Preset, serve
from integrations.sandbox.store import Store

PRACTICE, CLIENT, SECRET = "195900", "sandbox-client", "sandbox-secret"
FORK = get_context("fork")
THREADS = 2  # a worker process calls from several threads
LIVE_EVERY = 0.25  # seconds between the live calls beside backfills


@dataclass(frozen=True)
class Worker:
    """Calls until `seconds` are over, resting `rest` seconds between two calls of a thread."""

    share: str
    seconds: float
    threads: int = THREADS
    rest: float = 0.0


def run() -> Iterator[dict[str, object]]:
    with services() as world:
        for preset, seconds in ((PRESETS["preview"], 40.0), (PRESETS["production"], 60.0)):
            with sandbox(world, preset) as url:
                done = work(url, preset, [Worker("live", seconds)] * 4)
                yield figure("full_speed", preset, url, done) | percentiles(done)
        for case, share in (("live_beside_backfill", "backfill"), ("without_reserve", "live")):
            with sandbox(world, PRESETS["preview"]) as url:
                live = Worker("live", 20.0, threads=1, rest=LIVE_EVERY)
                done = work(url, PRESETS["preview"], [live, *[Worker(share, 20.0)] * 3])
                yield figure(case, PRESETS["preview"], url, done) | percentiles(done[:1])


@contextmanager
def services() -> Iterator[Path]:
    """PostgreSQL and Valkey of its own, and a small synthetic athena's state file."""
    root = Path(tempfile.mkdtemp(prefix="athena-dash-bench-"))
    root.chmod(0o711)
    os.environ["ATHENA_DASH_STATE"] = str(root)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
    for external in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(external, None)
    state, in_use = State(root), attach(durable=False)
    try:
        with Store(root / "athena.sqlite") as store:
            populate(store, seed=7, practices=1, visits=4, as_of=datetime.now(UTC))
        yield root / "athena.sqlite"
    finally:
        if in_use is not None:
            os.close(in_use)
        stop_keeper(state)
        shutil.rmtree(root)


@contextmanager
def sandbox(world: Path, preset: Preset) -> Iterator[str]:
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=serve, args=(world,), kwargs={"preset": preset, "ready": there.send})
    process.start()
    try:
        if not here.poll(30):
            raise TimeoutError("the sandbox did not start")
        yield here.recv()
    finally:
        process.terminate()
        process.join(10)


@dataclass(frozen=True)
class Done:
    """Of one worker: how long it called, and what each call waited for its turn, in seconds."""

    seconds: float
    waits: list[float]


def work(url: str, preset: Preset, workers: Sequence[Worker]) -> list[Done]:
    ends = []
    start = FORK.Barrier(len(workers))
    for worker in workers:
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=call, args=(url, preset, worker, start, there))
        process.start()
        ends.append((process, here))
    done = [here.recv() for _, here in ends if here.poll(180)]
    for process, _ in ends:
        process.join(10)
    return done


def call(url: str, preset: Preset, worker: Worker, start: Any, told: Any) -> None:
    import django

    django.setup()
    from athena_dash.sync.breaker import Breaker
    from athena_dash.sync.budget import Bucket, Share, SharedBudget, shared
    from athena_dash.sync.tally import Tally
    from athena_dash.sync.tokens import SharedTokens
    from athena_dash.sync.watch import Watch
    from integrations.athena.auth import ClientCredentials
    from integrations.athena.client import AthenaClient
    from integrations.athena.session import Session

    waits: list[float] = []

    class Timed(SharedBudget):
        def acquire(self) -> None:
            began = time.perf_counter()
            super().acquire()
            waits.append(time.perf_counter() - began)

    redis = shared()
    practice, key = (
        Bucket(f"{kind}:{url}", preset.calls_per_second, preset.calls_per_day) for kind in ("practice", "key")
    )
    budget, breaker = Timed(practice, key, Share(worker.share), redis), Breaker(1, redis)
    watch = Watch(1, "bench", budget, breaker, redis, Tally())
    credentials = ClientCredentials(url, PRACTICE, CLIENT, SECRET, tokens=SharedTokens(redis))
    with Session(url, PRACTICE, credentials, limiter=budget, gate=breaker, observer=watch) as session:
        client = AthenaClient(session)
        client.ping()  # the token is there
        waits.clear()
        start.wait(120)
        began = time.monotonic()
        until = began + worker.seconds

        def loop() -> None:
            while time.monotonic() < until:
                client.ping()
                time.sleep(worker.rest)

        threads = [threading.Thread(target=loop) for _ in range(worker.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told.send(Done(time.monotonic() - began, waits))


def figure(case: str, preset: Preset, url: str, done: Sequence[Done]) -> dict[str, object]:
    counted = httpx.get(f"{url}/_sandbox/calls").json()["practices"].get(PRACTICE, {})
    calls, limited = counted.get("calls", 0), counted.get("limited", 0)
    made, seconds = sum(len(one.waits) for one in done), max(one.seconds for one in done)
    return {
        "case": case,
        "preset": preset.name,
        "allowed_a_second": preset.calls_per_second,
        "calls": calls,
        "limited": limited,
        "limited_share": f"{limited / max(1, calls):.4%}",
        "seconds": round(seconds, 1),
        "reached": round(made / (preset.calls_per_second * seconds), 3),
    }


def percentiles(done: Sequence[Done]) -> dict[str, object]:
    every = sorted(wait for one in done for wait in one.waits)
    at = {
        f"wait_p{n}_ms": round(1000 * every[min(len(every) - 1, len(every) * n // 100)]) for n in (50, 95, 99)
    }
    return {"waits": len(every), **at}
