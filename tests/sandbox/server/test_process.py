"""The sandbox as a process of its own: kill -9 at any instant loses nothing, SIGTERM ends it with 0."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import life
from integrations.sandbox.store import Store
from tests.sandbox.server import world
from tests.sandbox.server.conftest import CREDENTIALS, SCOPE

ROOT = Path(__file__).parents[3]
SERVE = """
import sys
from datetime import timedelta
from integrations.sandbox.server import serve
serve(sys.argv[1], preset="production", activation_lag=timedelta(), ready=lambda url: print(url, flush=True))
"""


@contextmanager
def process(*command: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process and the last word of the first line it prints."""
    started = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert started.stdout is not None
        yield started, started.stdout.readline().strip().split(" ")[-1]
    finally:
        started.kill()
        started.wait(timeout=10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sandbox.sqlite"
    world.populate(path)
    return path


def test_tokens_subscriptions_read_marks_and_faults_survive_kill_9(path: Path) -> None:
    feed = f"/v1/{world.PRACTICE}/appointments/changed"
    with process("-c", SERVE, str(path)) as (server, url), httpx.Client(base_url=url) as http:
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        token = http.post("/oauth2/v1/token", data=form, auth=CREDENTIALS).json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        http.post(f"{feed}/subscription").raise_for_status()
        now = datetime.now(UTC)
        with Store(path) as store, store.transaction():
            changed = [world.appointment(id, modified=now) for id in ("500", "501")]
            store.put(world.PRACTICE, "appointment", changed, event="CheckIn")
        fault = {"name": "slow", "kind": "timeout_after", "match": {"path": "changed$"}, "times": 1}
        http.post("/_sandbox/faults", json=fault).raise_for_status()
        with pytest.raises(httpx.ReadTimeout):  # the effect is done, the answer never comes
            http.get(feed, params={"limit": 1}, timeout=1)
        server.kill()
        server.wait(timeout=10)
    headers = {"authorization": f"Bearer {token}"}
    with process("-c", SERVE, str(path)) as (_, url), httpx.Client(base_url=url, headers=headers) as http:
        rows = http.get(feed).json()["appointments"]
        assert [row["appointmentid"] for row in rows] == ["501"]
        [kept] = http.get("/_sandbox/faults").json()["faults"]
        assert (kept["name"], kept["fired"]) == ("slow", 1)


def test_the_command_populates_once_announces_itself_and_ends_with_0(tmp_path: Path) -> None:
    state, truth = tmp_path / "s.sqlite", tmp_path / "truth.jsonl"
    command = ["-m", "integrations.sandbox", "--state", str(state), "--truth", str(truth)]
    command += ["--visits", "20", "--practices", "1", "--seed", "3", "--speed", "1"]
    counts = []
    for _ in range(2):
        with process(*command) as (server, url):
            counts.append(httpx.get(f"{url}/_sandbox/state").json()["practices"])
            kept = httpx.get(f"{url}/_sandbox/truth").json()
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=10) == 0
    assert counts[0] == counts[1]
    assert kept[0]["seed"] == 3
    assert len(kept) == len(truth.read_text().splitlines())
    assert Ledger.read(truth).header.visits == 20


def test_a_sandbox_at_speed_has_lived_a_day_when_it_opens(tmp_path: Path) -> None:
    state = tmp_path / "s.sqlite"
    command = ["-m", "integrations.sandbox", "--state", str(state), "--visits", "20", "--practices", "1"]
    began = datetime.now(UTC)
    with process(*command, "--speed", "2000"):
        pass
    with Store(state) as store:
        assert life.lived_until(store) >= began
        yesterday = [(began - timedelta(days=1)).isoformat(), (began - timedelta(hours=1)).isoformat()]
        sql = "select count(*) from thing where modified between ? and ?"
        (happened,) = store.db.execute(sql, yesterday).fetchone()
    assert happened > 40
