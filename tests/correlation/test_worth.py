"""What waiting costs: 0.6 % a day [§0.6], everything at the limit (§2.0)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from athena_dash.correlation.worth import lost_by_waiting

HUNDRED = Decimal(100)


@pytest.mark.parametrize(
    ("age", "days_left", "lost"),
    [
        (0, None, "4.13"),  # 1 - 0.994^7
        (0, 90, "4.13"),
        (0, 7, "4.13"),  # the limit's own day is in time
        (0, 6, "100.00"),
        (0, 0, "100.00"),
        (0, -1, "0.00"),  # there is nothing left to lose
        (30, 90, "3.44"),
    ],
)
def test_another_week_of_waiting_loses(age: int, days_left: int | None, lost: str) -> None:
    assert lost_by_waiting(HUNDRED, age, days_left) == Decimal(lost)
