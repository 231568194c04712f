"""athena dates no claim status, so we keep when each was first and last seen."""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.records.facts import ClaimAppointment, ClaimFact, ClaimOfAppointment, Sourced
from athena_dash.records.history import end_statuses, statuses
from athena_dash.records.models import Claim


@pytest.fixture
def see(practice, write, as_of):
    """The claim with these statuses, so many hours from now."""

    def see(hours: int = 0, **statuses: str) -> None:
        fact = ClaimFact(external_id="301", **statuses)
        end_statuses(practice.pk, [Sourced(fact, 1, as_of + dt.timedelta(hours=hours))])
        write(fact, minutes=60 * hours)

    return see


@pytest.fixture
def history(practice):
    def history(slot: str = "primary") -> list[tuple[str, bool, bool]]:
        found = statuses(practice.pk, list(Claim.objects.for_practice(practice)))
        return [(one.status, one.ended_at is None, one.since_backfill) for one in found if one.slot == slot]

    return history


def test_the_first_status_seen_may_be_older_than_we_know(see, history) -> None:
    see(primary_status="HOLD")
    assert history() == [("HOLD", True, True)]
    assert history("secondary") == []


def test_a_new_status_ends_the_one_before_at_the_instant_it_was_seen(practice, see, history, as_of) -> None:
    see(primary_status="HOLD")
    see(2, primary_status="BILLED")
    assert history() == [("HOLD", False, True), ("BILLED", True, False)]
    hold, billed = statuses(practice.pk, list(Claim.objects.for_practice(practice)))
    assert hold.ended_at == billed.first_seen == as_of + dt.timedelta(hours=2)


def test_seeing_the_same_status_again_adds_nothing(practice, see, history, as_of) -> None:
    see(primary_status="HOLD")
    see(1, primary_status="HOLD")
    see(3, primary_status="HOLD")
    assert history() == [("HOLD", True, True)]


def test_a_status_that_comes_back_is_a_row_of_its_own(see, history) -> None:
    for hours, status in enumerate(("HOLD", "DROP", "HOLD")):
        see(hours, primary_status=status)
    assert history() == [("HOLD", False, True), ("DROP", False, False), ("HOLD", True, False)]


def test_an_emptied_slot_ends_its_status_and_begins_none(see, history) -> None:
    see(primary_status="HOLD", secondary_status="BILLED")
    see(1, primary_status="HOLD", secondary_status="")
    assert history("secondary") == [("BILLED", False, True)]
    see(2, primary_status="HOLD", secondary_status="BILLED")
    assert history("secondary")[-1] == ("BILLED", True, False)


def test_each_slot_has_a_history_of_its_own(see, history) -> None:
    see(primary_status="BILLED", patient_status="CLOSED")
    see(1, primary_status="CLOSED", patient_status="COLLECT")
    assert history() == [("BILLED", False, True), ("CLOSED", True, False)]
    assert history("patient") == [("CLOSED", False, True), ("COLLECT", True, False)]


def test_a_claim_that_was_only_named_has_no_history_before_it_is_shown(see, history, write, practice) -> None:
    write(ClaimAppointment(external_id="301", appointment_id="500"))
    assert history() == []
    see(2, primary_status="HOLD")
    assert history() == [("HOLD", True, True)]


def test_a_status_that_first_appears_in_a_claim_we_know_is_dated(see, history) -> None:
    see(primary_status="HOLD")
    see(1, primary_status="HOLD", secondary_status="BILLED")
    assert history("secondary") == [("BILLED", True, False)]


def test_whichever_view_shows_the_claim_its_statuses_are_dated(see, history, write, practice, as_of) -> None:
    see(primary_status="HOLD")
    fact = ClaimOfAppointment(external_id="301", primary_status="BILLED", appointment_id="500")
    end_statuses(practice.pk, [Sourced(fact, 1, as_of + dt.timedelta(hours=1))])
    write(fact, minutes=60)
    assert history() == [("HOLD", False, True), ("BILLED", True, False)]


def test_a_batch_without_claims_asks_the_database_nothing(practice, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        end_statuses(practice.pk, [])
