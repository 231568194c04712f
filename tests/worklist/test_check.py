"""Check athena now: asked with and without JavaScript, watched to its end, and what the screens say afterwards."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.sync.models import LiveRead
from tests.builders import DAY, a_feed, a_gap, a_user, a_visit


@pytest.fixture
def visit(practice: Practice) -> Visit:
    visit = a_visit(practice)
    a_gap(visit, verdict="unverified")
    return visit


def address(visit: Visit) -> str:
    return reverse("visit-check", args=[visit.pk])


def end(read: LiveRead, state: str = "done", **fields: object) -> None:
    now = clock.now()
    LiveRead.objects.filter(pk=read.pk).update(state=state, started_at=now, finished_at=now, **fields)


def test_without_javascript_the_click_leads_back_to_a_visit_that_says_it_is_asking(
    desk: Client, visit: Visit
) -> None:
    assert "Check athena now" in desk.get(reverse("visit", args=[visit.pk])).content.decode()
    answer = desk.post(address(visit), follow=True)
    assert answer.redirect_chain == [(reverse("visit", args=[visit.pk]), 302)]
    page = answer.content.decode()
    assert "Asking athena" in page
    assert "Look again" in page
    read = LiveRead.objects.get(visit=visit)
    assert (read.by.username, read.trigger, read.state) == ("bella", "person", "waiting")


def test_htmx_swaps_the_button_for_the_progress_and_at_the_end_the_whole_visit(
    htmx: Client, visit: Visit
) -> None:
    asked = htmx.post(address(visit), headers={"HX-Target": "visit"})
    assert asked.headers["HX-Retarget"] == "#check"
    read = LiveRead.objects.get(visit=visit)
    LiveRead.objects.filter(pk=read.pk).update(state="running", planned=4, asked=1)
    running = htmx.get(address(visit), headers={"HX-Target": "check"}).content.decode()
    assert "1 of 4 questions answered" in running
    assert "<article" not in running
    end(read, gaps_closed=1)
    ended = htmx.get(address(visit), headers={"HX-Target": "check"})
    assert ended.headers["HX-Retarget"] == "#visit"
    assert ended.content.decode().lstrip().startswith("<article")
    assert "athena had what was missing; 1 gap closed" in ended.content.decode()


def test_a_failed_check_says_why_and_that_the_verdict_stands(desk: Client, visit: Visit) -> None:
    desk.post(address(visit))
    end(LiveRead.objects.get(visit=visit), "failed", message="Today's calls to athena are used up.")
    page = desk.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "Today&#x27;s calls to athena are used up. The verdict stands as it was." in page


def test_a_second_click_too_soon_is_answered_in_words_and_asks_nobody(desk: Client, visit: Visit) -> None:
    desk.post(address(visit))
    end(LiveRead.objects.get(visit=visit))
    page = desk.post(address(visit), follow=True).content.decode()
    assert "a moment ago" in page
    assert LiveRead.objects.count() == 1


def test_who_may_only_look_sees_no_button(practice: Practice, client: Client, visit: Visit) -> None:
    client.force_login(a_user(practice, role="support"))
    assert "Check athena now" not in client.get(reverse("visit", args=[visit.pk])).content.decode()


def test_athenas_own_word_outlives_a_feed_that_went_quiet_before_it(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    """Asked after the feed last came through, athena has said more than the feed could; asked before, less."""
    asked, unasked, before = (a_visit(practice) for _ in range(3))
    a_gap(asked, asked_at=as_of - dt.timedelta(minutes=5))
    a_gap(unasked)
    a_gap(before, asked_at=as_of - DAY)
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=2))
    rows = {row.pk: row for row in desk.get(reverse("visits")).context["rows"]}
    assert rows[asked.pk].verdict.word == "Not billed"
    assert rows[unasked.pk].verdict.word == rows[before.pk].verdict.word == "Suspect sync"
    assert not rows[asked.pk].why_suspect
    assert rows[before.pk].why_suspect
    assert desk.get(reverse("today")).context["numbers"].unheard.count == 2


def test_the_row_says_when_athena_was_asked(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    a_gap(a_visit(practice), asked_at=as_of - dt.timedelta(hours=2))
    assert ">2 h ago</time>" in desk.get(reverse("visits")).content.decode()
