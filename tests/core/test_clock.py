"""The one clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from threading import Thread
from zoneinfo import ZoneInfo

import pytest

from athena_dash.core import clock

MIDNIGHT_UTC = datetime(2026, 3, 11, 2, tzinfo=UTC)


def test_a_frozen_clock_stands_still_in_every_thread() -> None:
    seen: list[datetime] = []
    with clock.frozen(MIDNIGHT_UTC):
        thread = Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [MIDNIGHT_UTC]


def test_it_runs_again_afterwards() -> None:
    with clock.frozen(MIDNIGHT_UTC):
        pass
    assert clock.now() > MIDNIGHT_UTC


def test_freezing_within_freezing_returns_to_the_outer_instant() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    with clock.frozen(MIDNIGHT_UTC):
        with clock.frozen(later):
            assert clock.now() == later
        assert clock.now() == MIDNIGHT_UTC


def test_today_is_the_date_where_the_department_is() -> None:
    with clock.frozen(MIDNIGHT_UTC):
        assert clock.today(ZoneInfo("America/Phoenix")) == date(2026, 3, 10)
        assert clock.today(ZoneInfo("UTC")) == date(2026, 3, 11)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"), clock.frozen(datetime(2026, 3, 11)):  # noqa: DTZ001
        pass
