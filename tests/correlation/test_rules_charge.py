"""Rules of documentation and charge (revenue-cycle.md §2.2), case by case."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from athena_dash.correlation.visit_facts import LineFacts
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
    line,
    note,
    seen,
    service,
)


def test_a_note_open_for_a_day_after_the_patient_left_is_the_providers() -> None:
    visit = a_visit(seen("3"), note("OPEN"))
    assert gaps(visit, at(MONDAY + DAY, 11)) == {}
    assert set(gaps(visit, at(MONDAY + DAY, 12))) == {"G11"}


def test_a_reopened_note_counts_from_its_reopening() -> None:
    visit = a_visit(seen("3"), note("OPEN", reopened_on=FRIDAY))
    assert "G11" not in gaps(visit, at(FRIDAY + DAY))
    assert "reopened Mar 6, 2026" in gaps(visit, at(FRIDAY + 3 * DAY, 20))["G11"].sentence


def test_a_note_in_review_waits_for_the_supervisor_not_the_provider() -> None:
    assert set(gaps(a_visit(seen("3"), note("REVIEW")), at(MONDAY + WEEK))) == {"G12"}


def test_signed_and_out_with_no_claim_after_a_day_is_a_missing_slip() -> None:
    visit = a_visit(seen("3"), note(), service())
    assert gaps(visit, at(MONDAY + DAY, 17)) == {}
    gap = gaps(visit, at(MONDAY + DAY, 18))["G13"]
    assert (gap.sentence, gap.owner) == ("Signed Mar 2, 2026, no charge entered", "charge entry")


def test_without_chosen_codes_the_missing_slip_is_the_providers() -> None:
    assert gaps(a_visit(seen("3"), note()), at(MONDAY + WEEK))["G13"].owner == "provider"


def test_a_surgery_centre_has_three_days_to_enter_charges() -> None:
    visit = a_visit(seen("3"), note(), place_of_service="24")
    assert gaps(visit, at(MONDAY + 2 * DAY)) == {}
    assert "G13" in gaps(visit, at(MONDAY + 3 * DAY, 18))


def test_a_department_without_clinicals_needs_no_note_for_its_slip_to_be_missing() -> None:
    assert "G13" in gaps(a_visit(seen("3"), clinicals=False), at(MONDAY + 2 * DAY))


def test_an_unsigned_note_is_not_also_a_missing_slip() -> None:
    assert "G13" not in gaps(a_visit(seen("3"), note("OPEN")), at(MONDAY + WEEK))


def test_charge_entry_not_required_silences_and_is_recorded() -> None:
    waived = seen("4", charge_entry_not_required=True, charge_entry_not_required_reason="MULTIRESOURCE")
    verdict = judged(a_visit(waived, note()), at(MONDAY + WEEK))
    assert verdict.gaps == ()
    assert verdict.suppressor == "charge entry not required: MULTIRESOURCE"


def test_waiving_a_visit_with_signed_billable_services_is_suspicious() -> None:
    waived = seen("4", charge_entry_not_required=True, charge_entry_not_required_reason="Other")
    assert set(gaps(a_visit(waived, note(), service()), at(MONDAY + WEEK))) == {"G18"}


def test_a_visit_type_the_practice_never_bills_is_silent() -> None:
    overrides = {"not_billable__visit_types": ["Office visit"]}
    verdict = judged(a_visit(seen("3"), note()), at(MONDAY + WEEK), **overrides)
    assert (verdict.gaps, verdict.suppressor) == ((), "visit type is not billable")


def test_charged_in_athena_without_a_claim_here_is_our_sync_first() -> None:
    """§0.2: status 4 and charge entry required means that a claim exists."""
    gap = gaps(a_visit(seen("4"), note()), at(MONDAY + DAY))["G14"]
    assert (gap.judgement.verdict, gap.owner) == ("suspect_sync", "integration")


def test_a_documented_vaccine_that_no_claim_bills_is_the_coders() -> None:
    visit = a_visit(seen("4"), note(), service(), service("90471"), claim(primary="BILLED"))
    assert gaps(visit, at(MONDAY + 4 * DAY))["G15"].sentence == "Documented but on no claim: 90471"


def test_a_service_ruled_not_billable_is_not_missed() -> None:
    visit = a_visit(seen("4"), note(), service(), service("90471", bill=False), claim(primary="BILLED"))
    assert "G15" not in gaps(visit, at(MONDAY + 4 * DAY))


def test_a_voided_claim_without_successor_is_a_gap_after_two_business_days() -> None:
    void = replace(claim(), lines=(line("180"), line("-180", posted_on=MONDAY + 3 * DAY)))
    visit = a_visit(seen("4"), note(), void)
    assert gaps(visit, at(MONDAY + 4 * DAY)) == {}
    assert set(gaps(visit, at(MONDAY + WEEK, 18))) == {"G22"}


def test_a_voided_claim_with_successor_is_not_a_gap() -> None:
    """§0.9: an edit in a closed period voids and recreates."""
    void = replace(claim(), lines=(line("180"), line("-180")))
    assert gaps(a_visit(seen("4"), note(), void, claim("41")), at(MONDAY + WEEK)) == {}


def test_a_duplicate_slip_whose_hand_keyed_claim_is_void_is_a_gap() -> None:
    void = replace(claim(), lines=(line("180"), line("-180")))
    slip = seen("4", charge_entry_not_required=True, charge_entry_not_required_reason="Duplicate Slip")
    empty = replace(slip, charge_entry_not_required_reason="No Services Performed")
    assert set(gaps(a_visit(slip, note(), void), at(MONDAY + WEEK))) == {"G22"}
    assert gaps(a_visit(empty, note(), void), at(MONDAY + WEEK)) == {}


def test_a_closed_claim_of_free_services_is_not_a_void() -> None:
    """§3.2: 99024 post-operative visits carry $0 by design."""
    free = replace(claim(), lines=(line("0", "99024"),))
    assert gaps(a_visit(seen("4"), note(), free), at(MONDAY + WEEK)) == {}


def test_signed_orders_marked_to_bill_without_a_claim_are_a_gap() -> None:
    orders = note(kind="ORDERSONLY")
    assert "G23" in gaps(a_visit(None, orders, service("36415")), at(MONDAY + 2 * DAY))
    assert gaps(a_visit(None, orders), at(MONDAY + 2 * DAY)) == {}
    assert gaps(a_visit(None, note(), service("36415")), at(MONDAY + 2 * DAY)) == {}


def test_a_charge_added_after_the_payer_answered_needs_a_corrected_claim() -> None:
    """§2.2 G21: posted more than 3 days after the service, the payer has adjudicated (needs frequency 7)."""
    answered = line(payments=Decimal(180), outstanding=Decimal(0))
    added = line("40", "90471", outstanding=Decimal(40), posted_on=MONDAY + 10 * DAY)
    visit = a_visit(seen("4"), note(), replace(claim(), lines=(answered, added)))
    gap = gaps(visit, at(MONDAY + 15 * DAY))["G21"]
    assert gap.estimate.dollars == 40
    assert gap.sentence.startswith("90471 posted Mar 12, 2026")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            line(outstanding=Decimal(180)),
            line("40", "90471", outstanding=Decimal(40), posted_on=FRIDAY + WEEK),
        ),
        (line(payments=Decimal(180)), line("40", "90471", outstanding=Decimal(40), posted_on=MONDAY + DAY)),
        (line(payments=Decimal(180)), line("180", outstanding=Decimal(180), posted_on=FRIDAY + WEEK)),
    ],
    ids=["not answered yet", "posted in time", "the same service again"],
)
def test_an_added_charge_that_is_not_late(first: LineFacts, second: LineFacts) -> None:
    visit = a_visit(seen("4"), note(), replace(claim(), lines=(first, second)))
    assert "G21" not in gaps(visit, at(MONDAY + 30 * DAY))


def test_the_same_service_on_two_live_claims_is_billed_twice() -> None:
    assert set(gaps(a_visit(seen("4"), note(), claim("40"), claim("41")), at(MONDAY + WEEK))) == {"G20"}
