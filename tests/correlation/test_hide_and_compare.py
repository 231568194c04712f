"""The links' quality on a practice's own data: ids are hidden, the rules asked, and everything is put back."""

from __future__ import annotations

import pytest
from django.db import transaction

from athena_dash.correlation.hide_and_compare import (
    Compared,
    Hidden,
    ask_again,
    decided,
    hide_and_compare,
    sample,
)
from athena_dash.correlation.models import Link
from athena_dash.records.models import Appointment, Claim, Encounter
from tests.correlation.office import Office, a_claim, a_service, an_appointment, an_encounter

CLAIM, ENCOUNTER = Link.Kind.CLAIM, Link.Kind.ENCOUNTER


def compared(office: Office, kind: Link.Kind) -> dict[str, Compared]:
    hidden = sample(office.id, kind, 100, seed="one")
    with transaction.atomic():
        return {one.hidden.record_id: one for one in hide_and_compare(office.id, kind, hidden)}


@pytest.mark.parametrize("kind", [CLAIM, ENCOUNTER])
def test_a_record_whose_id_is_hidden_is_found_by_what_else_it_says(office: Office, kind: Link.Kind) -> None:
    office.receive(
        an_appointment("100", encounter_id="9"), an_encounter("9"), a_claim("40", appointment_id="100")
    )
    (one,) = compared(office, kind).values()
    assert one.right
    assert one.method in {"patient_day", "scored"}


def test_same_day_twins_are_left_alone_and_count_as_neither_right_nor_wrong(office: Office) -> None:
    office.receive(
        an_appointment("100"),
        an_appointment("101"),
        a_claim("40", appointment_id="100"),
        a_claim("41", appointment_id="101"),
    )
    found = compared(office, CLAIM)
    assert {one.state for one in found.values()} == {"review"}
    assert not any(one.linked for one in found.values())


def test_a_misleading_record_is_counted_as_wrong(office: Office) -> None:
    """The claim of one twin bills exactly what the other one documents."""
    office.receive(
        *(an_appointment("100", encounter_id="9"), an_encounter("9", appointment_id="100")),
        *(an_appointment("101", encounter_id="10"), an_encounter("10", appointment_id="101")),
        *(a_service("s1", "9", "99213"), a_service("s2", "10", "90471")),
        a_claim("40", appointment_id="100", procedure_codes=["90471"]),
    )
    one = compared(office, CLAIM)["40"]
    assert one.linked
    assert not one.right


def test_nothing_real_moves(office: Office) -> None:
    office.receive(
        *(an_appointment("100", encounter_id="9"), an_encounter("9", appointment_id="100")),
        *(an_appointment("101"), a_claim("40", appointment_id="100")),
    )
    before = office.picture()
    compared(office, CLAIM)
    compared(office, ENCOUNTER)
    assert office.picture() == before
    assert Claim.objects.get(external_id="40").appointment_id == "100"
    assert Encounter.objects.get(external_id="9").appointment_id == "100"
    assert Appointment.objects.get(external_id="100").encounter_id == "9"


def test_a_sample_goes_on_where_it_was_left_and_repeats_for_the_same_seed(office: Office) -> None:
    office.receive(
        an_appointment("100"), *(a_claim(str(number), appointment_id="100") for number in range(40, 50))
    )
    whole = sample(office.id, CLAIM, 10, seed="one")
    first = sample(office.id, CLAIM, 4, seed="one")
    rest: list[Hidden] = sample(office.id, CLAIM, 10, seed="one", after=first[-1].place)
    assert first + rest == whole
    assert {one.record_id for one in whole} == {str(number) for number in range(40, 50)}
    assert [one.record_id for one in sample(office.id, CLAIM, 10, seed="two")] != [
        one.record_id for one in whole
    ]


def test_what_was_tied_without_an_id_has_no_truth_to_compare_with(office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40"))
    assert sample(office.id, CLAIM, 10, seed="one") == []


def test_of_a_claim_that_a_person_tied_the_rules_are_asked_again_and_the_decision_stays(
    office: Office,
) -> None:
    office.receive(
        an_appointment("100"), an_appointment("101"), a_claim("40"), a_claim("41", appointment_id="100")
    )
    Link.objects.filter(record_id="40").update(method=Link.Method.MANUAL)
    (claim,) = decided(office.id, 10)
    with transaction.atomic():
        (one,) = ask_again(office.id, [claim])
    assert one.right
    assert office.link("claim", "40").method == "manual"
    assert office.where("claim", "40") == "appointment 101"
