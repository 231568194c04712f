"""Feeds on screen: what each one last brought, how complete it is, and what one can do to it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from athena_dash.core import clock
from athena_dash.operations.feed_rows import feed_rows, latest_runs
from athena_dash.practices.models import Practice
from athena_dash.sync import jobs
from athena_dash.sync.budget import shared
from athena_dash.sync.models import Audit, Feed, Run
from tests.builders import a_feed, a_practice
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
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        assert as_sam.get("/feeds").status_code == 200


def test_pausing_and_resuming_a_feed(as_sam: Client, practice: Practice) -> None:
    feed = a_feed(practice, "claims")
    as_sam.post(f"/feeds/{feed.pk}/pause")
    feed.refresh_from_db()
    assert feed.paused_at
    as_sam.post(f"/feeds/{feed.pk}/resume")
    feed.refresh_from_db()
    assert feed.paused_at is None


def test_billing_sees_feeds_and_cannot_run_them(client: Client, practice: Practice) -> None:
    from tests.builders import a_user

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
