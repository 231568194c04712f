"""Not billed or not synced? The discriminators of revenue-cycle.md §2.0."""

from __future__ import annotations

from athena_dash.correlation.verdict import Evidence
from athena_dash.correlation.visit_facts import Neighbours, VisitFacts
from tests.correlation.casebook import DAY, MONDAY, a_visit, at, claim, gaps, judged, note, seen, service

LATE = at(MONDAY + 7 * DAY)
MISSING_SLIP = a_visit(seen("3"), note())


def verdict(visit: VisitFacts = MISSING_SLIP, evidence: Evidence | None = None) -> tuple[str, str]:
    judgement = gaps(visit, LATE, evidence)["G13"].judgement
    return judgement.verdict, judgement.says[0]["signal"]


def test_with_nothing_known_a_gap_is_unverified() -> None:
    assert verdict() == ("unverified", "")


def test_d1_a_claim_of_this_appointment_stuck_on_our_side_means_not_synced() -> None:
    evidence = Evidence(by_appointment=frozenset({("claim", "100")}))
    assert verdict(evidence=evidence) == ("not_synced", "D1")
    assert judged(MISSING_SLIP, LATE, evidence).track == "DDDDF---"


def test_d1_a_claim_of_this_patient_stuck_on_our_side_means_not_synced() -> None:
    assert verdict(evidence=Evidence(by_patient=frozenset({("claim", "7")}))) == ("not_synced", "D1")


def test_d1_another_kind_of_record_failing_says_nothing_about_the_claim() -> None:
    evidence = Evidence(
        by_appointment=frozenset({("insurance", "100")}), by_patient=frozenset({("claim", "8")})
    )
    assert verdict(evidence=evidence) == ("unverified", "")


def test_d7_an_encounter_that_arrived_with_an_unknown_code_is_a_mapping_matter() -> None:
    key = frozenset({("encounter", "9")})
    visit = a_visit(seen("3"), note("OPEN"))
    judgement = gaps(visit, LATE, Evidence(open_failures=key, unmapped=key))["G11"].judgement
    assert (judgement.verdict, judgement.says[0]["signal"]) == ("not_synced", "D7")


def test_d4_a_live_read_that_found_none_means_not_billed() -> None:
    assert verdict(evidence=Evidence(asked={("claim", MISSING_SLIP.id): LATE})) == ("not_billed", "D4")


def test_d4_a_count_of_all_claims_since_speaks_for_a_visit_without_one_and_for_no_other() -> None:
    evidence = Evidence(counted={"claim": (MONDAY, LATE)})
    told = gaps(MISSING_SLIP, LATE, evidence)["G13"].judgement
    assert (told.verdict, told.says[0]["signal"], told.asked_at) == ("not_billed", "D4", LATE)
    assert verdict(evidence=Evidence(counted={"claim": (MONDAY + DAY, LATE)})) == ("unverified", "")


def test_d9_a_state_of_the_appointment_itself_is_read_and_not_missed_unless_a_whole_day_shows_it() -> None:
    visit = a_visit(seen("2"), note())
    told = gaps(visit, LATE)["G05"].judgement
    assert (told.verdict, told.says[0]["signal"]) == ("not_billed", "D9")
    assert visit.service_date
    cohort = {("appointments", visit.department_id, "", visit.service_date): "9 of 10 visits"}
    assert gaps(visit, LATE, Evidence(cohorts=cohort))["G05"].judgement.verdict == "suspect_sync"


def test_d1_what_names_the_patient_only_is_not_blamed_on_a_visit_that_has_its_record() -> None:
    evidence = Evidence(by_patient=frozenset({("appointment", "7")}))
    assert gaps(a_visit(seen("2"), note()), LATE, evidence)["G05"].judgement.verdict == "not_billed"


def test_d9_the_lines_of_a_claim_that_is_here_say_which_service_it_lacks() -> None:
    visit = a_visit(seen("4"), note(), service(), service("90471"), claim(primary="BILLED"))
    judgement = gaps(visit, LATE)["G15"].judgement
    assert (judgement.verdict, judgement.says[0]["signal"]) == ("not_billed", "D9")


def test_d9_a_state_that_athena_itself_shows_is_not_a_matter_of_sync() -> None:
    judgement = gaps(a_visit(seen("3"), note("OPEN")), LATE)["G11"].judgement
    assert (judgement.verdict, judgement.says[0]["signal"]) == ("not_billed", "D9")


def test_d8_when_the_visits_around_have_claims_this_one_was_not_billed() -> None:
    assert verdict(a_visit(seen("3"), note(), neighbours=Neighbours(visits=6, charged=5))) == (
        "not_billed",
        "D8",
    )
    assert verdict(a_visit(seen("3"), note(), neighbours=Neighbours(visits=6, charged=1))) == (
        "unverified",
        "",
    )


def test_d10_a_claim_whose_link_is_in_review_makes_the_sync_suspect() -> None:
    assert verdict(a_visit(seen("3"), note(), possible_claims=("40",))) == ("suspect_sync", "D10")


def test_d1_outranks_everything_else() -> None:
    visit = a_visit(seen("3"), note(), possible_claims=("40",), neighbours=Neighbours(visits=6, charged=5))
    assert verdict(visit, Evidence(by_appointment=frozenset({("claim", "100")}))) == ("not_synced", "D1")
