"""Records that name one another are tied by id, whatever the order (athena-api.md §4)."""

from __future__ import annotations

import datetime as dt

from athena_dash.correlation.models import Gap, Link, Visit
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_line,
    a_patient,
    a_result,
    an_appointment,
    an_encounter,
)


def test_one_visit_holds_the_appointment_its_encounter_its_claim_and_its_results(office: Office) -> None:
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9", appointment_id="100"),
        a_claim("40", appointment_id="100"),
        a_result("r1", encounter_id="9"),
    )
    assert {office.where(*record) for record in LINKED} == {"appointment 100"}
    assert Visit.objects.count() == 1


LINKED = (("encounter", "9"), ("claim", "40"), ("clinical", "r1"))


def test_an_open_slot_is_not_a_visit(office: Office) -> None:
    office.receive(an_appointment("100", status="o", patient_id=""))
    assert Visit.objects.count() == 0


def test_an_encounter_that_names_an_unknown_appointment_waits_for_it(office: Office) -> None:
    office.receive(an_appointment("99"), an_encounter("9", appointment_id="100"))
    assert office.where("encounter", "9") == "pending"

    office.receive(an_appointment("100"))
    assert office.where("encounter", "9") == "appointment 100"


def test_a_claim_that_names_an_unknown_appointment_waits_for_it_and_is_never_guessed(office: Office) -> None:
    office.receive(an_appointment("99"), a_claim("40", appointment_id="100"))
    assert office.where("claim", "40") == "pending"
    assert office.link("claim", "40").evidence == {"appointment_id": "100"}

    office.receive(an_appointment("100"))
    assert office.where("claim", "40") == "appointment 100"


def test_results_that_come_before_their_encounter_follow_it_when_it_comes(office: Office) -> None:
    office.receive(a_result("r1", encounter_id="9"))
    assert office.where("clinical", "r1") == "pending"

    office.receive(an_appointment("100", encounter_id="9"), an_encounter("9"))
    assert office.where("clinical", "r1") == "appointment 100"


def test_a_result_without_an_encounter_is_never_guessed_into_one(office: Office) -> None:
    office.receive(an_appointment("100", encounter_id="9"), an_encounter("9"), a_result("r1"))
    assert office.where("clinical", "r1") == "unmatched"


def test_an_orders_only_encounter_is_a_visit_of_its_own(office: Office) -> None:
    office.receive(an_encounter("9", kind="ORDERSONLY"))
    assert office.where("encounter", "9") == "encounter 9"


def test_an_inpatient_stay_known_only_to_fhir_is_a_visit_of_its_own(office: Office) -> None:
    started = dt.datetime(2026, 3, 5, 2, tzinfo=dt.UTC)  # still the 4th in New York
    office.receive(an_encounter("stay-8", kind="", status="", date=None, started_at=started))
    assert office.visit("stay-8").service_date == WEDNESDAY
    assert office.visit("stay-8").suppressor == "an inpatient stay, billed by the hospital"


def test_an_encounter_seen_only_by_fhir_waits_until_the_chart_says_whose_it_is(office: Office) -> None:
    office.receive(an_encounter("9", kind="", status=""))
    assert office.where("encounter", "9") == "pending"

    office.receive(an_appointment("100"), an_encounter("9", appointment_id="100"))
    assert office.where("encounter", "9") == "appointment 100"


def test_a_late_appointment_takes_over_the_visit_its_encounter_had(office: Office) -> None:
    office.receive(an_encounter("9", kind="ORDERSONLY"))
    before = office.visit("9").pk

    office.receive(an_appointment("100", encounter_id="9"))
    assert office.visit("100").pk == before
    assert Visit.objects.count() == 1


def test_two_visits_that_turn_out_to_be_one_keep_gaps_and_links_of_both(office: Office) -> None:
    office.receive(
        an_appointment("100"), an_encounter("9", kind="ORDERSONLY"), a_result("r1", encounter_id="9")
    )
    lone = office.visit("9")
    Gap.objects.create(
        practice_id=office.id, visit=lone, code="G99", owner="coder", sentence="kept", verdict="unverified",
        since=lone.judged_at, opened_at=lone.judged_at,
    )  # fmt: skip
    office.receive(an_appointment("100", encounter_id="9"))
    assert Visit.objects.count() == 1
    assert office.where("clinical", "r1") == "appointment 100"
    assert Gap.objects.get(code="G99").visit == office.visit("100")


def test_a_rescheduled_appointment_leaves_a_visit_that_expects_nothing(office: Office) -> None:
    office.receive(an_appointment("100", status="x", rescheduled_to="101"), an_appointment("101"))
    assert office.visit("100").suppressor == "rescheduled"
    assert office.gaps("100") == {}


def test_a_voided_and_recreated_claim_is_two_claims_of_one_visit_and_counts_once(office: Office) -> None:
    void = a_claim("40", appointment_id="100", primary_status="CLOSED")
    office.receive(
        an_appointment("100", status="4"),
        void,
        a_line("1", "40", "180"),
        a_line("2", "40", "-180"),
        a_claim("41", appointment_id="100"),
        a_line("3", "41", "200"),
    )
    assert office.where("claim", "40") == office.where("claim", "41") == "appointment 100"
    assert office.visit("100").charges == 200
    assert "G22" not in office.gaps("100")


def test_late_charges_add_to_the_visit(office: Office) -> None:
    office.receive(an_appointment("100", status="4"), a_claim("40", appointment_id="100"), a_line("1", "40"))
    office.receive(a_line("2", "40", "20.50"))
    assert str(office.visit("100").charges) == "200.50"


def test_both_slots_of_a_multi_resource_visit_keep_their_own_place(office: Office) -> None:
    extra = an_appointment(
        "101",
        provider_id="72",
        charge_entry_not_required=True,
        charge_entry_not_required_reason="MULTIRESOURCE",
        status="4",
    )
    office.receive(
        an_appointment("100", encounter_id="9", status="4"), extra, an_encounter("9"), a_claim("40")
    )
    assert office.where("claim", "40") == "appointment 100"
    assert office.gaps("101") == {}
    assert office.visit("101").suppressor == "charge entry not required: MULTIRESOURCE"


def test_a_merged_patients_visits_show_the_survivor(office: Office) -> None:
    office.receive(an_appointment("100", patient_id="7"))
    office.receive(a_patient("7", merged_into="8"), a_patient("8", merged_into="9"), a_patient("9"))
    assert office.visit("100").patient_id == "9"


def test_cover_that_comes_later_shows_on_every_visit_of_a_patient_who_was_registered_twice(
    office: Office,
) -> None:
    orders = an_encounter("9200", kind="ORDERSONLY", patient_id="7")
    office.receive(an_appointment("100", patient_id="7"), an_appointment("101", patient_id="8"), orders)
    office.receive(a_patient("7", merged_into="8"), a_patient("8"))
    office.receive(
        ("insurance", {"external_id": "500", "patient_id": "8", "payer_name": "Meadow Health Plan"})
    )
    assert set(Visit.objects.values_list("anchor_id", "payer_name")) == {
        ("100", "Meadow Health Plan"),
        ("101", "Meadow Health Plan"),
        ("9200", "Meadow Health Plan"),
    }


def test_a_persons_decision_outranks_ids_and_survives_every_later_run(office: Office) -> None:
    office.receive(an_appointment("100"), an_appointment("101"), a_claim("40", appointment_id="100"))
    Link.objects.filter(kind="claim").update(visit=office.visit("101"), method="manual")

    office.receive(
        a_claim("40", appointment_id="100", primary_status="CLOSED"), an_appointment("100", minutes=20)
    )
    assert office.where("claim", "40") == "appointment 101"
