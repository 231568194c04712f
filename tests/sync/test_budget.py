"""One connection's calls and token are shared by every worker, through a real Valkey."""

from __future__ import annotations

import datetime as dt
import time as wall
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from athena_dash.core import clock, crypto
from athena_dash.sync import budget
from athena_dash.sync.budget import SharedBudget, SharedTokens
from integrations.athena.auth import Token
from integrations.athena.errors import RateLimited
from tests.sync.athena import NOW


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    budget.shared().flushdb()
    yield
    budget.shared().flushdb()


def a_budget(per_second: int = 20, per_day: int = 1000) -> SharedBudget:
    return SharedBudget(1, per_second=per_second, per_day=per_day)


def call_for(seconds: float) -> int:
    """How many calls a worker of its own gets through in that time."""
    mine, until, made = a_budget(), wall.monotonic() + seconds, 0
    while wall.monotonic() < until:
        if mine.ask(1) == 0:
            made += 1
        else:
            wall.sleep(0.005)
    return made


def test_a_second_of_calls_may_go_at_once_and_the_next_waits_its_turn() -> None:
    mine = a_budget()
    assert [mine.ask(1) for _ in range(20)] == [0.0] * 20
    assert mine.ask(1) == 0 or 0 < mine.ask(1) < 0.1


def test_two_processes_share_one_rate() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as pool:
        made = sum(pool.map(call_for, [1.0, 1.0]))
    assert 20 <= made <= 20 + 20 * 1.6, "a burst of one second, then twenty a second between them"


def test_a_429_pauses_everybody_who_shares_the_connection() -> None:
    a_budget().penalise(5)
    assert 4 < a_budget().ask(1) <= 5
    assert SharedBudget(2, per_second=20, per_day=10).ask(1) == 0, "another connection goes on"


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    mine = a_budget()
    mine.penalise(5)
    mine.penalise(0.01)
    assert mine.ask(1) > 4


def test_a_pause_ends_by_itself() -> None:
    mine = a_budget()
    mine.penalise(0.05)
    began = wall.monotonic()
    mine.acquire()
    assert 0.03 < wall.monotonic() - began < 1


def test_no_call_queues_for_longer_than_a_run_should_wait() -> None:
    mine = a_budget()
    mine.penalise(budget.LONGEST_WAIT + 5)
    with pytest.raises(RateLimited, match="waiting for our turn") as raised:
        mine.acquire()
    assert raised.value.retry_after > budget.LONGEST_WAIT


def test_a_spent_day_says_when_it_ends() -> None:
    mine = a_budget(per_day=2)
    mine.acquire(), mine.acquire()
    with pytest.raises(RateLimited, match="used up; they return at midnight GMT") as raised:
        mine.acquire()
    assert 0 < raised.value.retry_after <= 86_400


# -- tokens --------------------------------------------------------------------------------------------


def a_token(minutes: int = 60) -> Token:
    return Token("secret-token", NOW + dt.timedelta(minutes=minutes), "athena/service/Athenanet.MDP.*")


def test_a_token_one_worker_got_serves_the_others_and_is_unreadable_in_valkey() -> None:
    with clock.frozen(NOW):
        SharedTokens().put("k", a_token())
    assert SharedTokens().get("k") == a_token()
    assert b"secret-token" not in budget.shared().get("token:k")
    assert 0 < budget.shared().pttl("token:k") <= 3_600_000


@pytest.mark.parametrize("stored", ["", "nonsense", None])
def test_a_token_that_cannot_be_read_is_asked_for_anew(stored: str | None) -> None:
    value = crypto.encrypt("no lines in it") if stored is None else stored
    budget.shared().set("token:k", value)
    assert SharedTokens().get("k") is None
    assert SharedTokens().get("unknown") is None


def test_only_one_worker_at_a_time_asks_for_a_token() -> None:
    with SharedTokens().lock("k"):
        assert not budget.shared().lock("token-lock:k", timeout=5, blocking=False).acquire()
    assert budget.shared().lock("token-lock:k", timeout=5, blocking=False).acquire()
