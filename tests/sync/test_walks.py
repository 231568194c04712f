"""The ways a feed learns of records: which windows it asks for, and that walking never touches our database."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.db import connections

from athena_dash.sync import walks
from athena_dash.sync.models import Feed, Subject
from athena_dash.sync.resources import RESOURCES
from integrations.athena.ahead import Fetchers
from integrations.athena.errors import InvalidResponse, TransientError
from integrations.athena.page import Page
from tests.sync.athena import NOW

TODAY = NOW.date()
APPOINTMENTS, CLAIMS = RESOURCES["appointments"], RESOURCES["claims"]


class Asked:
    """An athena that has nothing, and remembers what it was asked."""

    def __init__(self, *answers: Page | Exception) -> None:
        self.answers = list(answers)
        self.params: list[dict] = []

    def pages(self, resource: str, **params):
        self.params.append(params)
        given = self.answers.pop(0) if self.answers else page()
        if isinstance(given, Exception):
            raise given
        yield given

    def days(self, resource=APPOINTMENTS) -> list[tuple[dt.date, dt.date]]:
        first, last = {"service": ("startdate", "enddate")}.get(
            resource.windows, ("createdstartdate", "createdenddate")
        )
        return [(params[first], params[last]) for params in self.params]


def page(*items: bytes, total: int | None = None) -> Page:
    return Page("x", items, total, None, None, NOW)


def walk(resource, cursor: dict, now: dt.datetime = NOW, *answers) -> tuple[Asked, dict]:
    """What was asked, and what the cursor became."""
    asked = Asked(*answers)
    feed = Feed(resource=resource.name, cursor=cursor, subscription="active")
    for step in walks.walk_windows(asked, resource, feed, now):
        cursor = cursor | step.cursor
    return asked, cursor


@pytest.mark.parametrize(("resource", "ahead"), [(APPOINTMENTS, walks.AHEAD), (CLAIMS, walks.DAY)])
def test_a_new_cursor_begins_now_and_asks_for_nothing_of_the_past(resource, ahead) -> None:
    asked, cursor = walk(resource, {})
    assert asked.params == []
    assert cursor == {"covered_to": (TODAY + ahead).isoformat(), "walked_at": NOW.isoformat()}


def test_days_missed_in_a_long_outage_are_covered_without_a_hole() -> None:
    asked, cursor = walk(APPOINTMENTS, {"covered_to": (TODAY - 100 * walks.DAY).isoformat()})
    windows = asked.days()
    assert windows[0][0] == TODAY - 100 * walks.DAY
    assert windows[-1][1] == TODAY + walks.AHEAD
    for (_, end), (start, _) in zip(windows, windows[1:], strict=False):
        assert start == end, "both days are included: the next window begins with the last day of this one"
    assert all(end - start <= walks.WINDOW for start, end in windows)
    assert cursor["covered_to"] == (TODAY + walks.AHEAD).isoformat()


def test_a_walk_that_was_interrupted_goes_on_where_its_last_whole_window_ended() -> None:
    covered = TODAY - dt.timedelta(days=45)
    asked, _ = walk(APPOINTMENTS, {"covered_to": covered.isoformat()})
    assert asked.days()[0] == (covered, covered + walks.WINDOW)


def test_the_next_day_adds_the_day_that_has_come_into_sight() -> None:
    _, cursor = walk(APPOINTMENTS, {})
    asked, _ = walk(APPOINTMENTS, cursor, NOW + walks.DAY)
    assert asked.days()[0] == (TODAY + walks.AHEAD, TODAY + walks.AHEAD + walks.DAY)


def test_with_an_active_feed_recent_changes_are_walked_once_in_a_while() -> None:
    _, cursor = walk(APPOINTMENTS, {})
    assert walk(APPOINTMENTS, cursor, NOW + dt.timedelta(minutes=14))[0].params == []
    (recent,) = walk(APPOINTMENTS, cursor, NOW + dt.timedelta(minutes=15))[0].params
    assert recent["startlastmodified"] == "03/11/2026 10:50:00", "Eastern, ten minutes before the last walk"
    assert recent["endlastmodified"] == "03/11/2026 11:15:00"


def test_claims_of_the_days_around_the_last_walk_are_asked_for_by_their_creation() -> None:
    _, cursor = walk(CLAIMS, {})
    asked, after = walk(CLAIMS, cursor, NOW + dt.timedelta(hours=1))
    assert asked.days(CLAIMS) == [(TODAY - walks.DAY, TODAY + walks.DAY)]
    assert after["walked_at"] == (NOW + dt.timedelta(hours=1)).isoformat()


def test_a_window_that_could_not_be_read_does_not_move_the_cursor() -> None:
    with pytest.raises(TransientError):
        walk(APPOINTMENTS, {"covered_to": TODAY.isoformat()}, NOW, TransientError("down"))


def test_an_unreadable_list_is_asked_for_in_ever_smaller_pages_and_then_given_up() -> None:
    asked = Asked(*[InvalidResponse("too large")] * 3)
    with pytest.raises(InvalidResponse):
        list(walks.to_the_end(lambda **limit: asked.pages("claims", **limit)))
    assert [params.get("limit") for params in asked.params] == [None, 100, 10]


def test_a_list_shorter_than_athena_counts_it_is_read_again_and_then_believed() -> None:
    asked = Asked(page(b"1", total=2), page(b"1", b"2", total=2))
    assert len(list(walks.to_the_end(lambda **_: asked.pages("claims")))) == 2
    stubborn = Asked(*[page(b"1", total=2)] * 9)
    assert len(list(walks.to_the_end(lambda **_: stubborn.pages("claims")))) == 3


def listed(*answers: Page | Exception) -> Iterator[Page]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        yield answer


def test_pages_of_a_list_are_committed_together_until_they_hold_enough_records(monkeypatch) -> None:
    monkeypatch.setattr(walks, "LISTED", 4)
    steps = walks.some_at_once(listed(*[page(b"1", b"2")] * 5))
    assert [len(step.pages) for step in steps] == [2, 2, 1]


def test_a_page_that_was_long_in_coming_is_committed_at_once(monkeypatch) -> None:
    monkeypatch.setattr(walks, "PATIENCE", 0.0)
    assert [len(step.pages) for step in walks.some_at_once(listed(page(b"1"), page(b"2")))] == [1, 1]


def test_the_pages_before_one_that_fails_are_committed() -> None:
    steps = []
    with pytest.raises(TransientError):
        steps.extend(walks.some_at_once(listed(page(b"1"), page(b"2"), TransientError("down"))))
    assert [len(step.pages) for step in steps] == [2]


# -- subjects -----------------------------------------------------------------------------------------------


@pytest.fixture
def fetchers() -> Iterator[Fetchers]:
    fetchers = Fetchers(4)
    yield fetchers
    fetchers.close()


def asking(fetchers: Fetchers, about, count: int = 30) -> list[walks.Step]:
    subjects = [Subject(pk=n, key=str(n), scope="1" if n == 1 else "") for n in range(count)]
    source = SimpleNamespace(about=about, ahead=fetchers.ahead)
    return list(walks.walk_subjects(source, RESOURCES["encounters"], subjects))


def test_subjects_are_asked_about_by_threads_that_never_open_a_database_connection(fetchers) -> None:
    opened: dict[str, bool] = {}

    def about(resource: str, key: str, scope: str):
        opened[threading.current_thread().name] = connections["default"].connection is not None
        if key == "3":
            raise TransientError("down")
        return iter([page()])

    (step,) = asking(fetchers, about)
    assert [subject.key for subject in step.asked] == [str(n) for n in range(30) if n != 3]
    assert [subject.key for subject, _ in step.errors] == ["3"]
    assert {parent: len(one.items) for one, parent in step.pages}["1/1"] == 0
    assert threading.current_thread().name not in opened
    assert set(opened.values()) == {False}


def test_a_step_of_subjects_ends_when_it_holds_enough_records(fetchers) -> None:
    patients_pages = [page(*[b"{}"] * 400)]
    steps = asking(fetchers, lambda *_: iter(patients_pages), count=7)
    assert [len(step.asked) for step in steps] == [3, 3, 1]


def test_a_step_of_subjects_ends_when_athena_seems_to_be_down(fetchers) -> None:
    def down(*_: str):
        raise TransientError("down")

    assert [len(step.errors) for step in asking(fetchers, down, count=12)] == [5, 5, 2]


def test_slow_answers_are_committed_before_all_of_them_are_there(fetchers, monkeypatch) -> None:
    monkeypatch.setattr(walks, "PATIENCE", 0.0)
    assert [len(step.asked) for step in asking(fetchers, lambda *_: iter([page()]), count=3)] == [1, 1, 1]
