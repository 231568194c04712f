"""Link review shows the record beside the visits on offer: only its own patient's, with what speaks for and against."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from athena_dash.correlation.models import Link
from athena_dash.practices.models import Practice
from tests.builders import a_link, a_practice
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_patient,
    an_appointment,
    an_encounter,
)
from tests.worklist.reviewing import choices, lines, tie

DAY = dt.timedelta(days=1)


def test_the_record_stands_beside_its_visits_and_what_differs_is_marked(
    desk: Client, office: Office, twins: Link
) -> None:
    office.receive(an_appointment("101", encounter_id="9101", provider_id="90"))
    office.receive(an_encounter("9101", provider_id="90"))
    link = office.link("claim", "40")
    assert set(choices(desk, link)) == {"100", "101"}
    shown = lines(desk, link)
    assert [cell.same for cell in shown["Date of service"].theirs] == [True, True]
    assert [cell.same for cell in shown["Provider"].theirs] == [True, False]
    assert "differs" in desk.get(reverse("review", args=[link.pk])).content.decode()


def test_a_visit_that_has_such_a_record_already_says_so(desk: Client, office: Office, twins: Link) -> None:
    office.receive(a_claim("41"))
    tie(desk, office.link("claim", "41"), office, "100")
    said = {anchor: choice.circumstances for anchor, choice in choices(desk, twins).items()}
    assert said == {"100": ("claim 41 is tied here already",), "101": ()}


@pytest.mark.parametrize("chosen", ["", "x", "0", "9" * 30, "\u0661"])
def test_a_visit_that_is_not_on_offer_is_refused(
    desk: Client, office: Office, twins: Link, chosen: str
) -> None:
    page = desk.post(reverse("review-tie", args=[twins.pk]), {"visit": chosen}, follow=True)
    assert "not on offer any more" in page.content.decode()
    assert office.where("claim", "40") == "review"


def test_another_patients_and_another_practices_visits_are_never_on_offer(
    desk: Client, office: Office, twins: Link
) -> None:
    office.receive(an_appointment("102", patient_id="8"))
    elsewhere = Office(a_practice("elsewhere"))
    elsewhere.receive(an_appointment("103"))
    assert set(choices(desk, twins)) == {"100", "101"}
    for visit in (office.visit("102"), elsewhere.visit("103")):
        desk.post(reverse("review-tie", args=[twins.pk]), {"visit": visit.pk})
    assert office.where("claim", "40") == "review"


def test_a_visits_own_encounter_is_not_up_for_decision(desk: Client, office: Office) -> None:
    office.receive(an_encounter("9", kind="ORDERSONLY"))
    anchor = office.link("encounter", "9")
    assert desk.get(reverse("review", args=[anchor.pk])).status_code == 404


def test_a_visit_too_far_for_the_rules_can_still_be_chosen(desk: Client, office: Office) -> None:
    office.receive(an_appointment("100", date=WEDNESDAY - 8 * DAY), a_claim("40"))
    link = office.link("claim", "40")
    assert (link.state, choices(desk, link)["100"].points) == ("unmatched", None)
    tie(desk, link, office, "100")
    assert office.where("claim", "40") == "appointment 100"


def test_a_claim_that_waits_for_its_appointment_can_be_tied_by_hand(desk: Client, office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40", appointment_id="555"))
    tie(desk, office.link("claim", "40"), office, "100")
    office.receive(an_appointment("555"))
    assert office.where("claim", "40") == "appointment 100"


def test_a_merged_patients_visits_are_on_offer(desk: Client, office: Office) -> None:
    office.receive(
        a_patient("7", merged_into="8"), an_appointment("100", patient_id="8", status="x"), a_claim("40")
    )
    assert set(choices(desk, office.link("claim", "40"))) == {"100"}


def test_a_record_that_has_not_arrived_says_so(desk: Client, practice: Practice) -> None:
    link = a_link(
        None, "claim", "77", practice=practice, state="pending", evidence={"appointment_id": "9001"}
    )
    page = desk.get(reverse("review", args=[link.pk]) + "?decided=%00&kind=nonsense&state='")
    assert "has not arrived" in page.content.decode()


def test_neither_title_nor_address_names_the_patient(desk: Client, office: Office, twins: Link) -> None:
    page = desk.get(reverse("review", args=[twins.pk]))
    title = page.content.decode().split("<title>")[1].split("</title>")[0]
    assert title.strip() == "Link review · athena-dash"


def test_the_page_asks_the_same_number_of_questions_whatever_waits(
    desk: Client, office: Office, twins: Link
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            desk.get(reverse("review", args=[twins.pk]))
        return len(queries)

    alone = asked()
    office.receive(*[a_claim(str(n)) for n in range(50, 70)])
    assert asked() <= alone + 1  # the way back to the row before, once there is one
