"""Grace runs in hours of business days, in the department's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athena_dash.correlation.business_time import add_business_hours, end_of_day, is_business_day

NEW_YORK, PHOENIX = ZoneInfo("America/New_York"), ZoneInfo("America/Phoenix")


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        ("2026-03-04T15:00-05:00", 24, "2026-03-05T15:00-05:00"),
        (
            "2026-03-06T15:00-05:00",
            24,
            "2026-03-09T15:00-04:00",
        ),  # Friday to Monday, over the change to summer
        ("2026-03-06T22:00-05:00", 4, "2026-03-09T02:00-04:00"),
        ("2026-03-07T15:00-05:00", 24, "2026-03-10T00:00-04:00"),  # Saturday counts from Monday 0:00
        ("2026-03-04T15:00-05:00", 0, "2026-03-04T15:00-05:00"),
        ("2026-03-04T15:00-05:00", 72, "2026-03-09T15:00-04:00"),
    ],
)
def test_only_business_days_count(since: str, hours: float, until: str) -> None:
    found = add_business_hours(datetime.fromisoformat(since), hours, NEW_YORK)
    assert found == datetime.fromisoformat(until)


def test_a_closed_day_counts_none() -> None:
    since = datetime(2026, 3, 4, 15, tzinfo=NEW_YORK)
    found = add_business_hours(since, 24, NEW_YORK, {date(2026, 3, 5)})
    assert found == datetime(2026, 3, 6, 15, tzinfo=NEW_YORK)


def test_the_same_instant_is_another_business_day_elsewhere() -> None:
    midnight = datetime(2026, 3, 7, 5, 30, tzinfo=UTC)  # Saturday in New York, still Friday in Phoenix
    assert add_business_hours(midnight, 1, NEW_YORK) == datetime(2026, 3, 9, 1, tzinfo=NEW_YORK)
    assert add_business_hours(midnight, 1, PHOENIX) == datetime(2026, 3, 6, 23, 30, tzinfo=PHOENIX)


def test_day_end_is_local_midnight() -> None:
    assert end_of_day(date(2026, 3, 4), PHOENIX) == datetime(2026, 3, 5, 7, tzinfo=UTC)


INSTANTS = st.integers(0, 2 * 366 * 24 * 60).map(
    lambda m: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=m)
)


@given(INSTANTS, st.floats(0, 400))
def test_a_grace_never_ends_before_it_began_nor_on_a_weekend(since: datetime, hours: float) -> None:
    found = add_business_hours(since, hours, NEW_YORK)
    assert is_business_day(found.astimezone(NEW_YORK).date())
    assert (found - since).total_seconds() >= (hours - 1) * 3600 - 60  # an hour is lost to summer time


@given(INSTANTS, st.floats(0, 100), st.floats(0, 100))
def test_a_longer_grace_never_ends_sooner(since: datetime, first: float, second: float) -> None:
    short, long = sorted((first, second))
    assert add_business_hours(since, short, NEW_YORK) <= add_business_hours(since, long, NEW_YORK)
