"""Today's sentence and numbers, and that each link lists what its number counted."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from athena_dash.practices.models import Practice
from athena_dash.worklist.models import WorkItem
from tests.builders import DAY, a_feed, a_gap, a_patient, a_practice, a_user, a_visit


def test_each_number_lists_as_many_visits_as_it_says(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    a_gap(a_visit(practice), filing_limit=as_of.date() + 3 * DAY)
    a_gap(a_visit(practice), filing_limit=as_of.date() + 14 * DAY, due_at=as_of - DAY)
    a_gap(a_visit(practice), "G14", verdict="not_synced", opened_at=as_of)
    a_gap(a_visit(practice), "G05", needs_feed="encounters")
    a_feed(practice, "encounters", quiet_for=dt.timedelta(hours=1))
    page = desk.get(reverse("today")).content.decode()
    links = re.findall(r'<a href="(/visits[^"]*)"><small>.*?<b>(\d+)</b>', page)
    assert [int(count) for _, count in links] == [4, 2, 1, 2]
    for url, count in links:
        assert desk.get(url.replace("&amp;", "&")).context["facets"].total == int(count), url


def test_dollars_are_counted_once_on_the_primary_gap(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit, at_risk=Decimal(100))
    a_gap(visit, "G31", primary=False, at_risk=Decimal(100))
    numbers = desk.get(reverse("today")).context["numbers"]
    assert (numbers.everything.count, numbers.everything.dollars) == (1, Decimal(100))


def test_sleeping_visits_are_not_counted(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    WorkItem.objects.create(practice=practice, visit=visit, snoozed_until=as_of + DAY)
    assert desk.get(reverse("today")).context["numbers"].everything.count == 0


def test_what_opened_and_closed_since_yesterday(desk: Client, practice: Practice, as_of: dt.datetime) -> None:
    a_gap(a_visit(practice), opened_at=as_of)
    fixed = a_visit(practice)
    a_gap(fixed, closed_at=as_of, primary=False)
    a_gap(fixed, "G31", closed_at=as_of, primary=False)
    a_gap(a_visit(practice), closed_at=as_of - 3 * DAY, primary=False)
    numbers = desk.get(reverse("today")).context["numbers"]
    assert (numbers.everything.opened, numbers.everything.closed) == (1, 1)
    assert {line.code: line.tally.closed for line in numbers.codes} == {"G13": 1, "G31": 1}
    closed = desk.get(reverse("visits") + f"?stage=all&closed={numbers.yesterday}")
    assert closed.context["facets"].total == 1


def test_today_is_all_clear_without_gaps_and_unconnected_without_feeds(
    desk: Client, practice: Practice
) -> None:
    assert "No half-complete visits" in desk.get(reverse("today")).content.decode()
    practice.feeds.all().delete()
    assert "No practice is connected yet" in desk.get(reverse("today")).content.decode()


def test_each_feeds_freshness_is_told_by_practice(desk: Client, practice: Practice) -> None:
    a_feed(practice, "claims", quiet_for=dt.timedelta(minutes=47))
    (heard,) = desk.get(reverse("today")).context["heard"]
    told = {alike.state.freshness: alike.names for alike in heard.groups}
    assert told == {"fresh": ["appointments", "encounters", "transactions"], "stale": ["claims"]}


def test_fresh_feeds_are_counted_and_the_others_named_each_with_the_longest_silence(
    desk: Client, practice: Practice
) -> None:
    a_feed(practice, "claims", quiet_for=dt.timedelta(minutes=47))
    a_feed(practice, "fhir_encounters", quiet_for=dt.timedelta(hours=3))
    page = " ".join(strip_tags(desk.get(reverse("today")).content.decode()).split())
    assert "Fresh 3 feeds, the oldest heard" in page
    assert "Behind claims, FHIR encounters, the oldest heard 3 h ago" in page


def test_everyone_lands_on_the_first_screen_of_their_role(practice: Practice, client: Client) -> None:
    for role, home in (("billing", "today"), ("support", "failures"), ("admin", "practices")):
        client.force_login(a_user(practice, role=role))
        assert client.get("/")["Location"] == reverse(home)
    client.force_login(a_user())
    assert client.get("/")["Location"] == reverse("no-practice")


def test_today_costs_the_same_for_one_visit_and_for_many(
    desk: Client, practice: Practice, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        a_gap(a_visit(practice, patient=a_patient(practice)))
    with django_assert_max_num_queries(4 + 7):
        desk.get(reverse("today"))


def test_another_practices_gaps_are_not_counted(desk: Client, practice: Practice) -> None:
    a_gap(a_visit(a_practice("elsewhere")))
    assert desk.get(reverse("today")).context["numbers"].everything.count == 0
