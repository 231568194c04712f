"""A small synthetic athena on a real loopback socket, and the one clock it shares with us, moved by hand."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue

import httpx

from athena_dash.core import clock
from integrations.sandbox.population import populate
from integrations.sandbox.server import Preset, create_app, make_server
from integrations.sandbox.store import Store
from integrations.sandbox.world import Thing

NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)  # a Wednesday noon in New York
PRACTICE, CLIENT, SECRET = "195900", "sandbox-client", "sandbox-secret"
LAG = timedelta(minutes=5)
PRESET = Preset(
    name="test",
    tokens_per_minute=10_000,
    calls_per_second=100_000,
    calls_per_day=10_000_000,
    activation_lag=LAG,
)
FEED_TABLES = {"appointment": "appointments", "claim": "claims", "patient": "patients"}


def make_world(path: Path, visits: int = 24, seed: int = 7, as_of: datetime = NOW) -> Path:
    with Store(path) as store:
        populate(store, seed=seed, practices=1, visits=visits, as_of=as_of)
        store.db.execute("pragma wal_checkpoint(truncate)")
    return path


@dataclass
class Time:
    """Now, for the sandbox and for us."""

    now: datetime = NOW

    def passes(self, *, minutes: float = 0, hours: float = 0, seconds: float = 0) -> None:
        self.now += timedelta(minutes=minutes, hours=hours, seconds=seconds)
        clock._frozen_at = self.now


class RealTime(Time):
    """For processes whose clock no test can hold still."""

    now = property(lambda self: datetime.now(UTC), lambda self, _: None)  # type: ignore[assignment]


@dataclass
class Athena:
    url: str
    path: Path
    time: Time

    def fault(self, kind: str, path: str = "", *, name: str = "", **more: object) -> None:
        match = {"path": path} | ({"record": more.pop("record")} if "record" in more else {})
        fault = {"name": name or kind, "kind": kind, "match": match, **more}
        httpx.post(f"{self.url}/_sandbox/faults", json=fault).raise_for_status()

    def heal(self) -> None:
        """Every fault off, and the credential known again."""
        httpx.delete(f"{self.url}/_sandbox/faults").raise_for_status()
        self.register(CLIENT, SECRET)

    def register(self, client_id: str, secret: str) -> None:
        client = {"client_id": client_id, "client_secret": secret}
        httpx.post(f"{self.url}/_sandbox/clients", json=client).raise_for_status()

    def fired(self, name: str) -> int:
        listed = httpx.get(f"{self.url}/_sandbox/faults").json()["faults"]
        return int(next(fault.get("fired", 0) for fault in listed if fault["name"] == name))

    def calls(self) -> int:
        counted = httpx.get(f"{self.url}/_sandbox/calls").json()["practices"]
        return int(counted.get(PRACTICE, {}).get("calls", 0))

    def has(self, kind: str) -> int:
        """How many things of this kind athena holds."""
        counted = httpx.get(f"{self.url}/_sandbox/state").json()["practices"][PRACTICE]
        return int(counted.get(kind, 0))

    def things(self, kind: str, where: str = "1") -> list[Thing]:
        with Store(self.path) as store:
            return list(store.find(PRACTICE, kind, where))

    def change(self, kind: str, thing: Thing, event: str = "") -> None:
        """Somebody over there has just edited this record."""
        edited = {
            "appointment": "UpdateAppointment",
            "claim": "UpdateClaim",
            "patient": "UpdatePatient",
        }
        with Store(self.path) as store, store.transaction():
            store.put(PRACTICE, kind, [thing], event=event or edited.get(kind))

    def checkpoint(self) -> None:
        """All of it into the one file, which may then be copied."""
        with Store(self.path) as store:
            store.db.execute("pragma wal_checkpoint(truncate)")

    def remove(self, kind: str, record_id: str) -> None:
        with Store(self.path) as store, store.transaction():
            store.db.execute(
                "delete from thing where practice=? and kind=? and id=?", (PRACTICE, kind, record_id)
            )


@contextmanager
def serving(path: Path, time: Time) -> Iterator[Athena]:
    """The sandbox over this state file, in a thread, until the block ends."""
    app = create_app(path, preset=PRESET, clock=lambda: time.now)
    urls: Queue[str] = Queue()
    server = make_server(app, ready=urls.put)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield Athena(urls.get(timeout=10), path, time)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
