"""Rules of claim, submission and money (revenue-cycle.md §2.3, §2.4), case by case."""

from __future__ import annotations

from tests.correlation.casebook import (
    DAY,
    MONDAY,
    WEEK,
    a_visit,
    at,
    claim,
    gaps,
    note,
    seen,
    service,
)


def test_a_hold_is_worked_within_two_days_and_a_managers_within_six() -> None:
    """§0.6."""
    since = at(MONDAY + DAY)
    hold, manager = claim(primary="HOLD", since=since), claim(primary="MGRHOLD", since=since)
    assert gaps(a_visit(seen("4"), note(), hold), at(MONDAY + 2 * DAY)) == {}
    assert "G24" in gaps(a_visit(seen("4"), note(), hold), at(MONDAY + 3 * DAY))
    assert "G24" not in gaps(a_visit(seen("4"), note(), manager), at(MONDAY + WEEK))
    assert gaps(a_visit(seen("4"), note(), manager), at(MONDAY + 9 * DAY))["G24"].owner == "billing manager"


def test_athenas_own_hold_is_given_ten_business_days() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="ATHENAHOLD", since=at(MONDAY)))
    assert gaps(visit, at(MONDAY + 13 * DAY)) == {}
    assert set(gaps(visit, at(MONDAY + 14 * DAY))) == {"G25"}


def test_a_clean_claim_that_is_not_sent_in_two_days_is_a_gap() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="DROP", since=at(MONDAY)))
    assert set(gaps(visit, at(MONDAY + 2 * DAY))) == {"G26"}


def test_three_weeks_without_an_answer_is_the_payers() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="BILLED", since=at(MONDAY)))
    assert gaps(visit, at(MONDAY + 20 * DAY)) == {}
    assert set(gaps(visit, at(MONDAY + 21 * DAY))) == {"G29"}


def test_athenas_own_alarm_needs_no_grace() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="FOLLOWUP", since=at(MONDAY)))
    assert "G29" in gaps(visit, at(MONDAY))


def test_a_second_payer_found_waiting_is_given_the_first_ones_time() -> None:
    """athena dates no status: what was there when we first looked began at the earliest a round later (§3.2)."""
    visit = a_visit(seen("4"), note(), claim(primary="CLOSED", secondary="BILLED"))
    assert gaps(visit, at(MONDAY + 40 * DAY)) == {}
    assert "G29" in gaps(visit, at(MONDAY + 60 * DAY))


def test_an_unknown_status_word_is_no_gap_and_no_crash() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="WAITPAY"))
    assert gaps(visit, at(MONDAY + 60 * DAY)) == {}


def test_the_filing_limit_leads_a_visit_without_any_claim_too() -> None:
    """§2.3 G31, §3.1: unknown payers are given 90 days, assumed."""
    visit = a_visit(seen("3"), note(), service())
    assert "G31" not in gaps(visit, at(MONDAY + 59 * DAY))
    gap = gaps(visit, at(MONDAY + 63 * DAY))["G31"]
    assert not gap.primary
    assert gap.filing_limit == MONDAY + 90 * DAY


def test_the_filing_limit_is_of_no_concern_once_the_claim_was_filed() -> None:
    """§2.3 G31: any unfiled visit or claim; BILLED has been filed, and its silence has another clock."""
    late = at(MONDAY + 100 * DAY)
    assert gaps(a_visit(seen("4"), note(), claim(primary="BILLED")), late)["G29"].filing_limit is None
    held = gaps(a_visit(seen("4"), note(), claim(primary="HOLD")), late)["G24"]
    assert held.filing_limit == MONDAY + 90 * DAY
    denied = a_visit(seen("4"), note(), claim(primary="HOLD", notes=("HOLD", "BILLED", "HOLD")))
    assert gaps(denied, late)["G24"].filing_limit is None


def test_a_self_paying_patient_has_no_filing_limit() -> None:
    visit = a_visit(seen("3"), note(), service(), payer_name="Self-pay")
    assert set(gaps(visit, at(MONDAY + 80 * DAY))) == {"G13"}


def test_a_credit_is_a_gap_after_thirty_business_days() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="OVERPAID", since=at(MONDAY)))
    assert gaps(visit, at(MONDAY + 40 * DAY)) == {}
    assert set(gaps(visit, at(MONDAY + 42 * DAY))) == {"G41"}
