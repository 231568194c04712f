"""One timed pull by one contender, in processes of its own, and what these used."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from typing import Any

PATIENCE = 1200.0  # seconds a leg may take


@dataclass(frozen=True, slots=True)
class Leg:
    """`workers`: of each process its CPU seconds, peak memory, stages."""

    seconds: float
    workers: tuple[dict[str, Any], ...]
    postgres: float = 0.0  # CPU seconds of the whole server

    @property
    def cpu(self) -> dict[str, float]:
        python = sum(worker["cpu_python"] for worker in self.workers)
        return {"cpu_python": round(python, 2), "cpu_postgres": round(self.postgres, 2)}

    @property
    def busy(self) -> float:
        """CPU seconds of both: what is left to compare when the machine has other work."""
        return sum(self.cpu.values())

    @property
    def rss_mb(self) -> int:
        return max(worker["rss_mb"] for worker in self.workers)

    @property
    def stages(self) -> dict[str, str]:
        """Stage → "wall/cpu" seconds, summed over the workers, the largest first; stages nobody found at the end."""
        wall: Counter[str] = Counter()
        cpu: Counter[str] = Counter()
        for worker in self.workers:
            for name, (spent, busy) in worker["stages"].items():
                wall[name] += spent
                cpu[name] += busy
        found = {name: f"{spent:.2f}/{cpu[name]:.2f}" for name, spent in wall.most_common()}
        missing = sorted({place for worker in self.workers for place in worker["missing"]})
        return found | ({"missing": ",".join(missing)} if missing else {})


@contextmanager
def children(work: Callable[..., None], arguments: list[tuple[Any, ...]]) -> Iterator[list[Pipe]]:
    """A process for each tuple, called with its end of a pipe first; the other ends."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    try:
        for given in arguments:
            here, there = context.Pipe()
            process = context.Process(target=work, args=(there, *given), daemon=True)
            process.start()
            there.close()
            pipes.append(here)
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join(10)
            if process.is_alive():
                process.kill()


def said(pipe: Pipe) -> Any:
    if not pipe.poll(PATIENCE):
        raise TimeoutError("a contender did not come back")
    answer = pipe.recv()
    if isinstance(answer, Exception):
        raise answer
    return answer
