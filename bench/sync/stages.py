"""Where a worker's seconds went, stage by stage, without the stages inside each: wall and CPU of the worker itself.

The stages are functions of the product, wrapped from outside; one that has been renamed is said to be missing.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

STAGES = {
    "fetch": ("integrations.athena.session:Session.get",),
    "cut": ("integrations.athena.client:split", "integrations.fhir.client:read_searchset"),
    "keep": ("athena_dash.sync.pull:keep_pages",),
    "lock": ("athena_dash.sync.pipeline:lock", "athena_dash.sync.landing:lock"),
    "read_raw": ("athena_dash.sync.raw:load", "athena_dash.sync.raw:superseded"),
    "normalise": ("athena_dash.sync.landing:understand",),
    "upsert": ("athena_dash.sync.landing:upsert",),
    "history": ("athena_dash.sync.landing:end_statuses",),
    "route": ("athena_dash.sync.subjects:route",),
    "conformance": ("athena_dash.sync.conformance:check",),
    "failures": ("athena_dash.sync.landing:resolve", "athena_dash.sync.landing:keep_unmapped"),
    "evidence": ("athena_dash.sync.pipeline:evidence_of",),
    "waiting": (
        "athena_dash.sync.waiting:add",
        "athena_dash.sync.waiting:take",
        "athena_dash.sync.waiting:remove",
    ),
    "correlate": ("athena_dash.correlation.service:correlate",),
    "judge": (
        "athena_dash.correlation.service:judge_visits",
        "athena_dash.correlation.service:judge_orphans",
    ),
    "land": ("athena_dash.sync.landing:land",),
    "relate": ("athena_dash.sync.pipeline:drain",),
    "commit": ("athena_dash.sync.pull:commit",),
}
"""Stage → its places; what a stage of these is left with is what none of the stages inside it names."""


class Stopwatch:
    def __init__(self) -> None:
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self.missing: list[str] = []
        self.inside = threading.local()

    def install(self) -> None:
        for stage, places in STAGES.items():
            found = [place for place in places if self.wrap(stage, place)]
            if not found:
                self.missing.append(stage)

    def wrap(self, stage: str, place: str) -> bool:
        path, _, name = place.partition(":")
        try:
            owner: Any = import_module(path)
            *outer, last = name.split(".")
            for part in outer:
                owner = getattr(owner, part)
            setattr(owner, last, self.timed(stage, getattr(owner, last)))
        except (ImportError, AttributeError):
            return False
        return True

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            outer = getattr(self.inside, "spent", None)
            self.inside.spent = within = [0.0, 0.0]
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
                self.wall[stage] += wall - within[0]
                self.cpu[stage] += cpu - within[1]
                if outer is not None:
                    outer[0] += wall
                    outer[1] += cpu
                self.inside.spent = outer

        return run

    def report(self) -> dict[str, tuple[float, float]]:
        return {stage: (self.wall[stage], self.cpu[stage]) for stage in STAGES if self.wall[stage]}
