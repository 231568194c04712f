"""What each part of a correlation costs, read around the functions that do it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection

from bench.sync.measure import backend_cpu, own_cpu

PARTS = {
    "scope": "service.scope_of",
    "visits": "matching_sql.anchor_appointments",
    "encounters": "matching_sql.link_encounters",
    "scoring": "matching_sql.score",
    "claims, scoring included": "matching_sql.link_claims",
    "what visits show": "service.project",
    "claims of many visits": "service.cover",
}


class Parts:
    """CPU seconds by part, one figure a correlation."""

    def __init__(self) -> None:
        self.cpu: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def told(self) -> Iterator[None]:
        with ExitStack() as stack:
            for part, function in PARTS.items():
                path = f"athena_dash.correlation.{function}"
                stack.enter_context(patch(path, self.timed(part, path)))
            yield

    def timed(self, part: str, path: str) -> Callable[..., Any]:
        from django.utils.module_loading import import_string

        function = import_string(path)
        pid = connection.connection.info.backend_pid

        def told(*args: Any) -> Any:
            began = backend_cpu(pid) + own_cpu()
            done = function(*args)
            self.cpu[part].append(backend_cpu(pid) + own_cpu() - began)
            return done

        return told
