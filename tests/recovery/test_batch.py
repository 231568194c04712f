"""A running Replay: nothing twice, nothing lost, and it stops by itself when it does harm."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django_rq import get_queue
from rq.queue import Queue

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.recovery import batch, jobs, replay
from athena_dash.recovery.models import Replay, Verb
from athena_dash.recovery.plan import FrozenPlan
from athena_dash.recovery.report import report
from athena_dash.sync.models import Failure
from tests.recovery.failing import Retries, a_failure


class Killed(BaseException):
    """kill -9 as Python sees it least wrongly: nothing of ours may catch it."""


def started(practice: Practice, by: User, failures: list[Failure], **fields: Any) -> Replay:
    plan = FrozenPlan(
        verb=Verb.REFETCH,
        fingerprint=fields.get("fingerprint", ""),
        as_of=clock.now(),
        members={practice.pk: [failure.pk for failure in failures]},
    )
    [made] = replay.start(plan, key=fields.get("key") or uuid4(), user=by, may_replay={practice.pk})
    return made


def outcomes(of: Replay) -> list[str]:
    return list(of.items.order_by("pk").values_list("outcome", flat=True))


def test_a_double_click_finds_the_first_replay(practice: Practice, sam: User) -> None:
    failures, key = [a_failure(practice)], uuid4()
    first = started(practice, sam, failures, key=key)
    second = started(practice, sam, failures, key=key)
    assert first.pk == second.pk
    assert first.items.count() == 1


def test_a_practice_without_the_right_is_left_out_at_the_start(practice: Practice, sam: User) -> None:
    plan = FrozenPlan(
        verb=Verb.REFETCH, fingerprint="", as_of=clock.now(), members={practice.pk: [a_failure(practice).pk]}
    )
    assert replay.start(plan, key=uuid4(), user=sam, may_replay=set()) == []
    assert not Replay.objects.exists()


def test_it_runs_every_item_once_and_ends(practice: Practice, sam: User, retries: Retries) -> None:
    failures = [a_failure(practice) for _ in range(3)]
    running = started(practice, sam, failures)
    batch.run(running.pk)
    running.refresh_from_db()
    assert running.state == Replay.State.DONE
    assert retries.asked == [failure.pk for failure in failures]
    told = report(running)
    assert (told.counts["confirmed"], told.gaps_closed, told.dollars_closed) == (3, 3, 360)


def test_after_a_kill_the_items_that_are_done_are_not_redone(
    practice: Practice, sam: User, retries: Retries
) -> None:
    failures = [a_failure(practice) for _ in range(4)]
    running = started(practice, sam, failures)

    def die_at_the_third(failure_id: int) -> None:
        if failure_id == failures[2].pk:
            raise Killed

    retries.before = die_at_the_third
    with pytest.raises(Killed):
        batch.run(running.pk)
    assert outcomes(running) == ["confirmed", "confirmed", "waiting", "waiting"]
    retries.before = lambda failure_id: None
    batch.run(running.pk)
    assert outcomes(running) == ["confirmed"] * 4
    assert retries.asked == [failure.pk for failure in failures]


def test_a_worker_that_was_killed_keeps_others_out_only_until_its_lease_ends(
    practice: Practice, sam: User, retries: Retries, as_of: dt.datetime
) -> None:
    running = started(practice, sam, [a_failure(practice)])
    assert batch.Lease.take(running.pk)
    batch.run(running.pk)
    assert outcomes(running) == ["waiting"]
    with clock.frozen(as_of + batch.LEASE):
        batch.run(running.pk)
    assert outcomes(running) == ["confirmed"]


def test_the_tick_wakes_a_worker_only_for_replays_nobody_holds(
    practice: Practice, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, free, paused = (started(practice, sam, [a_failure(practice)]) for _ in range(3))
    batch.Lease.take(held.pk)
    replay.pause(paused)
    woken: list[int] = []
    monkeypatch.setattr(jobs, "enqueue", lambda pk: woken.append(pk) or True)
    assert jobs.enqueue_due() == 1
    assert woken == [free.pk]


@pytest.fixture
def queue(transactional_db: None) -> Iterator[Queue]:
    queue = get_queue("replay")
    queue.empty()
    yield queue
    queue.empty()


def test_two_ticks_make_one_job_and_a_lost_job_is_made_again(
    practice: Practice, sam: User, queue: Queue
) -> None:
    running = Replay.objects.create(practice=practice, key=uuid4(), verb="refetch", planned_at=clock.now())
    assert (jobs.enqueue_due(), jobs.enqueue_due()) == (1, 0)
    [job_id] = queue.job_ids
    assert job_id.startswith(f"run_replay-{running.pk}-")
    queue.empty()
    assert jobs.enqueue_due() == 1


def test_jobs_carry_row_ids_only(practice: Practice, sam: User, queue: Queue) -> None:
    running = Replay.objects.create(practice=practice, key=uuid4(), verb="refetch", planned_at=clock.now())
    jobs.enqueue(running.pk)
    [job] = queue.jobs
    assert (job.args, job.kwargs) == ((running.pk,), {})


def test_it_pauses_itself_when_more_than_a_fifth_fails_again(
    practice: Practice, sam: User, retries: Retries
) -> None:
    failures = [a_failure(practice) for _ in range(20)]
    retries.outcomes = {failure.pk: "failed" for failure in failures[7:]}
    running = started(practice, sam, failures)
    batch.run(running.pk)
    running.refresh_from_db()
    assert running.state == Replay.State.PAUSED
    assert "3 of the last 10 failed again" in running.message
    assert outcomes(running).count("waiting") == 10


def test_a_fifth_or_less_does_not_pause_it(practice: Practice, sam: User, retries: Retries) -> None:
    failures = [a_failure(practice) for _ in range(20)]
    retries.outcomes = {failure.pk: "failed" for failure in failures[4::5]}
    running = started(practice, sam, failures)
    batch.run(running.pk)
    running.refresh_from_db()
    assert running.state == Replay.State.DONE
    assert report(running).counts["failed"] == 4


def paused_by_a_new_kind(practice: Practice, sam: User, retries: Retries) -> Replay:
    failures = [a_failure(practice) for _ in range(3)]
    retries.outcomes = {failures[0].pk: "failed"}
    running = started(practice, sam, failures, fingerprint="v1:baddate")
    retries.before = lambda failure_id: (
        Failure.objects.filter(pk=failures[0].pk).update(fingerprint="v1:other", message="A new thing.")
        and None
    )
    batch.run(running.pk)
    running.refresh_from_db()
    return running


def test_it_pauses_itself_when_a_new_kind_of_failure_appears(
    practice: Practice, sam: User, retries: Retries
) -> None:
    running = paused_by_a_new_kind(practice, sam, retries)
    assert running.state == Replay.State.PAUSED
    assert running.message == "Paused by itself: a new kind of failure appeared. A new thing."


def test_resuming_accepts_the_new_kind_and_goes_on(practice: Practice, sam: User, retries: Retries) -> None:
    running = paused_by_a_new_kind(practice, sam, retries)
    assert replay.resume(running)
    batch.run(running.pk)
    assert outcomes(running) == ["failed", "confirmed", "confirmed"]


def test_an_item_somebody_else_holds_stays_waiting_for_the_next_pass(
    practice: Practice, sam: User, retries: Retries
) -> None:
    failures = [a_failure(practice) for _ in range(2)]
    retries.outcomes = {failures[0].pk: "busy"}
    running = started(practice, sam, failures)
    batch.run(running.pk)
    running.refresh_from_db()
    assert (running.state, outcomes(running)) == (Replay.State.RUNNING, ["waiting", "confirmed"])
    retries.outcomes = {}
    batch.run(running.pk)
    running.refresh_from_db()
    assert (running.state, outcomes(running)) == (Replay.State.DONE, ["confirmed", "confirmed"])


@pytest.mark.parametrize(("stop", "state"), [(replay.pause, "paused"), (replay.cancel, "cancelled")])
def test_it_stops_between_two_items_when_a_person_says_so(
    practice: Practice, sam: User, retries: Retries, stop: Any, state: str
) -> None:
    failures = [a_failure(practice) for _ in range(3)]
    running = started(practice, sam, failures)
    retries.before = lambda failure_id: stop(running) and None
    batch.run(running.pk)
    running.refresh_from_db()
    assert running.state == state
    assert outcomes(running) == ["confirmed", "waiting", "waiting"]
    assert running.leased_until is None


def test_a_cancelled_replay_cannot_be_resumed(practice: Practice, sam: User) -> None:
    running = started(practice, sam, [a_failure(practice)])
    assert replay.cancel(running)
    assert not replay.resume(running)
