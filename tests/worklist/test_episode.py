"""A visit whose claim is another's: what its page says, and what the desk may say to that."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from tests.correlation.test_coverage import BIRTH, PRENATAL, a_birth, a_prenatal_visit

if TYPE_CHECKING:
    from tests.correlation.office import Office


@pytest.fixture
def delivered(office: Office) -> Office:
    """A prenatal visit and the birth, which has a visit of its own here."""
    from tests.correlation.office import an_appointment

    office.receive(*a_prenatal_visit(), an_appointment("200", date=BIRTH), *a_birth(appointment_id="200"))
    return office


def page(desk: Client, office: Office, anchor_id: str = "100") -> str:
    return " ".join(desk.get(reverse("visit", args=[office.visit(anchor_id).pk])).content.decode().split())


def say(desk: Client, office: Office, said: str, claim: str = "40") -> None:
    desk.post(
        reverse("visit-episode", args=[office.visit("100").pk]), {"claim": claim, "said": said}, follow=True
    )


def unsure(office: Office) -> None:
    """A cold was treated in the same visit."""
    from tests.correlation.office import an_encounter

    mixed = an_encounter("9100", date=PRENATAL, closed_on=PRENATAL, diagnosis_codes=["Z34.82", "J06.9"])
    office.receive(mixed)


def test_a_covered_visit_says_why_and_leads_to_the_claims_visit(desk: Client, delivered: Office) -> None:
    shown = page(desk, delivered)
    assert "Nothing is expected: part of claim 40, obstetric package until Apr 15, 2026" in shown
    assert f'href="{reverse("visit", args=[delivered.visit("200").pk])}"' in shown
    assert "its diagnoses speak of it (Z34.82); it was with the provider of the claim" in shown
    assert "hidden because: part of claim 40" in shown


def test_the_claims_own_visit_names_what_else_it_pays_for(desk: Client, delivered: Office) -> None:
    shown = page(desk, delivered, "200")
    assert "also pays for 1 visit:" in shown
    assert f'href="{reverse("visit", args=[delivered.visit("100").pk])}"' in shown


def test_the_desk_confirms_declines_and_undoes(desk: Client, delivered: Office) -> None:
    unsure(delivered)
    assert "May be part of" in page(desk, delivered)
    assert set(delivered.gaps("100")) == {"G13"}
    say(desk, delivered, "confirm")
    assert delivered.gaps("100") == {}
    assert "said that it is part of it" in page(desk, delivered)
    say(desk, delivered, "undo")
    say(desk, delivered, "decline")
    assert set(delivered.gaps("100")) == {"G13"}
    assert "said that it is not" in page(desk, delivered)


@pytest.mark.parametrize(("said", "claim"), [("everything", "40"), ("confirm", "41"), ("", "")])
def test_what_is_not_on_offer_changes_nothing(desk: Client, delivered: Office, said: str, claim: str) -> None:
    unsure(delivered)
    say(desk, delivered, said, claim)
    assert [one.said for one in delivered.visit("100").coverages.all()] == [""]


def test_htmx_gets_the_visit_and_its_row(htmx: Client, delivered: Office) -> None:
    unsure(delivered)
    visit = delivered.visit("100")
    answer = htmx.post(reverse("visit-episode", args=[visit.pk]), {"claim": "40", "said": "confirm"})
    shown = answer.content.decode()
    assert f'id="row-{visit.pk}"' in shown
    assert "Nothing is expected: part of claim 40" in shown


def test_a_claim_without_a_visit_says_that_it_pays_for_some_all_the_same(
    desk: Client, office: Office
) -> None:
    office.receive(
        *a_prenatal_visit(), *a_prenatal_visit("101", PRENATAL + dt.timedelta(days=28)), *a_birth()
    )
    assert "Pays for 2 visits all the same." in desk.get(reverse("unmatched")).content.decode()
