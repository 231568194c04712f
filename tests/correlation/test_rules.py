"""The rule book, case by case. Each sentence's source is the paragraph of revenue-cycle.md it names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.unconnected import UNCONNECTED
from athena_dash.correlation.visit_facts import LineFacts, VisitFacts
from athena_dash.practices.policies import RULE_DEFAULTS
from tests.correlation.casebook import (
    DAY,
    MONDAY,
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

FRIDAY = MONDAY + 4 * DAY
WEEK = 7 * DAY


def test_every_rule_ships_its_numbers_and_names_its_source() -> None:
    assert {rule.code for rule in RULES} <= set(RULE_DEFAULTS)
    assert all(rule.source.startswith("revenue-cycle.md §") for rule in RULES)


# §2.1 Schedule and visit


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


# §2.2 Documentation and charge


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


# §2.3 Claim and submission, §2.4 Money


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


def test_rules_without_their_data_are_off_and_say_what_they_wait_for() -> None:
    """§9: 277CA and 835 are not in the REST surface; ship off until a source is configured."""
    assert {rule.code for rule in UNCONNECTED}.isdisjoint(rule.code for rule in RULES)
    assert all(rule.waits_for and rule.source.startswith("revenue-cycle.md §2") for rule in UNCONNECTED)


def test_a_self_paying_patient_has_no_filing_limit() -> None:
    visit = a_visit(seen("3"), note(), service(), payer_name="Self-pay")
    assert set(gaps(visit, at(MONDAY + 80 * DAY))) == {"G13"}


def test_a_credit_is_a_gap_after_thirty_business_days() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="OVERPAID", since=at(MONDAY)))
    assert gaps(visit, at(MONDAY + 40 * DAY)) == {}
    assert set(gaps(visit, at(MONDAY + 42 * DAY))) == {"G41"}


def test_the_same_service_on_two_live_claims_is_billed_twice() -> None:
    assert set(gaps(a_visit(seen("4"), note(), claim("40"), claim("41")), at(MONDAY + WEEK))) == {"G20"}


# §2.0 The whole book


def test_a_finished_visit_has_no_gap_and_nothing_to_reconsider() -> None:
    verdict = judged(a_visit(seen("4"), note(), service(), claim()), at(MONDAY + 400 * DAY))
    assert (verdict.gaps, verdict.reconsider_at, verdict.track) == ((), None, "DDDDDDDD")


def test_the_earliest_broken_link_is_primary_and_only_it() -> None:
    visit = a_visit(seen("3"), note("OPEN"), claim(primary="HOLD"))
    found = gaps(visit, at(MONDAY + WEEK))
    assert {code: gap.primary for code, gap in found.items()} == {"G11": True, "G24": False}


HALFWAY: dict[str, VisitFacts] = {
    "G01": a_visit(seen("f")),
    "G03": a_visit(seen("2"), note("OPEN")),
    "G05": a_visit(seen("2"), note()),
    "G11": a_visit(seen("3"), note("OPEN")),
    "G13": a_visit(seen("3"), note()),
    "G14": a_visit(seen("4"), note()),
    "G24": a_visit(seen("4"), note(), claim(primary="HOLD", since=at(MONDAY))),
    "G29": a_visit(seen("4"), note(), claim(primary="BILLED", since=at(MONDAY))),
}


@pytest.mark.parametrize("code", HALFWAY)
def test_time_alone_changes_the_answer_exactly_when_the_rule_said_it_could(code: str) -> None:
    visit = HALFWAY[code]
    before = judged(visit, at(MONDAY, 11))
    assert before.reconsider_at is not None
    while code not in {gap.code for gap in before.gaps}:
        assert before.reconsider_at is not None
        moment = before.reconsider_at
        early = judged(visit, moment - DAY / 86_400)
        assert {gap.code for gap in early.gaps} == {gap.code for gap in before.gaps}
        before = judged(visit, moment)


def test_a_practice_may_change_a_grace() -> None:
    visit = a_visit(seen("3"), note())
    assert "G13" not in gaps(visit, at(MONDAY + 2 * DAY), grace_hours__G13=72)


def test_a_day_the_practice_is_closed_is_no_business_day() -> None:
    visit = a_visit(seen("3"), note())
    assert "G13" not in gaps(visit, at(MONDAY + DAY, 20), closed_days=["2026-03-03"])


# §2.0 Dollars


def test_dollars_come_from_the_best_estimator_there_is() -> None:
    late = at(MONDAY + WEEK)
    by_services = gaps(a_visit(seen("3"), note(), service(), service("90471")), late)["G13"].estimate
    by_visit = gaps(a_visit(seen("3"), note(), service("11042")), late)["G13"].estimate
    other_provider = gaps(a_visit(seen("3"), note(), provider_id="99"), late)["G13"].estimate
    by_charges = gaps(a_visit(seen("4"), note(), claim(primary="HOLD")), late)["G24"].estimate
    owed = replace(claim(primary="HOLD"), lines=(line(outstanding=Decimal("61.20")),))
    by_balance = gaps(a_visit(seen("4"), note(), owed), late)["G24"].estimate
    assert (by_services.dollars, by_services.estimator) == (Decimal("109.50"), "E3")
    assert (by_visit.dollars, by_visit.estimator) == (Decimal("110.00"), "E4")
    assert (other_provider.dollars, other_provider.estimator) == (Decimal("100.00"), "E4")
    assert (by_charges.dollars, by_charges.estimator) == (Decimal("90.00"), "E2")
    assert (by_balance.dollars, by_balance.estimator) == (Decimal("61.20"), "E1")


def test_an_appointment_that_may_not_have_happened_is_worth_its_chance() -> None:
    assert gaps(a_visit(seen("f")), at(MONDAY + WEEK), show_rate=0.5)["G01"].estimate.dollars == Decimal(
        "55.00"
    )
