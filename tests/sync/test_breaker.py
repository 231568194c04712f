"""The circuit breaker: when it opens, who may probe, what a run and a replay make of an open one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from athena_dash.practices.models import Practice
from athena_dash.sync import breaker, connections, pull, replay
from athena_dash.sync.breaker import Breaker, Circuit
from athena_dash.sync.budget import shared
from athena_dash.sync.models import Failure, Feed, Run
from integrations.athena.calls import CallRecord
from integrations.athena.errors import CircuitOpen
from tests.sync.athena import Time
from tests.sync.rig import Synced, due_subjects

A, B = "GET /claims/{claimid}", "GET /patients/{patientid}"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    shared().flushdb()
    yield
    shared().flushdb()


def mine() -> Breaker:
    """A worker's own, of the one connection."""
    return Breaker(1, shared())


def end(outcome: str, endpoint: str = A, status: int | None = 503, times: int = 1) -> None:
    for _ in range(times):
        record = CallRecord(
            endpoint=endpoint,
            practice="1",
            status=status,
            milliseconds=1,
            bytes=0,
            request_id=None,
            attempt=1,
            outcome=outcome,
            quota=None,
            quota_left=None,
        )
        pipeline = shared().pipeline()
        mine().settle(record, pipeline)
        pipeline.execute()


def fail(times: int = breaker.MOST) -> None:
    """Of two endpoints, as when all of athena is down."""
    for number in range(times):
        end("retry", (A, B)[number % 2])


def circuit() -> Circuit:
    return breaker.states([1], shared())[1].circuit


def admitted() -> bool:
    try:
        mine().admit()
    except CircuitOpen:
        return False
    return True


def test_it_opens_after_so_many_transient_failures_in_a_row_and_says_when_the_next_probe_is(
    time: Time,
) -> None:
    fail(breaker.MOST - 1)
    assert admitted()
    fail(1)
    with pytest.raises(CircuitOpen, match="15:00:30 UTC") as raised:
        mine().admit()
    assert raised.value.retry_after == breaker.FIRST
    assert circuit() is Circuit.OPEN


@pytest.mark.parametrize("outcome", ["ok", "rate_limited", "refresh_token", "gone", "config"])
def test_any_answer_begins_the_count_anew(time: Time, outcome: str) -> None:
    fail(breaker.MOST - 1)
    end(outcome, status=200)
    fail(breaker.MOST - 1)
    assert admitted()


def test_one_endpoint_alone_does_not_stop_the_others(time: Time) -> None:
    end("retry", A, times=10 * breaker.MOST)
    assert admitted()


def test_no_answer_at_all_counts_from_one_endpoint_too(time: Time) -> None:
    end("retry", A, status=None, times=breaker.MOST)
    assert not admitted()


def test_when_its_time_is_over_exactly_one_caller_probes(time: Time) -> None:
    fail()
    time.passes(seconds=breaker.FIRST)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: admitted(), range(8))) == 1
    assert circuit() is Circuit.HALF_OPEN


def test_a_probe_that_comes_through_closes_it(time: Time) -> None:
    fail()
    time.passes(seconds=breaker.FIRST)
    assert admitted()
    end("ok", status=200)
    assert (circuit(), admitted(), admitted()) == (Circuit.CLOSED, True, True)


def test_a_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit(time: Time) -> None:
    fail()
    waits = []
    for _ in range(6):
        with pytest.raises(CircuitOpen) as raised:
            mine().admit()
        waits.append(raised.value.retry_after)
        time.passes(seconds=waits[-1])
        assert admitted()
        end("retry")
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_prober_that_was_killed_is_replaced(time: Time) -> None:
    fail()
    time.passes(seconds=breaker.FIRST)
    assert admitted()
    time.passes(seconds=breaker.PROBE - 1)
    assert not admitted()
    time.passes(seconds=1)
    assert admitted()


def test_failures_that_were_on_their_way_do_not_keep_it_open_longer(time: Time) -> None:
    fail()
    fail(5)
    time.passes(seconds=breaker.FIRST)
    assert admitted()


# -- through the sync ------------------------------------------------------------------------------------


def open_for(practice: Practice) -> None:
    from athena_dash.core import clock

    now = clock.now().timestamp()
    name = breaker.key_of(practice.connection.pk)
    shared().hset(name, mapping={"till": now + 30, "since": now, "length": 30})


def test_an_athena_that_is_away_is_soon_left_alone(synced: Synced) -> None:
    synced.athena.fault("server_error")
    before = synced.athena.calls()
    runs = [*synced.pull(minutes=70), *synced.pull(minutes=0.1)]
    state = breaker.states([synced.practice.connection.pk], shared())
    assert state[synced.practice.connection.pk].circuit is Circuit.OPEN
    assert synced.athena.calls() - before <= breaker.MOST + 10, "and those were on their way at once"
    assert any("nobody calls it for now" in run.message for run in runs)


def test_a_run_that_meets_an_open_circuit_ends_with_its_reason_and_its_subjects_stay_due(
    synced: Synced,
) -> None:
    synced.athena.time.passes(minutes=600)
    feed = synced.feed("claims")
    from athena_dash.core import clock
    from athena_dash.sync import planning

    planning.plan(synced.practice)
    due = set(due_subjects(synced.practice).filter(resource="claims").values_list("pk", flat=True))
    open_for(synced.practice)
    calls = synced.athena.calls()
    [run] = pull.sync_practice(Practice.objects.get(pk=synced.practice.pk), ["claims"])
    assert (run.outcome, run.calls, synced.athena.calls()) == (Run.Outcome.FAILED, 0, calls)
    assert "the next call that finds out is at" in run.message
    assert due
    assert due == set(due_subjects(synced.practice).filter(resource="claims").values_list("pk", flat=True))
    assert not Failure.objects.filter(practice=synced.practice, subject_kind="subject").exists()
    feed = Feed.objects.get(pk=feed.pk)
    assert feed.failures_in_a_row == 0
    assert (feed.due_at - clock.now()).total_seconds() == 30, "the next run is the time of the next probe"


def test_a_replay_that_meets_an_open_circuit_burns_no_attempt(synced: Synced) -> None:
    from athena_dash.core import clock
    from tests.recovery.failing import a_failure

    subject = due_subjects(synced.practice).model.objects.filter(resource="claims").first()
    failure = a_failure(
        synced.practice,
        feed=synced.feed("claims"),
        stage="pull",
        subject_kind="subject",
        subject_id=str(subject.pk),
        reason="transient",
        next_try_at=clock.now(),
        attempts=2,
    )
    open_for(synced.practice)
    result = replay.retry(failure.pk, verb=replay.REFETCH, trigger="auto")
    failure.refresh_from_db()
    assert (result.outcome, failure.attempts, failure.claimed_until) == ("busy", 2, None)
    assert (failure.next_try_at - clock.now()).total_seconds() == 30
    assert "nobody calls it for now" in result.message


def test_one_connection_s_circuit_is_no_other_s(time: Time) -> None:
    fail()
    Breaker(2, shared()).admit()


def test_the_connection_test_of_an_admin_is_not_stopped_by_it(synced: Synced) -> None:
    open_for(synced.practice)
    assert all(step.ok for step in connections.probe(synced.practice.connection))
