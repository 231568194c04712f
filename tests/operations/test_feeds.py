"""Feeds on screen: what each one last brought, how complete it is, and what one can do to it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils.html import strip_tags

from athena_dash.core import clock
from athena_dash.operations.feed_rows import feed_rows, latest_runs
from athena_dash.operations.practice_feeds import budget
from athena_dash.practices.models import Practice
from athena_dash.sync import jobs, lag
from athena_dash.sync.budget import Share, shared
from athena_dash.sync.models import Audit, CursorMove, Feed, Run, Subject
from tests.builders import a_feed, a_practice, a_user
from tests.recovery.failing import a_failure
from tests.sync.calling import made


def a_run(feed: Feed, minutes_ago: int, **fields: object) -> Run:
    fields = {"outcome": "done", "records": 10} | fields
    at = clock.now() - dt.timedelta(minutes=minutes_ago)
    return Run.objects.create(feed=feed, practice=feed.practice, started_at=at, **fields)


def test_a_row_tells_of_its_last_runs_oldest_first_and_of_its_calls(practice: Practice) -> None:
    shared().flushdb()
    feed = a_feed(practice, "claims")
    a_run(feed, 2, records=7)
    a_run(feed, 1, records=9)
    made(practice.connection, milliseconds=20.0, times=19)
    made(practice.connection, milliseconds=1000.0)
    a_failure(practice)
    [row] = feed_rows(Feed.objects.filter(pk=feed.pk), clock.now())
    assert [bar.value for bar in row.bars][-3:] == [0, 7, 9]
    assert (row.latency, row.open_failures) == ("25 / 25 / 1000", 1)
    assert row.last
    assert row.last.records == 9


def test_only_the_latest_runs_of_each_feed_are_read(practice: Practice) -> None:
    feed = a_feed(practice, "claims")
    for minutes in range(20):
        a_run(feed, minutes)
    assert len(latest_runs([feed.pk])[feed.pk]) == 12


def test_the_list_costs_the_same_queries_however_many_feeds(
    as_sam: Client, practice: Practice, django_assert_max_num_queries: object
) -> None:
    for number in range(20):
        a_run(a_feed(practice, f"feed_{number}"), 1)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        assert as_sam.get("/feeds").status_code == 200


def positions(page: str, *said: str) -> list[int]:
    return [page.index(one) for one in said]


def test_what_is_wrong_stands_first_and_is_said_in_a_sentence(as_sam: Client, practice: Practice) -> None:
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=2))
    a_feed(practice, "transactions", paused_at=clock.now())
    a_failure(practice, feed=Feed.objects.get(practice=practice, resource="encounters"))
    page = as_sam.get("/feeds").content.decode()
    assert "1 feed is behind its objective, 1 feed is paused, 1 open failure." in page
    order = positions(page, ">Claims</a>", ">Transactions</a>", ">Encounters</a>", ">Appointments</a>")
    assert order == sorted(order)


def test_a_practice_in_trouble_stands_before_one_that_is_well(client: Client, practice: Practice) -> None:
    other = a_practice("ash", name="Ash Clinic")
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=2))
    client.force_login(a_user(practice, other, role="support"))
    page = client.get("/feeds").content.decode()
    order = positions(page, "<h2>Riverside Primary Care</h2>", "<h2>Ash Clinic</h2>")
    assert order == sorted(order)


def test_failures_are_told_by_reason_and_each_opens_its_rows(as_sam: Client, practice: Practice) -> None:
    for reason in ("invalid", "invalid", "unmapped"):
        a_failure(practice, reason=reason)
    page = as_sam.get("/feeds").content.decode()
    assert "2 the record breaks athena&#x27;s contract" in page
    assert "/failures?practice=riverside&amp;feed=claims&amp;reason=unmapped" in page


def test_a_reason_is_no_link_for_billing_who_may_not_open_it(client: Client, practice: Practice) -> None:
    a_failure(practice)
    client.force_login(a_user(practice, role="billing"))
    page = client.get("/feeds").content.decode()
    assert "1 the record breaks athena" in page
    assert "/failures?" not in page


def test_the_calls_of_today_are_told_by_share_and_add_up_over_feeds(
    as_sam: Client, practice: Practice
) -> None:
    shared().flushdb()
    made(practice.connection, times=4)
    made(practice.connection, "other", times=2)
    made(practice.connection, share=Share.BACKFILL, times=3, outcome="rate_limited", status=429)
    page = as_sam.get("/feeds").content.decode()
    assert "9 of 50,000 calls of today used: 6 live, 0 replay, 3 backfill" in page
    [row] = feed_rows(Feed.objects.filter(resource="claims"), clock.now())
    assert row.rate_limited == 3


def test_calls_of_yesterday_are_not_of_todays_budget(practice: Practice) -> None:
    shared().flushdb()
    with clock.frozen(dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC)):
        made(practice.connection, times=5)
    with clock.frozen(dt.datetime(2026, 3, 11, 0, 30, tzinfo=dt.UTC)):
        made(practice.connection, times=2)
        found = budget(practice, clock.now())
    assert found
    assert found.used == 2
    assert found.backfill_calls_a_day == 35_000 - 7, "a whole day's use is what a backfill must live beside"


def test_an_action_of_a_row_comes_back_to_the_list(as_sam: Client, practice: Practice) -> None:
    feed = Feed.objects.get(practice=practice, resource="claims")
    answer = as_sam.post(f"/feeds/{feed.pk}/pause", {"in_list": "riverside"})
    assert answer.headers["Location"] == "/feeds?practice=riverside"


def test_a_feeds_page_draws_its_day_and_says_it_in_words(as_sam: Client, practice: Practice) -> None:
    shared().flushdb()
    feed = a_feed(practice, "claims")
    for minutes in (50, 20, 1):
        a_run(feed, minutes, finished_at=clock.now() - dt.timedelta(minutes=minutes))
    made(practice.connection, milliseconds=900.0, times=3)
    page = as_sam.get(f"/feeds/{feed.pk}").content.decode()
    for name in (
        "Longest wait for a success",
        "Records of each run",
        "Calls by the hour",
        "Latency p50",
        "Latency p99",
    ):
        assert name in page
    assert "at most 1,000 ms" in page
    assert "up to 30 min" in page


def late(practice: Practice, resource: str, *seconds: int, undated: int = 0) -> None:
    """Changes that have just become visible, so long after athena's stamp."""
    pipeline = shared().pipeline()
    waits = [dt.timedelta(seconds=each) for each in seconds]
    lag.count((practice.pk, resource), waits, undated, clock.now(), pipeline)
    pipeline.execute()


def test_lag_is_told_beside_the_time_since_success(as_sam: Client, practice: Practice) -> None:
    shared().flushdb()
    late(practice, "appointments", *[18] * 30, *[70] * 10, undated=2)
    page = as_sam.get("/feeds").content.decode()
    assert "20 s / 90 s" in page
    feed = Feed.objects.get(practice=practice, resource="appointments")
    page = as_sam.get(f"/feeds/{feed.pk}").content.decode()
    assert "Of 40 changes in 24 hours, half were visible here within 20 s" in page
    assert "95 of 100 within 90 s. 2 changes were not dated by athena." in page
    assert "Lag p95 by the hour" in page


def test_where_athena_dates_nothing_no_lag_is_invented(as_sam: Client, practice: Practice) -> None:
    shared().flushdb()
    late(practice, "claims", undated=3)
    [claims, encounters, transactions] = (
        feed_rows(Feed.objects.filter(resource=name), clock.now())[0]
        for name in ("claims", "encounters", "transactions")
    )
    assert (claims.lag, encounters.lag, transactions.lag) == ("not dated", "to the day only", "not dated")
    page = as_sam.get(f"/feeds/{transactions.feed.pk}").content.decode()
    assert "not dated by athena, so how late a change is seen cannot be said" in page
    assert "Lag p95" not in page


def test_a_feeds_page_counts_whom_it_still_has_to_ask(as_sam: Client, practice: Practice) -> None:
    feed = Feed.objects.get(practice=practice, resource="encounters")
    now = clock.now()
    for number, due in ((1, now - dt.timedelta(minutes=7)), (2, now + dt.timedelta(hours=1)), (3, None)):
        Subject.objects.create(practice=practice, resource="encounters", key=str(number), due_at=due)
    page = as_sam.get(f"/feeds/{feed.pk}").content.decode()
    assert "1 subject due, the oldest" in page
    assert "of 3</dd>" in page


def a_move(feed: Feed, hours_ago: int) -> CursorMove:
    at = clock.now() - dt.timedelta(hours=hours_ago)
    return CursorMove.objects.create(feed=feed, at=at, before={}, after={"walked_at": at.isoformat()})


def test_a_cursor_is_told_in_words(as_sam: Client, practice: Practice) -> None:
    cursor = {"read_at": "2026-03-11T15:03:37.77+00:00", "reading": True, "covered_to": "2026-03-12"}
    feed = a_feed(practice, "claims", cursor=cursor)
    CursorMove.objects.create(
        feed=feed, at=clock.now(), before={"covered_to": None}, after={"covered_to": "2026-03-12"}
    )
    page = strip_tags(as_sam.get(f"/feeds/{feed.pk}").content.decode().replace("</dt>", " "))
    assert "Changes read to Mar 11, 2026 15:03 UTC" in page
    assert "Last drain not ended" in page
    assert "Days covered to –" in page
    assert "Days covered to Mar 12, 2026" in page


def test_an_admin_reads_again_from_a_move_and_stands_beside_it(as_ada: Client, practice: Practice) -> None:
    feed = a_feed(practice, "claims", cursor={"walked_at": clock.now().isoformat()})
    move = a_move(feed, 5)
    page = as_ada.get(f"/feeds/{feed.pk}").content.decode()
    assert "Read again from here" in page
    as_ada.post(f"/feeds/{feed.pk}/set-back", {"move": move.pk})
    feed.refresh_from_db()
    assert dt.datetime.fromisoformat(feed.cursor["walked_at"]) == move.at
    newest = feed.moves.latest("pk")
    assert newest.by
    assert newest.by.username == "ada"


def test_a_move_of_another_feed_sets_nothing_back(as_ada: Client, practice: Practice) -> None:
    feed = a_feed(practice, "claims", cursor={"walked_at": clock.now().isoformat()})
    move = a_move(Feed.objects.get(practice=practice, resource="appointments"), 5)
    answer = as_ada.post(f"/feeds/{feed.pk}/set-back", {"move": move.pk}, follow=True)
    assert "Say from which move" in answer.content.decode()
    assert not feed.moves.exists()


def test_support_sees_the_moves_and_cannot_set_back(as_sam: Client, practice: Practice) -> None:
    feed = a_feed(practice, "claims")
    a_move(feed, 5)
    assert "Read again from here" not in as_sam.get(f"/feeds/{feed.pk}").content.decode()


def test_pausing_and_resuming_a_feed(as_sam: Client, practice: Practice) -> None:
    feed = a_feed(practice, "claims")
    as_sam.post(f"/feeds/{feed.pk}/pause")
    feed.refresh_from_db()
    assert feed.paused_at
    as_sam.post(f"/feeds/{feed.pk}/resume")
    feed.refresh_from_db()
    assert feed.paused_at is None


def test_billing_sees_feeds_and_cannot_run_them(client: Client, practice: Practice) -> None:
    client.force_login(a_user(practice, role="billing"))
    feed = a_feed(practice, "claims")
    page = client.get(f"/feeds/{feed.pk}").content.decode()
    assert "Run now" not in page
    assert client.post(f"/feeds/{feed.pk}/run").status_code == 403


def an_audit(practice: Practice, **fields: object) -> Audit:
    at = dt.datetime(2026, 3, 11, 18, 5, tzinfo=dt.UTC)
    fields = {"kind": "claims", "window": "recent", "theirs": 500, "ours": 497, "healed": 2} | fields
    day = at.date()
    return Audit.objects.create(
        practice=practice, first_day=day, last_day=day, started_at=at, finished_at=at, **fields
    )


def test_the_feeds_say_how_complete_they_are_and_until_when(
    as_sam: Client, practice: Practice, as_of: dt.datetime
) -> None:
    an_audit(practice, missing=["4711"])
    page = as_sam.get("/feeds").content.decode()
    assert "Claims 99.8 % complete to 14:05 EDT" in page
    assert "2 were missing and were fetched. 1 of 500 are missing." in page


def test_a_feeds_page_names_what_is_missing(as_sam: Client, practice: Practice) -> None:
    an_audit(practice, missing=["4711"], drift={"1 03/04/2026": 3}, unnamed=2)
    feed = Feed.objects.get(practice=practice, resource="claims")
    page = as_sam.get(f"/feeds/{feed.pk}").content.decode()
    assert "4711" in page
    assert "department 1 03/04/2026: 3" in page
    assert "2 that athena counts and does not name" in page


def test_a_check_that_came_to_nothing_says_why(
    as_sam: Client, practice: Practice, as_of: dt.datetime
) -> None:
    an_audit(practice, problem="athena did not answer.")
    page = as_sam.get("/feeds").content.decode()
    assert "Claims not checked at 14:05 EDT" in page
    assert "athena did not answer." in page


def test_support_asks_for_a_check_once(
    as_sam: Client, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, *ids: asked.append((queue, work, ids)) or True)
    answer = as_sam.post("/feeds/check/riverside", follow=True)
    assert asked == [("backfill", jobs.audit_practice, (practice.pk,))]
    assert "is compared with athena now" in answer.content.decode()


def test_a_foreign_practice_is_not_checked(as_sam: Client) -> None:
    a_practice("mesa")
    assert as_sam.post("/feeds/check/mesa").status_code == 404
