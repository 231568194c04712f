"""A feed's objective is about business hours: what it missed at night or on a Sunday is held against nobody."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from athena_dash.core import clock
from athena_dash.operations.objective import Kept, business_hours, kept
from athena_dash.practices.models import Policy, Practice
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.sync.models import Feed, Run
from tests.builders import a_feed

ZONE = ZoneInfo("America/New_York")
MONDAY, SUNDAY = dt.date(2026, 3, 9), dt.date(2026, 3, 8)


def at(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE)


def successes(feed: Feed, *ended: dt.datetime) -> None:
    for one in ended:
        Run.objects.create(
            feed=feed, practice=feed.practice, started_at=one, finished_at=one, outcome=Run.Outcome.DONE
        )
    Feed.objects.filter(pk=feed.pk).update(last_success_at=ended[-1])
    feed.refresh_from_db()


def days(feed: Feed, now: dt.datetime, count: int = 1) -> list[Kept]:
    return kept([feed], business_hours(opening_hours(feed.practice), now, count), now)[feed.pk]


@pytest.fixture
def claims(practice: Practice) -> Feed:
    """Stale after an hour."""
    return a_feed(practice, "claims", fresh_within=dt.timedelta(hours=1))


def test_two_stale_hours_of_ten_are_an_eighty_percent_day(claims: Feed) -> None:
    successes(claims, at(MONDAY, 7, 30), *(at(MONDAY, hour, 30) for hour in (8, 9, 12, 13, 14, 15, 16, 17)))
    [day] = days(claims, at(MONDAY, 18))
    assert (day.day, day.percent) == (MONDAY, 80)


def test_a_night_without_a_success_costs_nothing(claims: Feed) -> None:
    successes(claims, at(SUNDAY, 20), at(MONDAY, 7, 50), at(MONDAY, 8, 30))
    [day] = days(claims, at(MONDAY, 9))
    assert day.percent == 100


def test_a_feed_that_is_stale_still_is_counted_up_to_now(claims: Feed) -> None:
    successes(claims, at(SUNDAY, 12))
    [day] = days(claims, at(MONDAY, 12))
    assert day.percent == 0


def test_weekends_and_closed_days_are_not_judged(practice: Practice) -> None:
    Policy.objects.create(practice=practice, name="closed_days", value=[(MONDAY).isoformat()])
    spans = business_hours(opening_hours(practice), at(MONDAY + dt.timedelta(days=1), 12), 2)
    assert [opens.date().isoformat() for opens, _ in spans] == ["2026-03-06", "2026-03-10"]
    assert spans[-1][1] == at(MONDAY + dt.timedelta(days=1), 12)


def test_a_practice_with_hours_of_its_own_is_judged_in_them_and_in_its_zone(practice: Practice) -> None:
    for name, value in (("opening.from", "10:00"), ("opening.to", "16:00"), ("opening.days", ["sat"])):
        Policy.objects.create(practice=practice, name=name, value=value)
    practice.timezone = "America/Phoenix"
    [(opens, closes)] = business_hours(opening_hours(practice), at(MONDAY, 12), 1)
    assert (opens.isoformat(), closes.isoformat()) == (
        "2026-03-07T10:00:00-07:00",
        "2026-03-07T16:00:00-07:00",
    )


def test_a_feed_that_never_came_through_has_no_such_figure(practice: Practice) -> None:
    feed = a_feed(practice, "claims")
    Feed.objects.filter(pk=feed.pk).update(last_success_at=None)
    feed.refresh_from_db()
    assert days(feed, clock.now()) == []


def test_runs_of_a_backfill_do_not_make_a_feed_fresh(claims: Feed) -> None:
    successes(claims, at(MONDAY, 7, 30))
    Run.objects.create(
        feed=claims,
        practice=claims.practice,
        trigger="backfill",
        started_at=at(MONDAY, 10),
        finished_at=at(MONDAY, 10),
        outcome=Run.Outcome.DONE,
    )
    [day] = days(claims, at(MONDAY, 18))
    assert day.percent == 5
