"""Pages of which little is new are landed together, and none waits for long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from athena_dash.sync import unlanded
from athena_dash.sync.landing import ROWS
from athena_dash.sync.segments import Stored
from athena_dash.sync.unlanded import WITHIN, Unlanded


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [100.0]
    monkeypatch.setattr(unlanded, "monotonic", lambda: moment[0])
    return moment


def rows(count: int, first: int = 1) -> list[Stored]:
    at = datetime(2026, 3, 4, tzinfo=UTC)
    return [Stored(pk, 1, "claims", str(pk), "", at, 1, b"{}", b"") for pk in range(first, first + count)]


def test_a_few_new_rows_wait_for_those_of_the_next_pages(now: list[float]) -> None:
    waiting = Unlanded()
    waiting.add(rows(ROWS - 1))
    assert not waiting.due
    waiting.add(rows(1, first=ROWS))
    assert waiting.due
    assert [row.pk for row in waiting.take()] == list(range(1, ROWS + 1))
    assert not waiting.due
    assert waiting.take() == []


def test_the_first_that_waits_says_until_when(now: list[float]) -> None:
    waiting = Unlanded()
    waiting.add([])
    now[0] += 10 * WITHIN
    waiting.add(rows(1))
    assert not waiting.due
    now[0] += WITHIN / 2
    waiting.add(rows(1, first=2))
    assert not waiting.due
    now[0] += WITHIN / 2
    assert waiting.due
