"""athena dates no claim status, so we keep when each was first and last seen."""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.records.facts import ClaimFact
from athena_dash.records.history import append_statuses
from athena_dash.records.models import ClaimStatusChange


@pytest.fixture
def see(practice, write, as_of):
    """The claim with these statuses, so many hours from now."""

    def see(hours: int = 0, **statuses: str) -> None:
        touched = write(ClaimFact(external_id="301", **statuses), minutes=60 * hours)
        append_statuses(practice.pk, touched.get("claim", ()), as_of + dt.timedelta(hours=hours))

    return see


def history(slot: str = "primary") -> list[tuple[str, bool, bool]]:
    rows = ClaimStatusChange.objects.filter(slot=slot).order_by("first_seen")
    return [(row.status, row.ended_at is None, row.since_backfill) for row in rows]


def test_the_first_status_seen_may_be_older_than_we_know(see) -> None:
    see(primary_status="HOLD")
    assert history() == [("HOLD", True, True)]
    assert history("secondary") == []


def test_a_new_status_ends_the_one_before_at_the_instant_it_was_seen(see, as_of) -> None:
    see(primary_status="HOLD")
    see(2, primary_status="BILLED")
    assert history() == [("HOLD", False, True), ("BILLED", True, False)]
    assert ClaimStatusChange.objects.get(status="HOLD").ended_at == as_of + dt.timedelta(hours=2)


def test_seeing_the_same_status_again_adds_nothing(practice, see, as_of) -> None:
    see(primary_status="HOLD")
    see(1, primary_status="HOLD")
    append_statuses(practice.pk, ["301"], as_of + dt.timedelta(hours=3))
    assert history() == [("HOLD", True, True)]


def test_a_status_that_comes_back_is_a_row_of_its_own(see) -> None:
    for hours, status in enumerate(("HOLD", "DROP", "HOLD")):
        see(hours, primary_status=status)
    assert history() == [("HOLD", False, True), ("DROP", False, False), ("HOLD", True, False)]


def test_an_emptied_slot_ends_its_status_and_begins_none(see) -> None:
    see(primary_status="HOLD", secondary_status="BILLED")
    see(1, primary_status="HOLD", secondary_status="")
    assert history("secondary") == [("BILLED", False, True)]
    see(2, primary_status="HOLD", secondary_status="BILLED")
    assert history("secondary")[-1] == ("BILLED", True, False)


def test_each_slot_has_a_history_of_its_own(see) -> None:
    see(primary_status="BILLED", patient_status="CLOSED")
    see(1, primary_status="CLOSED", patient_status="COLLECT")
    assert history() == [("BILLED", False, True), ("CLOSED", True, False)]
    assert history("patient") == [("CLOSED", False, True), ("COLLECT", True, False)]


def test_nothing_changed_asks_the_database_nothing(practice, as_of, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        append_statuses(practice.pk, (), as_of)
