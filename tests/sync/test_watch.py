"""What is kept of a call: histogram, counters and log; and how a foreign user of the key is told from noise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync import call_log, meters, quota, watch
from athena_dash.sync.budget import Share, shared
from athena_dash.sync.connections import key_bucket, key_name
from athena_dash.sync.standing import standings
from tests.recovery.failing import a_connection
from tests.sync.calling import made


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    shared().flushdb()
    yield
    shared().flushdb()


@pytest.fixture
def connection(practice: Practice) -> Connection:
    return a_connection(practice)


def meter_of(connection: Connection, feed: str = "claims") -> meters.Meter:
    key = (connection.practice_id, feed)
    return meters.total(meters.by_hour([key], clock.now(), shared())[key])


def test_calls_of_all_workers_add_up(connection: Connection) -> None:
    made(connection, times=3)
    made(connection, share=Share.BACKFILL, outcome="rate_limited", status=429, bytes=0)
    made(connection, "patients")
    found = meter_of(connection)
    assert found.outcomes == {"ok": 3, "rate_limited": 1}
    assert found.shares == {"live": 3, "backfill": 1}
    assert (found.calls, found.bytes, found.milliseconds) == (4, 3000, 160.0)


def test_a_percentile_is_never_less_than_what_was_measured(connection: Connection) -> None:
    for milliseconds in range(1, 101):
        made(connection, milliseconds=float(milliseconds))
    found = meter_of(connection)
    assert [found.percentile(part) for part in (0.5, 0.95, 0.99)] == [50, 100, 100]
    made(connection, milliseconds=100_000.0, times=50)
    assert meter_of(connection).percentile(0.99) == meters.BOUNDS[-1]


def test_nothing_measured_is_not_zero(connection: Connection) -> None:
    assert meter_of(connection).percentile(0.5) is None


def test_a_day_ends_and_the_counters_go_on(connection: Connection, time) -> None:
    made(connection)
    time.passes(hours=24)
    made(connection)
    key = (connection.practice_id, "claims")
    assert meter_of(connection).calls == 1
    assert meters.meters([key], shared())[key].calls == 2


def test_the_log_keeps_the_newest_first_and_no_more_than_it_may(connection: Connection, monkeypatch) -> None:
    monkeypatch.setattr(call_log, "MOST", 100)
    made(connection, times=400)
    made(connection, status=None, outcome="retry", request_id=None, attempt=2)
    kept = list(call_log.latest(connection.practice_id, shared()))
    assert (kept[0].status, kept[0].outcome, kept[0].attempt, kept[0].request_id) == (None, "retry", 2, "")
    assert (kept[1].endpoint, kept[1].feed, kept[1].share) == ("GET /claims/{claimid}", "claims", "live")
    assert shared().xlen(f"calls:{connection.practice_id}") <= 201


def test_an_answer_is_not_lost_because_it_cannot_be_counted(connection: Connection, monkeypatch) -> None:
    from redis import ConnectionError as Away

    def away(*_: object) -> None:
        raise Away

    monkeypatch.setattr(watch.call_log, "add", away)
    made(connection)
    assert meter_of(connection).calls == 0


# -- who else uses the key -------------------------------------------------------------------------------

QUOTA = 50_000


class Day:
    """Ten minutes at a time: our calls, and those of somebody else, as athena counts both."""

    def __init__(self, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connection, self.patch = connection, monkeypatch
        self.theirs = 0

    def passes(self, ours: int, foreign: int, arrived: int | None = None) -> None:
        """`arrived` of our calls reached athena; all of them without it."""
        bucket = key_bucket(self.connection)
        client = shared()
        name = f"budget:{bucket.name}"
        for _ in range(10):
            client.hincrby(quota.day_of(bucket), "used", ours // 10)
            self.theirs += ((ours if arrived is None else arrived) + foreign) // 10
            made(self.connection, quota=QUOTA, quota_left=QUOTA - self.theirs)
        client.hincrby(name, "window", -1)  # the clock of Valkey cannot be moved: what it keeps is moved back

    def foreign(self) -> int:
        made(self.connection, quota=QUOTA, quota_left=QUOTA - self.theirs)
        found = standings([self.connection.practice_id])[self.connection.practice_id].foreign
        return found.calls if found else 0


@pytest.fixture
def day(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Day:
    made(connection, quota=QUOTA, quota_left=QUOTA)
    return Day(connection, monkeypatch)


def test_our_own_calls_alone_are_no_foreign_use(day: Day) -> None:
    for _ in range(4):
        day.passes(ours=500, foreign=0)
    assert day.foreign() == 0


def test_somebody_who_goes_on_calling_is_told_of(day: Day) -> None:
    for _ in range(3):
        day.passes(ours=300, foreign=200)
    assert day.foreign() > 100


def test_calls_athena_counted_before_we_began_are_nobody_s(connection: Connection, monkeypatch) -> None:
    made(connection, quota=QUOTA, quota_left=QUOTA - 9_000)
    day = Day(connection, monkeypatch)
    day.theirs = 9_000
    for _ in range(3):
        day.passes(ours=300, foreign=0)
    assert day.foreign() == 0


def test_one_burst_is_within_the_tolerance(day: Day) -> None:
    day.passes(ours=300, foreign=400)
    for _ in range(2):
        day.passes(ours=300, foreign=0)
    assert day.foreign() == 0


def test_a_little_more_or_less_is_noise(day: Day) -> None:
    for extra in (10, -10, 20, 0, 10):
        day.passes(ours=300, foreign=extra)
    assert day.foreign() == 0


def test_calls_of_ours_that_never_arrived_hide_nobody_for_long(day: Day) -> None:
    day.passes(ours=500, foreign=0, arrived=0)
    for _ in range(3):
        day.passes(ours=300, foreign=200)
    assert day.foreign() > 100


def test_it_is_taken_back_when_the_other_stops(day: Day) -> None:
    for _ in range(3):
        day.passes(ours=300, foreign=200)
    assert day.foreign()
    for _ in range(2):
        day.passes(ours=300, foreign=0)
    assert day.foreign() == 0


def test_what_others_have_spent_of_the_day_is_not_ours_to_spend(connection: Connection) -> None:
    from athena_dash.sync.budget import SharedBudget
    from athena_dash.sync.connections import practice_bucket

    made(connection, quota=1_000, quota_left=0)
    limits = SharedBudget(practice_bucket(connection), key_bucket(connection))
    assert limits.ask() < 0, "our own figures say 50,000 a day, and athena's 1,000"


def test_neither_key_nor_client_id_is_in_valkey(connection: Connection) -> None:
    connection.client_id = "very-secret-client"
    connection.save()
    made(connection, quota=QUOTA, quota_left=1)
    written = b"".join(shared().keys("*"))
    assert b"very-secret" not in written
    assert key_name(connection).encode() in written


def test_practices_of_one_key_share_the_most_that_any_may_use(connection: Connection) -> None:
    from tests.builders import a_practice

    other = a_connection(a_practice("mesa"), calls_per_second=40)
    assert key_bucket(connection) == key_bucket(other)
    assert key_bucket(connection).per_second == 40
