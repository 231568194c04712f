"""A sandbox in process with a frozen clock, and a client that holds a token."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from queue import Queue

import httpx
import pytest
from starlette.applications import Starlette

from integrations.sandbox.server import Preset, create_app, make_server
from integrations.sandbox.store import Store
from tests.sandbox.server import world

FAST = Preset(
    name="test",
    tokens_per_minute=1000,
    calls_per_second=10_000,
    calls_per_day=100_000,
    activation_lag=timedelta(minutes=5),
)
CREDENTIALS = ("sandbox-client", "sandbox-secret")
SCOPE = "athena/service/Athenanet.MDP.*"


@dataclass
class Time:
    """The sandbox's clock and the limits' ticks, both moved by hand."""

    now: datetime = world.NOW
    ticks: float = field(default=1_000_000.0)


@dataclass
class Athena:
    http: httpx.Client
    time: Time
    path: Path

    def token(self, credentials: tuple[str, str] = CREDENTIALS, scope: str = SCOPE) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        return str(self.http.post("/oauth2/v1/token", data=form, auth=credentials).json()["access_token"])

    def get(self, path: str, **params: object):  # type: ignore[no-untyped-def]
        return self.http.get(f"/v1/{world.PRACTICE}{path}", params=params)  # type: ignore[arg-type]

    def fhir(self, path: str, **params: object):  # type: ignore[no-untyped-def]
        given = {"ah-practice": f"Organization/a-1.Practice-{world.PRACTICE}", **params}
        return self.http.get(f"/fhir/r4{path}", params=given)

    def fault(self, **fault: object) -> None:
        self.http.post("/_sandbox/faults", json=fault).raise_for_status()

    def store(self) -> Store:
        return Store(self.path)


@pytest.fixture
def moment() -> Time:
    return Time()


@pytest.fixture
def preset() -> Preset:
    return FAST


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hand-made world, made once: every commit of a sandbox waits for the disk."""
    path = tmp_path_factory.mktemp("sandbox") / "furnished.sqlite"
    world.populate(path)
    return path


@pytest.fixture
def athena(tmp_path: Path, furnished: Path, moment: Time, preset: Preset) -> Iterator[Athena]:
    path = Path(shutil.copy(furnished, tmp_path / "sandbox.sqlite"))
    with serving(path, moment, preset) as athena:
        yield athena


@contextmanager
def serving(path: Path, moment: Time, preset: Preset = FAST) -> Iterator[Athena]:
    app = create_app(path, preset=preset, clock=lambda: moment.now, ticks=lambda: moment.ticks)
    with running(app) as url, httpx.Client(base_url=url, timeout=5) as http:
        athena = Athena(http, moment, path)
        http.headers["authorization"] = f"Bearer {athena.token()}"
        yield athena


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """The app on a real socket, in a thread."""
    urls: Queue[str] = Queue()
    server = make_server(app, ready=urls.put)
    threading.Thread(target=server.run, daemon=True).start()
    try:
        yield urls.get(timeout=10)
    finally:
        # uvicorn looks at this ten times a second; no test has to wait for it.
        server.should_exit = True
