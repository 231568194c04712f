"""Claims without an appointment id: tied by patient, day, department and provider, or left to a person.

Precision before recall (revenue-cycle.md §7.1): what two visits could equally own is not guessed.
"""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.core import clock
from athena_dash.correlation.learning import METHOD
from athena_dash.correlation.models import Link, Weights
from athena_dash.correlation.offers import offers_for
from athena_dash.records.models import Claim
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_line,
    a_patient,
    a_service,
    an_appointment,
    an_encounter,
)

DAY = dt.timedelta(days=1)


def test_the_only_visit_of_that_patient_day_department_and_provider_owns_a_manual_claim(
    office: Office,
) -> None:
    office.receive(an_appointment("100"), a_claim("40"))
    assert office.where("claim", "40") == "appointment 100"
    assert office.link("claim", "40").method == "patient_day"


def test_same_day_twins_go_to_review_with_both_candidates(office: Office) -> None:
    office.receive(an_appointment("100"), an_appointment("101"), a_claim("40"))
    link = office.link("claim", "40")
    assert link.state == "review"
    assert {candidate["anchor_id"] for candidate in link.evidence["candidates"]} == {"100", "101"}


def test_documented_services_tell_twins_apart(office: Office) -> None:
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9"),
        a_service("s1", "9", "99213"),
        an_appointment("101", encounter_id="10"),
        an_encounter("10"),
        a_service("s2", "10", "90471"),
        a_claim("40", procedure_codes=["90471"]),
    )
    assert office.where("claim", "40") == "appointment 101"


def test_a_twin_that_has_its_own_claim_leaves_the_other_to_the_claim_without_id(office: Office) -> None:
    named = a_claim("41", appointment_id="100")
    office.receive(an_appointment("100"), an_appointment("101"), named, a_claim("40"))
    assert office.where("claim", "40") == "appointment 101"


def test_a_voided_claim_does_not_make_its_twin_taken(office: Office) -> None:
    void = a_claim("41", appointment_id="100", primary_status="CLOSED")
    office.receive(
        an_appointment("100"), an_appointment("101"), void, a_line("1", "41"), a_line("2", "41", "-180")
    )
    office.receive(a_claim("40"))
    assert office.where("claim", "40") == "review"


def test_a_claim_billed_by_the_supervisor_is_found(office: Office) -> None:
    """Incident-to: the billed provider legitimately differs from the seen one (§3.2)."""
    office.receive(
        an_appointment("100", supervising_provider_id="80"), a_claim("40", billed_provider_id="80")
    )
    assert office.where("claim", "40") == "appointment 100"


def test_a_date_that_slipped_by_the_time_zone_is_found(office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40", service_date=WEDNESDAY + DAY))
    assert office.where("claim", "40") == "appointment 100"
    assert office.link("claim", "40").method == "scored"


def test_a_claim_of_a_merged_patient_finds_the_survivors_visit(office: Office) -> None:
    office.receive(an_appointment("100", patient_id="8"), a_claim("40", patient_id="7"))
    assert office.where("claim", "40") == "unmatched"

    office.receive(a_patient("7", merged_into="8"), a_patient("8"))
    assert office.where("claim", "40") == "appointment 100"


def test_a_merge_taken_back_takes_the_claim_with_it(office: Office) -> None:
    office.receive(
        an_appointment("100", patient_id="8"), an_appointment("101", patient_id="7", date=WEDNESDAY - DAY)
    )
    office.receive(a_patient("7", merged_into="8"), a_patient("8"), a_claim("40", patient_id="7"))
    assert office.where("claim", "40") == "appointment 100"
    assert office.visit("101").patient_id == "8"

    office.receive(a_patient("7", merged_into="", unmerged_from="8"))
    assert office.where("claim", "40") == "appointment 101"
    assert office.visit("101").patient_id == "7"


def test_a_cancelled_visit_does_not_own_a_claim(office: Office) -> None:
    office.receive(an_appointment("100", status="x", no_show=True), a_claim("40"))
    assert office.where("claim", "40") == "unmatched"


def test_another_patients_visit_is_never_a_candidate(office: Office) -> None:
    office.receive(an_appointment("100", patient_id="8"), a_claim("40", patient_id="7"))
    assert office.link("claim", "40").evidence == {"candidates": []}


def test_a_claim_moves_when_a_better_visit_arrives_later(office: Office) -> None:
    office.receive(an_appointment("99", date=WEDNESDAY - DAY), a_claim("40"))
    assert office.where("claim", "40") == "appointment 99"

    office.receive(an_appointment("100"))
    assert office.where("claim", "40") == "appointment 100"


def test_a_claim_without_patient_or_date_stays_visible_as_unmatched(office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40", service_date=None), a_claim("41", patient_id=""))
    assert office.where("claim", "40") == "unmatched"
    assert Link.objects.get(record_id="41").state == "unmatched"


def test_an_encounter_whose_id_is_missing_joins_the_only_visit_without_one(office: Office) -> None:
    office.receive(an_encounter("9"))
    assert office.where("encounter", "9") == "encounter 9"

    office.receive(an_appointment("100"))
    assert office.where("encounter", "9") == "appointment 100"


def test_a_visit_athena_calls_charged_is_waiting_for_the_claim(office: Office) -> None:
    """Status 4 means that a claim exists (§0.2), so even another provider's may be it."""
    office.receive(an_appointment("100", status="4"), a_claim("40", billed_provider_id="90"))
    assert office.where("claim", "40") == "appointment 100"


def test_a_claim_of_other_services_than_the_visit_documents_goes_to_a_person(office: Office) -> None:
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9"),
        a_service("s1", "9", "99213"),
        a_claim("40", procedure_codes=["99232"]),
    )
    assert office.where("claim", "40") == "review"


def test_a_link_without_an_id_says_what_each_fact_counted_and_what_else_was_near(office: Office) -> None:
    office.receive(
        an_appointment("100", status="4"),
        an_appointment("101", date=WEDNESDAY + 2 * DAY, provider_id="72", status="x"),
        a_claim("40", department_id=""),
    )
    link = office.link("claim", "40")
    assert link.evidence["points"] == {"date": 4, "provider": 3, "awaited": 1.5}
    shown = [(candidate["anchor_id"], candidate["points"]) for candidate in link.evidence["candidates"]]
    assert shown == [("100", 8.5), ("101", -7.5)]


@pytest.mark.parametrize(("said", "weight"), [(["J06.9"], 0.2), (["J06.9", "I10"], 2.0), (["M54.5"], -0.5)])
def test_diagnoses_tell_the_same_from_some_of_the_visits(
    office: Office, said: list[str], weight: float
) -> None:
    weigh(office, diagnoses_agree="2.0", diagnoses_within="0.2")
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9", diagnosis_codes=["I10", "J06.9"]),
        a_claim("40", diagnosis_codes=said),
    )
    assert office.link("claim", "40").evidence["points"]["diagnoses"] == weight


@pytest.mark.parametrize(
    ("billed", "points"),
    [
        (["99213", "81002"], 2.5),
        (["81002"], 2.5),
        (["99213", "90471"], 1.25),
        (["99215"], -1.0),
        (["90471"], -4.0),
    ],
)
def test_the_points_of_services_follow_how_much_of_the_claim_the_visit_documents(
    office: Office, billed: list[str], points: float
) -> None:
    """All of it and no more, all of it and more, some, a visit of another level, none."""
    office.receive(
        an_appointment("100", encounter_id="9", status="4"),
        an_encounter("9"),
        a_service("s1", "9", "99213"),
        a_service("s2", "9", "81002"),
        a_claim("40", procedure_codes=billed),
    )
    offers = offers_for(office.link("claim", "40"), Claim.objects.get(external_id="40"))[1]
    assert offers[0].facts["procedures"] == points


def test_a_claim_dated_by_utc_is_told_from_one_that_slipped(office: Office) -> None:
    """An evening visit's UTC day is tomorrow's; the practice's own weights may trust that (learning)."""
    weigh(office, utc_day="4.0", one_day="-1.0")
    evening = dt.datetime.combine(WEDNESDAY + DAY, dt.time(1, 30), dt.UTC)
    office.receive(
        an_appointment("100", starts_at=evening),
        an_appointment("101", provider_id="72"),
        a_claim("40", service_date=WEDNESDAY + DAY),
    )
    assert office.where("claim", "40") == "appointment 100"
    assert office.link("claim", "40").evidence["points"]["date"] == 4.0


def test_a_patients_day_is_shared_out(office: Office) -> None:
    """One claim surely belongs to the first of two twins; that leaves the second to the claim that fits both."""
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9"),
        a_service("s1", "9", "99213"),
        an_appointment("101"),
        a_claim("40", procedure_codes=["99213"]),
        a_claim("41", procedure_codes=[]),
    )
    assert office.where("claim", "40") == "appointment 100"
    assert office.where("claim", "41") == "appointment 101"


def test_two_claims_that_fit_one_visit_alike_speak_against_each_other_in_any_order(office: Office) -> None:
    """Each alone would have been tied there; the visit is as good as taken for either, and the points say so."""
    office.receive(an_appointment("100"), a_claim("40"), a_claim("41"))
    first, second = office.link("claim", "40"), office.link("claim", "41")
    assert (first.state, second.state) == ("linked", "linked")
    assert first.evidence["points"]["shared"] == second.evidence["points"]["shared"] < -2
    assert first.score < 0.99
    office.receive(an_appointment("102", patient_id="8"), a_claim("42", patient_id="8"))
    assert "shared" not in office.link("claim", "42").evidence["points"]


def test_the_second_bill_of_a_visit_is_not_forced_upon_its_twin(office: Office) -> None:
    """Both say what the first visit documents and the twin does not: one of them is a copy."""
    weigh(office, none="0", taken="-9", other_department="-9", diagnoses_differ="-3")
    office.receive(
        *(an_appointment("100", encounter_id="9"), an_encounter("9", diagnosis_codes=["J06.9"])),
        *(
            an_appointment("101", encounter_id="10", department_id="2"),
            an_encounter("10", diagnosis_codes=["M54.5"]),
        ),
        a_claim("40", department_id="", diagnosis_codes=["J06.9"]),
        a_claim("41", diagnosis_codes=["J06.9"]),
    )
    assert office.where("claim", "41") == "appointment 100"
    assert office.where("claim", "40") == "review"


@pytest.fixture
def one_visit(office: Office) -> Office:
    """Of two services."""
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9"),
        a_service("s1", "9", "99213"),
        a_service("s2", "9", "90471"),
    )
    return office


def test_a_claim_that_bills_the_rest_of_a_visit_is_not_put_off_by_the_other_half(one_visit: Office) -> None:
    """And that it is within what the visit documents is not counted again."""
    one_visit.receive(
        a_claim("41", appointment_id="100", procedure_codes=["99213"]),
        a_claim("40", procedure_codes=["90471"], department_id=""),
    )
    assert one_visit.where("claim", "40") == "appointment 100"
    assert one_visit.link("claim", "40").evidence["points"] == {"date": 4.0, "provider": 3.0, "taken": 1.5}


def test_a_claim_is_not_tied_where_visits_that_did_not_arrive_are_as_likely(office: Office) -> None:
    """Its points are 8.5; belonging to a visit that is not here weighs as much, however unlike a stray it looks."""
    weigh(office, none="-9", absent="8.5", look="-2.9")
    office.receive(an_appointment("100"), a_claim("40"))
    assert office.where("claim", "40") == "review"
    assert office.link("claim", "40").score == pytest.approx(0.5, abs=0.01)


def test_two_halves_of_one_bill_speak_for_each_other_though_neither_has_an_id(one_visit: Office) -> None:
    one_visit.receive(a_claim("40", procedure_codes=["90471"]), a_claim("41", procedure_codes=["99213"]))
    for claim in ("40", "41"):
        assert one_visit.where("claim", claim) == "appointment 100"
        assert one_visit.link("claim", claim).evidence["points"].get("shared", 0) > -1.5


def test_two_bills_of_the_same_services_speak_against_each_other(one_visit: Office) -> None:
    for claim in ("40", "41"):
        one_visit.receive(a_claim(claim, procedure_codes=["99213"]))
    assert one_visit.link("claim", "40").evidence["points"]["shared"] < -2


def test_a_visit_billed_by_another_claim_takes_one_of_other_services_rather_than_of_its_kind(
    office: Office,
) -> None:
    """What the visit documents is not known; a vaccination beside an office visit is more likely than two visits."""
    office.receive(an_appointment("100"), a_claim("41", appointment_id="100", procedure_codes=["99213"]))
    office.receive(a_claim("40", procedure_codes=["90471"]), a_claim("42", procedure_codes=["99214"]))
    facts = {
        claim: offers_for(office.link("claim", claim), Claim.objects.get(external_id=claim))[1][0].facts
        for claim in ("40", "42")
    }
    assert (facts["40"]["taken"], facts["42"]["taken"]) == (-1.0, -3.0)


def weigh(office: Office, **points: str) -> None:
    """The practice has weights of its own."""
    counts = {"known": 0, "pairs": 0, "others": 0, "method": METHOD}
    Weights.objects.create(
        practice_id=office.id, version=1, learnt_at=clock.now(), points=points, active=True, **counts
    )
