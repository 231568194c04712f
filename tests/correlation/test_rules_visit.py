"""Rules of the schedule and of the visit (revenue-cycle.md §2.1), case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest

from athena_dash.correlation.visit_facts import VisitFacts
from tests.correlation.casebook import (
    DAY,
    FRIDAY,
    MONDAY,
    WEEK,
    a_visit,
    at,
    claim,
    gaps,
    judged,
    note,
    seen,
    service,
)


def test_an_appointment_of_today_may_still_be_checked_in() -> None:
    assert gaps(a_visit(seen("f")), at(MONDAY, 23)) == {}


def test_a_past_appointment_nobody_resolved_is_a_gap_from_the_next_midnight() -> None:
    gap = gaps(a_visit(seen("f")), at(MONDAY + DAY, 0))["G01"]
    assert gap.owner == "front desk"
    assert gap.sentence == "Booked for Mar 2, 2026, never checked in or cancelled"


def test_a_fridays_unresolved_appointment_waits_for_monday() -> None:
    visit = a_visit(seen("f"), service_date=FRIDAY)
    assert gaps(visit, at(FRIDAY + 2 * DAY)) == {}
    assert "G01" in gaps(visit, at(FRIDAY + 3 * DAY, 1))


@pytest.mark.parametrize(
    ("fields", "words"),
    [({}, "cancelled"), ({"no_show": True}, "no-show"), ({"rescheduled_to": "101"}, "rescheduled")],
)
def test_a_visit_that_did_not_happen_expects_nothing(fields: dict[str, object], words: str) -> None:
    verdict = judged(a_visit(seen("x", **fields)), at(MONDAY + WEEK))
    assert (verdict.gaps, verdict.suppressor) == ((), words)


def test_checked_in_four_hours_ago_and_neither_signed_nor_out_is_stuck() -> None:
    visit = a_visit(seen("2"), note("OPEN"))
    assert gaps(visit, at(MONDAY, 14)) == {}
    assert set(gaps(visit, at(MONDAY, 15))) == {"G03"}


def test_an_evening_patient_is_stuck_at_day_end_without_waiting_four_hours() -> None:
    late = seen("2", starts_at=at(MONDAY, 22), checked_in_at=at(MONDAY, 22))
    assert "G03" in gaps(a_visit(late, note("OPEN")), at(MONDAY + DAY, 0))


def test_a_no_show_is_charged_only_where_the_practice_has_a_fee() -> None:
    """§2.1 G02: cancelreasonnoshow, policy says fee, no patient charge in 3 days."""
    visit = a_visit(seen("x", no_show=True))
    assert gaps(visit, at(MONDAY + WEEK)) == {}
    assert gaps(visit, at(MONDAY + 3 * DAY), no_show_fee=25) == {}
    gap = gaps(visit, at(MONDAY + 4 * DAY, 1), no_show_fee=25)["G02"]
    assert (gap.owner, gap.estimate.dollars) == ("front desk", Decimal(25))


@pytest.mark.parametrize(
    "visit",
    [
        a_visit(seen("x")),
        a_visit(seen("x", no_show=True), claim()),
        a_visit(seen("x", no_show=True), payer_name="Meadow Medicaid"),
        a_visit(seen("x", no_show=True), insurance_type="Medicaid"),
    ],
    ids=["cancelled in time", "charged", "medicaid payer", "medicaid type"],
)
def test_no_fee_is_owed_for_these(visit: VisitFacts) -> None:
    """§2.1 G02: never to insurance; Medicaid and some contracts forbid."""
    assert gaps(visit, at(MONDAY + WEEK), no_show_fee=25) == {}


def test_a_patient_who_never_got_past_intake_has_left_unseen_after_a_day() -> None:
    """§2.1 G04: appt 2, encounter OPEN, no exam start, no services, more than 24 h; $0."""
    visit = a_visit(seen("2", encounter_status="READYFORSTAFF"), note("OPEN"))
    assert set(gaps(visit, at(MONDAY, 20))) == {"G03"}
    found = gaps(visit, at(MONDAY + DAY, 11))
    assert set(found) == {"G04"}
    assert (found["G04"].owner, found["G04"].estimate.dollars) == ("front desk", Decimal(0))


@pytest.mark.parametrize(
    "visit",
    [
        a_visit(seen("2", encounter_status="READYFORPROVIDER"), note("OPEN")),
        a_visit(seen("2", encounter_status="WITHSTAFF", exam_done_at=at(MONDAY)), note("OPEN")),
        a_visit(seen("2", encounter_status="WITHSTAFF"), note("OPEN"), service()),
    ],
    ids=["waits for the provider", "examined", "served"],
)
def test_whoever_was_attended_to_has_not_left_unseen(visit: VisitFacts) -> None:
    """§2.1 G03: the desk forgot the check-out."""
    assert set(gaps(visit, at(MONDAY + WEEK))) == {"G03"}


def test_signed_but_never_checked_out_is_the_desks_and_no_missing_slip() -> None:
    """§0.3: athena lets nobody make a claim in status 2."""
    found = gaps(a_visit(seen("2"), note()), at(MONDAY + DAY))
    assert set(found) == {"G05"}
    assert found["G05"].owner == "front desk"
