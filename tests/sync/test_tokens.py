"""One token for all workers: encrypted, asked for once by four processes, and renewed once when it is refused."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import pytest

from athena_dash.core import clock, crypto
from athena_dash.sync import call_log
from athena_dash.sync.breaker import Breaker
from athena_dash.sync.budget import Bucket, SharedBudget, shared
from athena_dash.sync.tally import Tally
from athena_dash.sync.tokens import SharedTokens
from athena_dash.sync.watch import Watch
from integrations.athena.auth import ClientCredentials, Token
from integrations.athena.client import AthenaClient
from integrations.athena.errors import AthenaError
from integrations.athena.session import Session
from tests.sync.athena import CLIENT, NOW, PRACTICE, SECRET, Athena, RealTime, serving


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    shared().flushdb()
    yield
    shared().flushdb()


def a_token(minutes: int = 60) -> Token:
    return Token("secret-token", NOW + dt.timedelta(minutes=minutes), "athena/service/Athenanet.MDP.*")


def test_a_token_one_worker_got_serves_the_others_and_is_unreadable_in_valkey() -> None:
    with clock.frozen(NOW):
        SharedTokens(shared()).put("k", a_token())
    assert SharedTokens(shared()).get("k") == a_token()
    assert b"secret-token" not in shared().get("token:k")
    assert 0 < shared().pttl("token:k") <= 3_600_000


@pytest.mark.parametrize("stored", ["", "nonsense", None])
def test_a_token_that_cannot_be_read_is_asked_for_anew(stored: str | None) -> None:
    value = crypto.encrypt("no lines in it") if stored is None else stored
    shared().set("token:k", value)
    assert SharedTokens(shared()).get("k") is None
    assert SharedTokens(shared()).get("unknown") is None


def test_only_one_worker_at_a_time_asks_for_a_token() -> None:
    with SharedTokens(shared()).lock("k"):
        assert not shared().lock("token-lock:k", timeout=5, blocking=False).acquire()
    assert shared().lock("token-lock:k", timeout=5, blocking=False).acquire()


# -- four processes ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worker:
    """What a worker knows of a connection, without the row it comes from."""

    url: str
    secret: str

    def __call__(self, barrier: Any) -> str:
        """ "ok", or what its call ended in."""
        redis = shared()
        bucket = Bucket("k", 100_000, 10_000_000)
        limits, breaker = SharedBudget(bucket, bucket, client=redis), Breaker(1, redis)
        credentials = ClientCredentials(
            self.url, PRACTICE, CLIENT, self.secret, tokens=SharedTokens(redis), now=clock.now
        )
        watch = Watch(1, "departments", limits, breaker, redis, Tally())
        with Session(self.url, PRACTICE, credentials, observer=watch, now=clock.now) as session:
            barrier.wait(30)
            try:
                AthenaClient(session).ping()
            except AthenaError as error:
                return type(error).__name__
        return "ok"


def four_at_once(athena: Athena, secret: str = SECRET) -> list[str]:
    with get_context("fork").Manager() as manager, ProcessPoolExecutor(4, get_context("fork")) as pool:
        return list(pool.map(Worker(athena.url, secret), [manager.Barrier(4)] * 4))


def token_calls() -> int:
    return sum("token" in call.endpoint for call in call_log.latest(1, shared()))


def refused() -> int:
    return sum(call.status == 401 for call in call_log.latest(1, shared()))


@pytest.fixture
def real_athena(world: Path, tmp_path: Path) -> Iterator[Athena]:
    with serving(Path(shutil.copy(world, tmp_path / "athena.sqlite")), RealTime()) as athena:
        yield athena


def test_four_processes_ask_for_one_token(real_athena: Athena) -> None:
    assert four_at_once(real_athena) == ["ok"] * 4
    assert token_calls() == 1


def test_a_token_athena_ended_is_renewed_once_for_all_four(real_athena: Athena) -> None:
    four_at_once(real_athena)
    httpx.delete(f"{real_athena.url}/_sandbox/clients", params={"client_id": CLIENT}).raise_for_status()
    real_athena.register(CLIENT, SECRET)
    assert four_at_once(real_athena) == ["ok"] * 4
    assert (token_calls(), refused() >= 1) == (2, True)


def test_a_rotated_secret_buys_one_new_token(real_athena: Athena) -> None:
    four_at_once(real_athena)
    httpx.delete(f"{real_athena.url}/_sandbox/clients", params={"client_id": CLIENT}).raise_for_status()
    real_athena.register(CLIENT, "rotated")
    assert four_at_once(real_athena, "rotated") == ["ok"] * 4
    assert (token_calls(), refused()) == (2, 0)


def test_the_old_secret_is_refused_and_nobody_goes_on_calling(real_athena: Athena) -> None:
    four_at_once(real_athena)
    httpx.delete(f"{real_athena.url}/_sandbox/clients", params={"client_id": CLIENT}).raise_for_status()
    real_athena.register(CLIENT, "rotated")
    assert four_at_once(real_athena) == ["ConfigError"] * 4
    assert token_calls() <= 1 + 4, "each worker is told once"
