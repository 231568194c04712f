"""Worked and watched: off the list while athena catches up, back by itself when it does not, and its history told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Visit
from athena_dash.practices.models import Practice
from athena_dash.worklist.models import Worked, WorkItem
from tests.builders import DAY, a_gap, a_visit
from tests.sync.athena import Time
from tests.worklist.test_worklist import listed


@pytest.fixture
def visit(practice: Practice) -> Visit:
    visit = a_visit(practice)
    a_gap(visit)
    return visit


def work(desk: Client, visit: Visit, days: int = 3) -> None:
    url = reverse("visit-worked", args=[visit.pk])
    assert desk.post(url, {"what": "Sent the slip back to Dr. L", "days": days}).status_code == 302


def told(desk: Client, visit: Visit) -> list[str]:
    return [one.word for one in desk.get(reverse("visit", args=[visit.pk])).context["worked"]]


def test_a_worked_visit_leaves_the_list_and_the_numbers_and_is_found_under_worked(
    desk: Client, visit: Visit
) -> None:
    work(desk, visit)
    assert listed(desk) == []
    assert listed(desk, "?desk=snoozed") == []
    assert listed(desk, "?desk=worked") == [visit.pk]
    assert desk.get(reverse("today")).context["numbers"].everything.count == 0
    assert told(desk, visit) == ["Watched"]
    done = Worked.objects.get(visit=visit)
    assert (done.by.username, done.codes) == ("bella", ["G13"])


def test_it_returns_after_its_business_days_when_athena_shows_no_fix(desk: Client, visit: Visit) -> None:
    """Wednesday and three business days: Monday, as the practice's day begins."""
    work(desk, visit)
    back = WorkItem.objects.get(visit=visit).snoozed_until
    assert back == dt.datetime(2026, 3, 16, 4, tzinfo=dt.UTC)
    time = Time(clock.now())
    time.passes(seconds=(back - clock.now()).total_seconds() - 1)
    assert listed(desk) == []
    time.passes(seconds=1)
    assert listed(desk) == [visit.pk]
    assert told(desk, visit) == ["Not fixed"]
    (row,) = desk.get(reverse("visits")).context["rows"]
    assert row.worked_at
    assert "not fixed yet" in desk.get(reverse("visits")).content.decode()


def test_a_fix_that_athena_shows_resolves_it_and_says_so(
    desk: Client, visit: Visit, as_of: dt.datetime
) -> None:
    work(desk, visit)
    Gap.objects.filter(visit=visit).update(closed_at=as_of + DAY, closed_by="live_read", primary=False)
    Time(as_of).passes(hours=24 * 6)
    assert listed(desk) == []
    assert listed(desk, "?desk=worked") == []
    (one,) = desk.get(reverse("visit", args=[visit.pk])).context["worked"]
    assert (one.word, one.at, one.because) == (
        "Fixed",
        as_of + DAY,
        "athena was asked and had what was missing",
    )


def test_another_gap_that_opens_brings_the_visit_back_at_once(
    desk: Client, visit: Visit, as_of: dt.datetime
) -> None:
    work(desk, visit)
    Gap.objects.filter(visit=visit).update(closed_at=as_of, closed_by="data", primary=False)
    a_gap(visit, "G24", opened_at=as_of + dt.timedelta(hours=1))
    Time(as_of).passes(hours=2)
    assert listed(desk) == [visit.pk]
    assert desk.get(reverse("today")).context["numbers"].everything.count == 1
    assert told(desk, visit) == ["Fixed"]
    (row,) = desk.get(reverse("visits")).context["rows"]
    assert row.worked_at is None, "what is open now was not worked"


def test_a_snooze_of_a_worked_visit_holds_whatever_opens(
    desk: Client, visit: Visit, as_of: dt.datetime
) -> None:
    work(desk, visit)
    until = (as_of.date() + 9 * DAY).isoformat()
    desk.post(reverse("visit-snooze", args=[visit.pk]), {"until": until, "reason": "patient abroad"})
    assert listed(desk, "?desk=snoozed") == [visit.pk]
    assert listed(desk, "?desk=worked") == []


def test_waking_ends_the_watch_and_keeps_the_history(desk: Client, visit: Visit) -> None:
    work(desk, visit)
    desk.post(reverse("visit-wake", args=[visit.pk]))
    assert listed(desk) == [visit.pk]
    assert Worked.objects.count() == 1


@pytest.mark.parametrize(
    "form", [{"what": "", "days": 3}, {"what": "done", "days": 0}, {"what": "done", "days": 31}]
)
def test_it_asks_what_was_done_and_a_number_of_days_that_is_not_too_far(
    desk: Client, visit: Visit, form: dict[str, object]
) -> None:
    assert desk.post(reverse("visit-worked", args=[visit.pk]), form).status_code == 422
    assert not Worked.objects.exists()
    assert listed(desk) == [visit.pk]
