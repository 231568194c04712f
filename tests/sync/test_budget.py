"""A practice's and a key's calls are shared by every worker, and by what they are for, through a real Valkey."""

from __future__ import annotations

import time as wall
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pytest

from athena_dash.sync import budget
from athena_dash.sync.budget import Bucket, Share, SharedBudget
from integrations.athena.errors import RateLimited

KEY = Bucket("key:k", per_second=20, per_day=1000)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    budget.shared().flushdb()
    yield
    budget.shared().flushdb()


def a_budget(
    share: Share = Share.LIVE,
    *,
    practice: int = 1,
    per_second: int = 20,
    per_day: int = 1000,
    key: Bucket = KEY,
) -> SharedBudget:
    mine = Bucket(f"practice:{practice}", per_second, per_day)
    return SharedBudget(mine, replace(key, per_second=max(key.per_second, per_second)), share)


def call_for(seconds: float, share: Share = Share.LIVE, practice: int = 1) -> int:
    """How many calls a worker of its own gets through in that time."""
    mine, until, made = a_budget(share, practice=practice), wall.monotonic() + seconds, 0
    while wall.monotonic() < until:
        mine.acquire()
        made += 1
    return made


def calls_of_workers(*workers: tuple[Share, int], seconds: float = 2.0) -> list[int]:
    """What each of these, (share, practice), got through at the same time."""
    with ProcessPoolExecutor(len(workers), mp_context=get_context("fork")) as pool:
        return list(pool.map(call_for, [seconds] * len(workers), *zip(*workers, strict=True)))


def granted(mine: SharedBudget, times: int) -> int:
    return sum(mine.ask() == 0 for _ in range(times))


def test_no_second_holds_more_calls_than_are_allowed_and_little_less() -> None:
    made = sum(calls_of_workers((Share.LIVE, 1), (Share.LIVE, 1), (Share.LIVE, 1)))
    assert 2 * 20 * 0.7 <= made <= 2 * 20 * budget.HEADROOM + 3 + 3, (
        "and each worker's last call may end later"
    )


def test_whoever_waits_is_given_a_time_of_its_own() -> None:
    mine = a_budget()
    while mine.ask() == 0:
        pass
    waits = [mine.ask() for _ in range(4)]
    apart = [later - earlier for earlier, later in zip(waits, waits[1:], strict=False)]
    assert apart == pytest.approx([1 / 18] * 3, abs=0.02), "in order, as far apart as the rate has it"


def test_a_wait_longer_than_one_is_ready_for_books_no_turn() -> None:
    mine = a_budget(per_second=1, key=replace(KEY, per_second=1))
    mine.ask()
    first = mine.ask(patience=0.1)
    assert first > 0.5
    assert mine.ask(patience=0.1) == pytest.approx(first, abs=0.3)


def test_two_practices_of_one_key_share_its_rate() -> None:
    first, second = calls_of_workers((Share.LIVE, 1), (Share.LIVE, 2))
    assert first + second <= 2 * 20 * budget.HEADROOM + 6
    assert min(first, second) >= 6, "neither keeps the other out"


def test_another_key_has_a_rate_of_its_own() -> None:
    while a_budget().ask() == 0:
        pass
    assert a_budget(practice=2, key=Bucket("key:other", 20, 1000)).ask() == 0


def test_backfills_alone_leave_the_reserve_unused() -> None:
    made = sum(calls_of_workers((Share.BACKFILL, 1), (Share.BACKFILL, 1)))
    assert made <= 2 * 20 * budget.HEADROOM * 0.7 + 5


def test_a_live_call_goes_at_once_while_backfills_take_all_they_may() -> None:
    backfill, live = a_budget(Share.BACKFILL), a_budget()
    until = wall.monotonic() + 1.0
    waits = []
    while wall.monotonic() < until:
        while backfill.ask() == 0:
            pass
        waits.append(live.ask())
        wall.sleep(0.11)  # half of what the reserve allows
    assert max(waits) <= 1 / 18, "at most the rest of the slot that a backfill has just taken"


def test_a_backfill_gets_a_little_even_beside_live_calls_that_take_everything() -> None:
    live, _, backfill = calls_of_workers((Share.LIVE, 1), (Share.LIVE, 1), (Share.BACKFILL, 1), seconds=4.0)
    assert 2 <= backfill <= live


@pytest.mark.parametrize(
    ("spent", "may"), [(60, "live replay backfill"), (75, "live replay"), (90, "live"), (100, "")]
)
def test_of_the_day_too_a_share_leaves_the_rest_to_those_before_it(spent: int, may: str) -> None:
    mine = a_budget(per_day=100)
    budget.shared().hset(budget.day_of(mine.practice), "used", spent)
    assert [share for share in Share if a_budget(share, per_day=100).ask() >= 0] == may.split()


def test_a_spent_day_says_when_it_ends_and_for_whom() -> None:
    live = a_budget(per_day=2)
    live.acquire()
    with pytest.raises(RateLimited, match="What a backfill may use"):
        a_budget(Share.BACKFILL, per_day=2).acquire()
    live.acquire()
    with pytest.raises(RateLimited, match="used up; they return at midnight GMT") as raised:
        live.acquire()
    assert 0 < raised.value.retry_after <= 86_400


def test_a_key_s_day_ends_for_all_its_practices() -> None:
    day = replace(KEY, per_day=2)
    a_budget(practice=1, key=day).acquire()
    a_budget(practice=2, key=day).acquire()
    assert a_budget(practice=3, key=day).ask() < 0


def test_a_429_pauses_everybody_who_shares_the_key() -> None:
    a_budget().penalise(5)
    assert 4 < a_budget(practice=2).ask() <= 5
    assert a_budget(key=Bucket("key:other", 20, 10)).ask() == 0, "another key goes on"


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    mine = a_budget()
    mine.penalise(5)
    mine.penalise(0.01)
    assert mine.ask() > 4


def rate_left() -> float:
    return float(budget.shared().hget("budget:key:k", "slow"))


def test_a_429_halves_the_rate_and_those_that_come_with_it_do_not_halve_it_again() -> None:
    mine = a_budget()
    for _ in range(5):
        mine.penalise(0.01)
    assert rate_left() == 0.5


def test_after_a_429_the_rate_comes_back_bit_by_bit() -> None:
    mine = a_budget()
    mine.penalise(0)
    now = float(budget.shared().time()[0])
    spacing = []
    for ago in (0, 25, 60):
        budget.shared().hset("budget:key:k", mapping={"slow_at": now - ago, "due": 0, "pause": 0})
        budget.shared().hdel("budget:key:k", "line:live")
        budget.shared().delete("budget:practice:1")
        while mine.ask() == 0:
            pass
        spacing.append(mine.ask())
        spacing[-1] = mine.ask() - spacing[-1]
    slowest, slow, full = (1 / gap for gap in spacing)
    assert slowest < slow < full
    assert full == pytest.approx(18, rel=0.25)
    assert slowest == pytest.approx(9, rel=0.25)


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
