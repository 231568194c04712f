"""History comes in beside the live feed: in chunks, newest first, held, resumable, and never on the feed's cursor."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from athena_dash.records.models import Claim
from athena_dash.sync import backfill, feeds, jobs, pull, replay
from athena_dash.sync.lease import LeaseLost
from athena_dash.sync.models import Backfill, BackfillChunk, Feed, Run
from athena_dash.sync.walks import AHEAD, HISTORY
from integrations.athena.errors import InvalidResponse
from tests.sync.athena import CLIENT, NOW
from tests.sync.rig import contents, open_failures, pull_all

TODAY = NOW.date()
DAY = dt.timedelta(days=1)
CREATED = r"/claims$"


@pytest.fixture
def claims(connected) -> Feed:
    return Feed.objects.get(resource="claims")


@pytest.fixture
def history(claims) -> Backfill:
    """Of claims, as it was asked for with the feed."""
    return claims.backfills.get()


def chunks(history: Backfill) -> list[BackfillChunk]:
    return list(history.chunks.order_by("-last"))


def run_next(practice) -> Run | None:
    lease = backfill.take_next(practice.pk)
    return pull.run_chunk(lease) if lease else None


def test_history_is_cut_without_hole_or_overlap_newest_first(practice) -> None:
    windows = backfill.cut(TODAY - HISTORY, TODAY + AHEAD)
    assert (windows[-1][0], windows[0][1]) == (TODAY - HISTORY, TODAY + AHEAD)
    for (newer, _), (_, older_end) in zip(windows, windows[1:], strict=False):
        assert newer - older_end == DAY
    assert all(end - start < backfill.CHUNK for start, end in windows)


def test_a_new_practice_has_its_history_asked_for_once(connected) -> None:
    feeds.create_feeds(connected)
    asked = {one.feed.resource: (one.first, one.last) for one in Backfill.objects.for_practice(connected)}
    assert asked == {
        "appointments": (TODAY - HISTORY, TODAY + AHEAD),
        "claims": (TODAY - HISTORY, TODAY + DAY),
    }


def test_chunks_bring_everything_newest_first_and_leave_the_live_cursor_alone(
    connected, athena, claims
) -> None:
    Backfill.objects.exclude(feed=claims).delete()
    before = claims.cursor
    runs = []
    while run := run_next(connected):
        runs.append(run)
    done = list(BackfillChunk.objects.order_by("started_at", "run_id").values_list("last", flat=True))
    assert sorted(done, reverse=True) == list(
        BackfillChunk.objects.order_by("run_id").values_list("last", flat=True)
    )
    assert {run.trigger for run in runs} == {"backfill"}
    assert Claim.objects.count() == athena.has("claim")
    claims.refresh_from_db()
    assert claims.cursor == before
    history = claims.backfills.get()
    assert (history.state, history.finished_at) == (Backfill.State.DONE, NOW)
    assert sum(chunk.records for chunk in chunks(history)) == athena.has("claim")


def test_a_feed_is_not_trusted_while_its_history_is_on_its_way(connected, claims, history) -> None:
    pull.run_feed(claims.pk)
    claims.refresh_from_db()
    assert feeds.state(claims).freshness is feeds.Freshness.FILLING
    assert not feeds.state(claims).trusted
    Backfill.objects.exclude(pk=history.pk).delete()
    while run_next(connected):
        pass
    claims.refresh_from_db()
    assert feeds.state(claims).trusted


def test_a_chunk_in_work_is_not_taken_twice_and_one_presumed_dead_may_not_write(history, time) -> None:
    first = backfill.take_next(history.practice_id)
    assert backfill.take(first.chunk_id) is None
    time.passes(minutes=3)
    second = backfill.take(first.chunk_id)
    with pytest.raises(LeaseLost):
        first.hold()
    first.release()
    assert second.hold().pk == first.chunk_id


def test_no_more_than_two_chunks_of_a_practice_are_in_work(history, time) -> None:
    held = [backfill.take_next(history.practice_id) for _ in range(3)]
    assert [lease is not None for lease in held] == [True, True, False]
    time.passes(minutes=3)
    assert backfill.take_next(history.practice_id), "a dead worker's chunk is another's"


def test_a_chunk_that_fails_says_why_and_comes_in_with_its_next_try(connected, athena, claims, time) -> None:
    Backfill.objects.exclude(feed=claims).delete()
    athena.fault("server_error", CREATED)
    assert run_next(connected).outcome == Run.Outcome.FAILED
    failure = open_failures(connected).get()
    chunk = BackfillChunk.objects.get(pk=failure.subject_id)
    assert (failure.subject_kind, failure.reason) == ("chunk", "transient")
    assert (chunk.state, chunk.due_at) == (BackfillChunk.State.FAILED, failure.next_try_at)
    claims.refresh_from_db()
    assert claims.failures_in_a_row == 0, "the live feed is not to blame"
    assert run_next(connected) is None, "the next chunk would only meet the same"
    athena.heal()
    time.now = chunk.due_at
    time.passes(seconds=1)
    while run_next(connected):
        pass
    assert not open_failures(connected).exists()
    assert Claim.objects.count() == athena.has("claim")


def test_a_chunk_that_a_bad_secret_failed_is_tried_as_soon_as_the_secret_is_accepted(
    connected, athena, claims
) -> None:
    Backfill.objects.exclude(feed=claims).delete()
    httpx.delete(f"{athena.url}/_sandbox/clients", params={"client_id": CLIENT})
    assert run_next(connected).outcome == Run.Outcome.FAILED
    assert open_failures(connected).get().reason == "auth"
    assert run_next(connected) is None, "it waits, and the others with it"
    athena.heal()
    pull_all(connected, "departments")
    while run_next(connected):
        pass
    assert not BackfillChunk.objects.exclude(state=BackfillChunk.State.DONE).exists()
    assert not open_failures(connected).exists()


def test_a_chunk_that_never_comes_through_does_not_keep_the_others_from_their_turn(
    connected, athena, claims, time, monkeypatch
) -> None:
    Backfill.objects.exclude(feed=claims).delete()
    poison = backfill.take_next(connected.pk)
    poison.release()
    window = pull.walks.window

    def refuse(source, resource, first, last, cursor):
        if BackfillChunk.objects.get(pk=poison.chunk_id).first == first:
            raise InvalidResponse("unreadable")
        yield from window(source, resource, first, last, cursor)

    monkeypatch.setattr(pull.walks, "window", refuse)
    assert run_next(connected).outcome == Run.Outcome.FAILED
    time.passes(hours=2)
    while (run := run_next(connected)) and run.outcome == Run.Outcome.DONE:
        pass
    assert set(BackfillChunk.objects.exclude(pk=poison.chunk_id).values_list("state", flat=True)) == {"done"}


def test_a_failing_feed_has_its_history_wait(connected, claims, history) -> None:
    Backfill.objects.exclude(pk=history.pk).delete()
    Feed.objects.filter(pk=claims.pk).update(failures_in_a_row=1)
    assert run_next(connected) is None


def test_a_failed_chunk_can_be_replayed_at_once(connected, athena, claims) -> None:
    Backfill.objects.exclude(feed=claims).delete()
    athena.fault("html", CREATED)
    run_next(connected)
    athena.heal()
    failure = open_failures(connected).get()
    result = replay.retry(failure.pk, verb=replay.suggest(failure).verb, trigger="replay")
    assert result.outcome == "confirmed"
    assert BackfillChunk.objects.get(pk=failure.subject_id).state == BackfillChunk.State.DONE


def test_a_paused_backfill_goes_on_where_it_stopped_and_a_cancelled_one_does_not(connected, history) -> None:
    Backfill.objects.exclude(pk=history.pk).delete()
    run_next(connected)
    backfill.pause(history)
    assert run_next(connected) is None
    backfill.resume(history)
    assert run_next(connected)
    backfill.cancel(history)
    assert run_next(connected) is None
    assert [chunk.state for chunk in chunks(history)[:3]] == ["done", "done", "waiting"]
    history.feed.refresh_from_db()
    assert history.feed.filling_since is None


def test_a_paused_practice_or_feed_has_nothing_to_do(connected, claims, history) -> None:
    Backfill.objects.exclude(pk=history.pk).delete()
    feeds.pause(claims)
    assert backfill.due_practices(NOW) == []
    feeds.resume(claims)
    assert backfill.due_practices(NOW) == [connected.pk]


def test_the_run_of_a_killed_chunk_does_not_seem_to_run_for_ever_and_live_runs_leave_it_alone(
    connected, claims, history, time
) -> None:
    lease = backfill.take_next(connected.pk)
    chunk = BackfillChunk.objects.get(pk=lease.chunk_id)
    killed = Run.objects.create(
        feed=chunk.backfill.feed, practice=connected, trigger="backfill", started_at=NOW
    )
    BackfillChunk.objects.filter(pk=chunk.pk).update(run=killed)
    pull.run_feed(chunk.backfill.feed_id)
    killed.refresh_from_db()
    assert killed.outcome == Run.Outcome.RUNNING, "it runs beside the live feed"
    time.passes(minutes=3)
    pull.run_chunk(backfill.take(chunk.pk))
    killed.refresh_from_db()
    assert killed.outcome == Run.Outcome.LOST


def test_live_and_history_in_any_order_end_with_the_same_records(connected, athena, claims, history) -> None:
    """Oldest first here; newest first is what every other test does."""
    ours = Backfill.objects.for_practice(connected)
    oldest_first = BackfillChunk.objects.filter(backfill__in=ours).order_by("last", "-pk")
    for chunk_id in list(oldest_first.values_list("pk", flat=True)):
        pull.run_chunk(backfill.take(chunk_id))
    pull_all(connected)
    found = contents(connected)
    assert len(found["Claim"]) == athena.has("claim")
    assert len(found["Encounter"]) == athena.has("encounter")


def test_the_tick_wakes_one_worker_for_history_and_it_rings_for_the_next(
    connected, history, monkeypatch
) -> None:
    rung: list[tuple[str, str]] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, *ids: rung.append((queue, work.__name__)) or True)
    jobs.enqueue_due()
    assert rung.count(("backfill", "backfill_practice")) == 1
    rung.clear()
    jobs.backfill_practice(connected.pk)
    assert rung == [("backfill", "backfill_practice")]
    assert BackfillChunk.objects.filter(state="done").count() == 1
