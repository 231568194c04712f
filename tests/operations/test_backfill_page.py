"""Backfills on screen: months by what became of their chunks, what one would cost, and asking for it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from athena_dash.operations.backfill_calendar import calendars, months
from athena_dash.operations.backfill_cost import Cost
from athena_dash.practices.models import Practice
from athena_dash.sync import backfill
from athena_dash.sync.budget import Share, shared
from athena_dash.sync.models import Backfill, BackfillChunk, Feed
from tests.builders import a_practice
from tests.sync.calling import made

JANUARY, APRIL = dt.date(2026, 1, 1), dt.date(2026, 4, 30)


@pytest.fixture
def claims(practice: Practice) -> Feed:
    shared().flushdb()
    return Feed.objects.get(practice=practice, resource="claims")


@pytest.fixture
def history(claims: Feed) -> Backfill:
    """Four months in four chunks, the newest first."""
    return backfill.ask(claims, JANUARY, APRIL)


def states_by_month(resource: str = "claims") -> dict[int, str]:
    chunks = BackfillChunk.objects.select_related("backfill__feed")
    [calendar] = calendars(chunks, [resource])
    return {month.first.month: month.state for year in calendar.years for month in year.months if month.state}


def end(chunk: BackfillChunk, state: str, **fields: object) -> None:
    BackfillChunk.objects.filter(pk=chunk.pk).update(state=state, **fields)


def test_a_month_shows_the_worst_of_its_chunks(history: Backfill) -> None:
    newest, second, *_ = history.chunks.order_by("-last")
    end(newest, "done")
    end(second, "failed")
    assert states_by_month() == {1: "waiting", 2: "waiting", 3: "failed", 4: "done"}


def test_a_chunk_over_two_months_is_in_both() -> None:
    assert [*months(dt.date(2025, 12, 20), dt.date(2026, 1, 18))] == [dt.date(2025, 12, 1), JANUARY]


def test_what_is_asked_for_again_speaks_for_its_days(claims: Feed, history: Backfill) -> None:
    history.chunks.update(state="done")
    backfill.ask(claims, JANUARY, APRIL)
    assert set(states_by_month().values()) == {"waiting"}


def test_a_paused_backfill_reads_paused_and_a_cancelled_one_not_at_all(history: Backfill) -> None:
    backfill.pause(history)
    assert set(states_by_month().values()) == {"paused"}
    backfill.cancel(history)
    assert states_by_month() == {}


def test_each_mark_of_the_calendar_has_words_and_opens_its_chunks(as_sam: Client, history: Backfill) -> None:
    end(history.chunks.latest("last"), "done", records=312)
    page = as_sam.get("/feeds/riverside/backfills").content.decode()
    assert "Claims, April 2026: done, 1 of 1 chunk done, 312 records" in page
    page = as_sam.get("/feeds/riverside/backfills?feed=claims&month=2026-04").content.decode()
    assert "Claims, April 2026</h2>" in page
    assert "312" in page


def test_what_it_would_take_is_told_from_chunks_that_are_done(
    as_sam: Client, practice: Practice, history: Backfill
) -> None:
    end(history.chunks.latest("last"), "done", calls=60)  # of 30 days
    page = as_sam.get(
        "/feeds/riverside/backfills?first=2025-01-01&last=2025-04-10&resources=claims"
    ).content.decode()
    assert "4 chunks, about 200 calls, within a day at the 35,000 a day that the budget leaves." in page
    assert not Backfill.objects.filter(first="2025-01-01").exists(), "asking what it takes asks for nothing"


def test_days_follow_from_what_others_leave_of_the_budget(practice: Practice, as_sam: Client) -> None:
    assert "about 3 days at the 40 a day" in Cost(4, 100, 40).sentence
    assert "leaves none" in Cost(4, 100, 0).sentence
    assert "once the first one is done" in Cost(4, None, 40).sentence
    shared().flushdb()
    made(practice.connection, times=5)
    made(practice.connection, share=Share.BACKFILL, times=3)
    page = as_sam.get("/feeds/riverside/backfills").content.decode()
    assert "leaves 34,995 calls a day for backfills" in page, "what backfills took themselves does not count"


def test_support_asks_for_one_of_several_feeds(as_sam: Client, practice: Practice, claims: Feed) -> None:
    days = {"first": "2026-01-01", "last": "2026-02-28", "resources": ["claims", "appointments"]}
    as_sam.post("/feeds/riverside/backfills/ask", days)
    assert {one.feed.resource: one.chunks.count() for one in Backfill.objects.all()} == {
        "claims": 2,
        "appointments": 2,
    }
    assert {one.asked_by.username for one in Backfill.objects.all()} == {"sam"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "2026-02-28", "last": "2026-01-01", "resources": ["claims"]},
        {"first": "2026-01-01", "last": "2026-02-28"},
        {"first": "2026-01-01", "last": "2026-02-28", "resources": ["patients"]},
    ],
)
def test_what_makes_no_sense_is_not_asked_for(as_sam: Client, wrong: dict[str, object]) -> None:
    answer = as_sam.post("/feeds/riverside/backfills/ask", wrong, follow=True)
    assert "Nothing was asked for" in answer.content.decode()
    assert not Backfill.objects.exists()


def test_it_is_paused_resumed_and_cancelled_from_its_row(as_sam: Client, history: Backfill) -> None:
    for move, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        as_sam.post(f"/backfills/{history.pk}/{move}")
        history.refresh_from_db()
        assert history.state == state


def test_the_page_follows_only_while_something_runs(as_sam: Client, history: Backfill) -> None:
    assert 'hx-trigger="every 5s"' in as_sam.get("/feeds/riverside/backfills").content.decode()
    backfill.cancel(history)
    assert 'hx-trigger="every 5s"' not in as_sam.get("/feeds/riverside/backfills").content.decode()


def test_a_foreign_practice_has_no_such_page(as_sam: Client) -> None:
    a_practice("mesa")
    assert as_sam.get("/feeds/mesa/backfills").status_code == 404
