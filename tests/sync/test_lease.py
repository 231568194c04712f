"""A feed has one worker; one presumed dead can no longer write."""

from __future__ import annotations

import pytest

from athena_dash.sync import lease, pull
from athena_dash.sync.lease import LeaseLost, take
from athena_dash.sync.models import Feed, RawRecord, Run
from tests.builders import a_feed
from tests.sync.rig import pull_all


@pytest.fixture
def feed(practice) -> Feed:
    return a_feed(practice, "claims")


def test_a_feed_in_work_is_not_taken_twice(feed) -> None:
    first = take(feed.pk)
    assert take(feed.pk) is None
    first.release()
    assert take(feed.pk).token == first.token + 1


def test_a_lease_that_ran_out_goes_to_the_next_and_the_first_may_not_write(feed, time) -> None:
    first = take(feed.pk)
    time.passes(minutes=3)
    second = take(feed.pk)
    for writing in (first.renew, first.hold):
        with pytest.raises(LeaseLost):
            writing()
    first.release()  # must not free what is the second's
    assert take(feed.pk) is None
    assert second.hold().pk == feed.pk


def test_every_page_renews_the_lease(feed, time) -> None:
    held = take(feed.pk)
    for _ in range(3):
        time.passes(minutes=1.5)
        held.renew()
    assert take(feed.pk) is None


def take_over(feed: Feed) -> None:
    """Another worker finds the lease run out and takes the feed."""
    Feed.objects.filter(pk=feed.pk).update(lease_until=None)
    assert lease.take(feed.pk)


def test_a_worker_that_lost_its_lease_in_the_middle_commits_no_further_page(
    connected, athena, monkeypatch
) -> None:
    Feed.objects.filter(resource="appointments").update(cursor={"covered_to": "2025-06-01"})
    feed = Feed.objects.get(resource="appointments")
    commit, committed = pull.commit, []

    def lose_after_two(step, *rest) -> None:
        if len(committed) == 2:
            take_over(feed)
        commit(step, *rest)
        committed.append(step)

    monkeypatch.setattr(pull, "commit", lose_after_two)
    run = pull.run_feed(feed.pk)
    assert (run.outcome, len(committed)) == (Run.Outcome.LOST, 2)
    assert run.finished_at
    feed.refresh_from_db()
    assert feed.last_success_at is None
    assert feed.lease_until, "the other worker's lease stays"
    assert not RawRecord.objects.filter(resource="claims").exists()


def test_a_worker_that_lost_its_lease_and_then_failed_only_says_that_it_is_lost(
    connected, athena, monkeypatch
) -> None:
    feed = Feed.objects.get(resource="claims")

    def lose_and_fail(*_: object) -> None:
        take_over(feed)
        raise ZeroDivisionError

    monkeypatch.setattr(pull, "commit", lose_and_fail)
    assert pull.run_feed(feed.pk).outcome == Run.Outcome.LOST
    feed.refresh_from_db()
    assert feed.failures_in_a_row == 0


def test_a_feed_another_worker_holds_is_left_to_it(connected, athena) -> None:
    feed = Feed.objects.get(resource="departments")
    take(feed.pk)
    assert pull.run_feed(feed.pk) is None
    assert pull_all(connected, "departments") == []


def test_the_run_of_a_killed_worker_does_not_seem_to_run_for_ever(connected, athena, time) -> None:
    feed = Feed.objects.get(resource="departments")
    killed = Run.objects.create(feed=feed, practice=connected, started_at=time.now)
    assert pull.run_feed(feed.pk).outcome == Run.Outcome.DONE
    killed.refresh_from_db()
    assert killed.outcome == Run.Outcome.LOST
