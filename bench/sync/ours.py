"""Ours: worker processes run the feeds as the queue's workers do, until nothing is left to process."""

from __future__ import annotations

import cProfile
import time
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from pathlib import Path

from bench.sync import product
from bench.sync.leg import PATIENCE, Leg, children, said
from bench.sync.measure import own_cpu, peak_rss_mb

WORKERS = 4
"""Twice the cores of the machine this was measured on, as the README has it: half of its time one waits."""
RING = "judge"


def pull(database: str, profile: Path | None = None, concurrency: int | None = None) -> Leg:
    """All workers are up and connected before the clock starts. They share `concurrency`, else have the product's."""
    profiles = [profile and profile.with_suffix(f".{number}.prof") for number in range(WORKERS)]
    arguments = [(database, path, concurrency and concurrency // WORKERS) for path in profiles]
    with children(work, arguments) as workers:
        for worker in workers:
            said(worker)
        began = time.perf_counter()
        hand_out(workers, [("pull", name) for name in product.FEEDS])
        while hand_out(workers[:1], [("finish", "")]):
            pass
        seconds = time.perf_counter() - began
        for worker in workers:
            worker.send(("stop", ""))
        return Leg(seconds, tuple(said(worker) for worker in workers))


def hand_out(workers: list[Pipe], jobs: list[tuple[str, str]]) -> int:
    """Whichever worker is free takes the next job, and those that jobs ring for; the sum of what they answered."""
    free, waiting, total = list(workers), list(jobs), 0
    while waiting or len(free) < len(workers):
        while free and waiting:
            free.pop(0).send(waiting.pop(0))
        ready = wait([worker for worker in workers if worker not in free], PATIENCE)
        if not ready:
            raise TimeoutError("no worker came back")
        for worker in ready:
            answer = said(worker)
            if answer == RING:
                waiting.append(("judge", ""))
            else:
                total += answer
                free.append(worker)
    return total


# -- inside a worker -----------------------------------------------------------------------------------


def work(pipe: Pipe, database: str, profile: Path | None, width: int | None) -> None:
    try:
        product.use(database)
        product.list_feeds(width)
        from django.db import connection

        from athena_dash.core.memory import keep_freed_memory
        from athena_dash.sync import jobs, preloaded  # noqa: F401
        from bench.sync.stages import Stopwatch

        keep_freed_memory()
        watch = Stopwatch()
        watch.install()
        connection.ensure_connection()
        profiler = cProfile.Profile(time.thread_time) if profile else None
        jobs.wake = lambda *_: pipe.send(RING)  # type: ignore[assignment] - the queue is the parent
        pipe.send("ready")
        python = own_cpu()
        if profiler:
            profiler.enable()
        while True:
            order, what = pipe.recv()
            if order == "stop":
                break
            pipe.send(ORDERS[order](what))
        if profiler:
            profiler.disable()
            profiler.dump_stats(str(profile))
        report = {
            "cpu_python": own_cpu() - python,
            "rss_mb": peak_rss_mb(),
            "stages": watch.report(),
            "missing": watch.missing,
        }
        connection.close()
        pipe.send(report)
    except Exception as error:
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def run_feed(name: str) -> int:
    from athena_dash.sync import jobs
    from athena_dash.sync.models import Feed
    from athena_dash.sync.pull import run_feed as pull_feed

    run = pull_feed(Feed.objects.get(resource=name).pk)
    if run is None or run.outcome != run.Outcome.DONE:
        raise RuntimeError(f"{name}: {run and run.message}")
    jobs.relate(run.practice_id)
    return run.records


def judge(_: str) -> int:
    from athena_dash.practices.models import Practice
    from athena_dash.sync import jobs

    jobs.judge_practice(Practice.objects.get().pk)
    return 0


def finish(_: str) -> int:
    """What pulls have left to the sweeper, without its grace: 0 when nothing was."""
    from athena_dash.core import clock
    from athena_dash.practices.models import Practice
    from athena_dash.sync import sweep

    practice = Practice.objects.get()
    with clock.frozen(clock.now() + 2 * sweep.GRACE):
        if practice.pk not in sweep.practices_with_work()["left_behind"]:
            return 0
        sweep.process_left_behind(practice.pk)
    return 1


ORDERS = {"pull": run_feed, "judge": judge, "finish": finish}
