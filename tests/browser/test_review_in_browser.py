"""Link review in a real Chromium: decided by keyboard alone, undone, readable in both schemes and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena_dash.accounts.models import User
from athena_dash.correlation.models import Link
from tests.builders import a_practice, a_user
from tests.correlation.office import Office, a_claim, a_line, an_appointment, an_encounter

OpenAs = Callable[..., Page]


@pytest.fixture
def biller(transactional_db: None) -> User:
    """Two claims wait, each between the same two visits of one day; one documents another diagnosis."""
    practice = a_practice()
    office = Office(practice)
    office.receive(
        an_appointment("100", encounter_id="9"),
        an_encounter("9", diagnosis_codes=["M54.5"]),
        an_appointment("101", encounter_id="10", type_name="Follow-up"),
        an_encounter("10", diagnosis_codes=["J06.9"]),
        a_claim("40", diagnosis_codes=["M54.5"]),
        a_line("1", "40"),
        a_claim("41"),
    )
    assert {office.where("claim", "40"), office.where("claim", "41")} == {"review"}
    return a_user(practice, username="bella")


def link(claim_id: str) -> Link:
    found: Link = Link.objects.get(kind="claim", record_id=claim_id)
    return found


def test_the_keyboard_alone_decides_undoes_and_moves_on(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/unmatched")
    heading = page.locator("h1")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("Claim 41")
    page.keyboard.press("l")  # later
    expect(heading).to_have_text("Claim 40")
    page.keyboard.press("k")
    expect(heading).to_have_text("Claim 41")
    page.keyboard.press("1")
    expect(heading).to_have_text("Claim 40")  # the next one opens by itself
    expect(page.locator(".toast")).to_contain_text("Claim 41 tied.")
    assert link("41").method == "manual"
    page.keyboard.press("u")
    expect(page.locator(".toast")).to_contain_text("Undone")
    assert link("41").state == "review"
    page.keyboard.press("n")
    expect(heading).to_have_text("Claim 40")
    assert (link("41").state, link("41").method) == ("unmatched", "manual")
    page.keyboard.press("1")
    expect(page.locator(".notice")).to_contain_text("decided by bella")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 390)])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    biller: User,
    open_as: OpenAs,
    axe_findings: Callable[[Page], list[str]],
    scrolls_sideways: Callable[[Page], bool],
    scheme: str,
    width: int,
) -> None:
    page = open_as(biller, f"/unmatched/{link('40').pk}", scheme=scheme, width=width)
    expect(page.get_by_text("differs").first).to_be_visible()
    assert axe_findings(page) == []
    assert not scrolls_sideways(page)


def test_axe_finds_nothing_on_what_was_decided(
    biller: User, open_as: OpenAs, axe_findings: Callable[[Page], list[str]]
) -> None:
    page = open_as(biller, f"/unmatched/{link('41').pk}")
    page.keyboard.press("1")
    expect(page.locator("h1")).to_have_text("Claim 40")
    expect(page.get_by_text("claim 41 is tied here already", exact=False)).to_be_visible()
    assert axe_findings(page) == []
    page.locator(".notice").get_by_role("link", name="41").click()
    expect(page.locator(".notice")).to_contain_text("decided by bella")
    expect(page.get_by_role("heading", name="What people decided")).to_be_visible()
    assert axe_findings(page) == []


def test_without_javascript_a_decision_is_a_form_and_undoing_another(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, f"/unmatched/{link('41').pk}", scripts=False)
    page.get_by_role("button", name="Tie to this visit").first.click()
    expect(page.locator("h1")).to_have_text("Claim 40")
    page.locator(".notice").get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Claim 41")
    assert link("41").state == "review"
