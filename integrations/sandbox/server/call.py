"""One request as a handler sees it: who asks which practice for what, with the sandbox at hand."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from integrations.sandbox.server.keyring import Client
from integrations.sandbox.server.query import Query
from integrations.sandbox.server.sandbox import Sandbox
from integrations.sandbox.store import Store


@dataclass(kw_only=True)
class Call:
    sandbox: Sandbox
    method: str
    path: str
    query: Query
    origin: str  # "http://127.0.0.1:8001": FHIR links are absolute
    ids: Mapping[str, str]  # from the path
    practice: str
    record_key: str  # the field that holds a row's id in this endpoint's answers
    client: Client
    rng: random.Random
    page_shift: int = 0  # set by the faults that move rows between pages

    @property
    def store(self) -> Store:
        return self.sandbox.store


Handler = Callable[[Call], object]


@dataclass(frozen=True)
class Endpoint:
    """`path` is relative to `/v1/{practice}` or `/fhir/r4`, in Starlette's spelling."""

    method: str
    path: str
    handler: Handler
    record_key: str = ""
