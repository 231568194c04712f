"""The visit page: what was documented beside what was charged, voided claims and their successors, decisions undone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation.models import Link
from athena_dash.records.models import Claim
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_line,
    a_service,
    an_appointment,
    an_encounter,
)
from tests.worklist.reviewing import tie

DAY = dt.timedelta(days=1)


def context(desk: Client, office: Office) -> Any:
    return desk.get(reverse("visit", args=[office.visit("100").pk])).context


def documented(office: Office, *codes: str) -> None:
    office.receive(
        an_appointment("100", encounter_id="9", status="4"),
        an_encounter("9"),
        *(a_service(f"s{code}", "9", code) for code in codes),
    )


def test_what_no_claim_charges_is_marked_beside_what_is(desk: Client, office: Office) -> None:
    documented(office, "99213", "90471")
    office.receive(a_claim("40", appointment_id="100"), a_line("1", "40"))
    rows = context(desk, office)["captured"]
    assert [(row.service.procedure_code, row.line and row.line.claim_id, row.word) for row in rows] == [
        ("99213", "40", "charged"),
        ("90471", None, "on no claim"),
    ]


def test_a_service_ruled_out_takes_no_line_from_one_that_is_to_be_billed(
    desk: Client, office: Office
) -> None:
    documented(office, "99213")
    office.receive(
        a_service("a", "9", "99213", bill_for_service=False),
        a_claim("40", appointment_id="100"),
        a_line("1", "40"),
    )
    words = [row.word for row in context(desk, office)["captured"]]
    assert words == ["charged", "not marked to bill"]


def test_before_any_claim_nothing_is_called_missing(desk: Client, office: Office) -> None:
    documented(office, "99213")
    assert [row.word for row in context(desk, office)["captured"]] == ["no claim yet"]


def voided_and_remade(office: Office) -> None:
    documented(office, "99213")
    office.receive(
        a_claim("40", appointment_id="100", primary_status="CLOSED"),
        a_line("1", "40"),
        a_line("2", "40", "-180.00", posted_on=WEDNESDAY + 5 * DAY),
        a_claim("41", appointment_id="100", created_date=WEDNESDAY + 5 * DAY),
        a_line("3", "41"),
    )


def test_a_voided_claim_names_the_one_in_its_place(desk: Client, office: Office) -> None:
    voided_and_remade(office)
    page = context(desk, office)
    (void,) = page["voided"]
    assert (void.claim.external_id, void.replaced_by.external_id) == ("40", "41")
    assert void.why == "its lines net to zero"
    assert [row.line.claim_id for row in page["captured"]] == ["41"]  # the void charges nothing


def test_a_claim_athena_has_no_more_counts_as_voided(desk: Client, office: Office) -> None:
    voided_and_remade(office)
    Claim.objects.filter(external_id="40").update(gone_at=clock.now())
    assert context(desk, office)["voided"][0].why == "athena has it no more"


def test_a_chain_of_voids_goes_claim_by_claim(desk: Client, office: Office) -> None:
    voided_and_remade(office)
    office.receive(
        a_claim("41", appointment_id="100", created_date=WEDNESDAY + 5 * DAY, primary_status="CLOSED"),
        a_line("4", "41", "-180.00", posted_on=WEDNESDAY + 7 * DAY),
        a_claim("42", appointment_id="100", created_date=WEDNESDAY + 7 * DAY),
    )
    chain = [(v.claim.external_id, v.replaced_by.external_id) for v in context(desk, office)["voided"]]
    assert chain == [("40", "41"), ("41", "42")]


def test_a_claim_made_before_the_void_is_not_its_successor(desk: Client, office: Office) -> None:
    voided_and_remade(office)
    office.receive(a_claim("41", appointment_id="100", created_date=WEDNESDAY + DAY))
    assert context(desk, office)["voided"][0].replaced_by is None


def test_of_two_claims_made_that_day_none_is_named(desk: Client, office: Office) -> None:
    voided_and_remade(office)
    office.receive(a_claim("42", appointment_id="100", created_date=WEDNESDAY + 5 * DAY))
    assert context(desk, office)["voided"][0].replaced_by is None


def test_a_decision_is_undone_from_the_visit_and_leads_back_to_it(
    desk: Client, office: Office, twins: Link
) -> None:
    tie(desk, twins, office, "100")
    visit = office.visit("100")
    page = desk.get(reverse("visit", args=[visit.pk])).content.decode()
    assert "Undo this decision" in page
    answer = desk.post(reverse("review-undo", args=[twins.pk]), {"visit": str(visit.pk)})
    assert answer.url == reverse("visit", args=[visit.pk])
    assert office.link("claim", "40").state == "review"


def test_a_visit_that_a_person_gave_a_claim_is_taken_for_the_next_one(
    desk: Client, office: Office, twins: Link
) -> None:
    tie(desk, twins, office, "100")
    office.receive(a_claim("41"))
    assert office.where("claim", "41") == "appointment 101"


def test_undoing_frees_the_visit_again(desk: Client, office: Office, twins: Link) -> None:
    tie(desk, twins, office, "100")
    office.receive(a_claim("41"))
    desk.post(reverse("review-undo", args=[twins.pk]))
    assert office.where("claim", "41") == "review"
