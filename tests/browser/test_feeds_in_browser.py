"""Feeds in a real Chromium: what is wrong first, a backfill asked for, a cursor set back, and the menu of a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync import backfill
from athena_dash.sync.budget import Share, shared
from athena_dash.sync.models import Audit, BackfillChunk, CursorMove, Feed, Plan, Run
from tests.builders import a_feed, a_practice
from tests.operations.test_planner_page import HOLDS
from tests.recovery.failing import a_connection, a_failure
from tests.sync.calling import made

OpenAs = Callable[..., Page]
PHONE = 390


@pytest.fixture
def practice(transactional_db: None) -> Practice:
    """One of everything a feed can show."""
    shared().flushdb()
    practice = a_practice("riverside", name="Riverside Primary Care")
    made(a_connection(practice, calls_per_day=1000), times=300)
    made(practice.connection, share=Share.BACKFILL, times=90, milliseconds=700.0)
    made(practice.connection, times=2, status=429, outcome="rate_limited")
    now = clock.now()
    claims = a_feed(
        practice,
        "claims",
        quiet_for=dt.timedelta(hours=2),
        subscription="active",
        subscribed_at=now - dt.timedelta(days=3),
        cursor={"walked_at": now.isoformat()},
    )
    a_feed(practice, "transactions", paused_at=now)
    a_failure(practice)
    for minutes in range(120, 170, 2):
        at = now - dt.timedelta(minutes=minutes)
        Run.objects.create(
            feed=claims,
            practice=practice,
            started_at=at,
            finished_at=at,
            outcome="done",
            records=minutes % 7,
            failed=int(minutes == 120),
            calls=2,
        )
        CursorMove.objects.create(feed=claims, at=at, before={}, after={"walked_at": at.isoformat()})
    today = now.date()
    backfill.ask(claims, today - dt.timedelta(days=550), today)
    for state, chunk in zip(
        ("done", "done", "failed", "running"), BackfillChunk.objects.order_by("-last"), strict=False
    ):
        BackfillChunk.objects.filter(pk=chunk.pk).update(state=state, calls=40, records=800)
    Plan.objects.create(practice=practice, at=now, calls_left=608, allowed=5, lines=[HOLDS])
    Audit.objects.create(
        practice=practice,
        kind="claims",
        window="recent",
        theirs=500,
        ours=499,
        healed=0,
        missing=["4711"],
        first_day=today,
        last_day=today,
        started_at=now,
        finished_at=now,
    )
    return practice


def paths() -> list[str]:
    claims = Feed.objects.get(resource="claims")
    backfills = "/feeds/riverside/backfills"
    costs = f"{backfills}?first=2025-01-01&last=2025-06-30&resources=claims"
    month = f"{backfills}?feed=claims&month={clock.now():%Y-%m}"
    return ["/feeds", f"/feeds/{claims.pk}", backfills, costs, month, "/feeds/riverside/planner"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    ada: User,
    open_as: OpenAs,
    axe_findings: Callable[[Page], list[str]],
    scrolls_sideways: Callable[[Page], bool],
    scheme: str,
) -> None:
    for path in paths():
        assert axe_findings(open_as(ada, path, scheme=scheme)) == [], path
        narrow = open_as(ada, path, scheme=scheme, width=PHONE)
        assert axe_findings(narrow) == [], path
        assert not scrolls_sideways(narrow), path


def test_a_backfill_is_priced_asked_for_paused_and_looked_into_without_javascript(
    ada: User, open_as: OpenAs
) -> None:
    page = open_as(ada, "/feeds", scripts=False)
    expect(page.locator("tbody tr").first).to_contain_text("claims")
    page.get_by_role("link", name="Backfills").click()
    page.get_by_label("From").fill("2024-01-01")
    page.get_by_label("to", exact=True).fill("2024-01-31")
    page.get_by_role("checkbox", name="Claims").check()
    page.get_by_role("checkbox", name="Appointments").uncheck()
    page.get_by_role("button", name="What would it take?").click()
    expect(page.get_by_text("2 chunks, about")).to_be_visible()
    page.get_by_role("button", name="Start this backfill").click()
    row = page.get_by_role("row", name="Jan 1, 2024 to Jan 31, 2024")
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_text("Paused")).to_be_visible()
    page.get_by_role("link", name="Claims, January 2024: paused").click()
    expect(page.get_by_role("heading", name="Claims, January 2024")).to_be_visible()


def test_a_cursor_is_set_back_from_its_history_after_a_confirmation(ada: User, open_as: OpenAs) -> None:
    claims = Feed.objects.get(resource="claims")
    page = open_as(ada, f"/feeds/{claims.pk}")
    page.get_by_text("Read again from here").last.click()
    page.get_by_role("button", name="Yes, set the cursor back").click()
    expect(page.get_by_text("is read again.")).to_be_visible()
    assert claims.moves.filter(by=ada).exists()


def test_the_list_follows_by_itself(ada: User, open_as: OpenAs) -> None:
    page = open_as(ada, "/feeds")
    expect(page.get_by_text("1 feed is behind its objective")).to_be_visible()
    a_feed(Practice.objects.get(), "claims")
    expect(page.get_by_text("1 feed is behind its objective")).to_have_count(0, timeout=25_000)


def test_a_phone_opens_the_screens_and_signs_out(ada: User, open_as: OpenAs) -> None:
    page = open_as(ada, "/feeds", width=PHONE)
    expect(page.get_by_role("link", name="Practices")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Practices")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Practices")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
