"""The billing desk in a real Chromium: keyboard, drawer, both schemes, a phone, and no JavaScript at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation import quality
from athena_dash.correlation.models import Visit
from athena_dash.sync.models import LiveRead
from athena_dash.worklist.models import WorkItem
from tests.builders import a_claim, a_gap, a_link, a_patient, a_practice, a_user, a_visit

OpenAs = Callable[..., Page]
PATHS = (
    "/today",
    "/visits",
    "/visits?stage=all&code=G05",
    "/unmatched",
    "/quality",
    "/quality/links?kind=claim",
    "VISIT",
    "/nowhere",
)


@pytest.fixture
def biller(transactional_db: None) -> User:
    practice = a_practice()
    for dollars in (300, 200, 100):
        visit = a_visit(practice, patient=a_patient(practice, first_name="Ottilie"))
        a_claim(visit)
        a_gap(visit, at_risk=dollars)
    a_link(None, "claim", "77", practice=practice, state="unmatched", evidence={"candidates": []})
    quality.count(practice.pk)
    return a_user(practice, username="bella")


def dearest() -> Visit:
    visit: Visit = Visit.objects.order_by("pk")[0]
    return visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(
    biller: User, open_as: OpenAs, axe_findings: Callable[[Page], list[str]], scheme: str
) -> None:
    for path in PATHS:
        page = open_as(biller, path.replace("VISIT", f"/visits/{dearest().pk}"), scheme=scheme)
        assert axe_findings(page) == [], path


def test_axe_finds_nothing_in_the_drawer(
    biller: User, open_as: OpenAs, axe_findings: Callable[[Page], list[str]]
) -> None:
    page = open_as(biller, "/visits")
    page.locator("a[data-open]").first.click()
    expect(page.locator("#drawer article")).to_be_visible()
    page.get_by_role("button", name="Billed").click()
    assert axe_findings(page) == []


def test_nothing_scrolls_sideways_on_a_phone(
    biller: User, open_as: OpenAs, scrolls_sideways: Callable[[Page], bool]
) -> None:
    for path in PATHS:
        page = open_as(biller, path.replace("VISIT", f"/visits/{dearest().pk}"), width=390)
        assert not scrolls_sideways(page), path


def test_the_keyboard_walks_opens_and_comes_back(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("tr.open").nth(1)
    expect(second.locator("a[data-open]")).to_be_focused()
    page.keyboard.press("x")
    expect(second.locator("input[type=checkbox]")).to_be_checked()
    page.keyboard.press("Enter")
    heading = page.locator("#drawer h1")
    expect(heading).to_be_focused()
    assert "/visits/" in page.url
    page.keyboard.press("j")  # the drawer follows
    third = page.locator("tr.open").nth(2)
    expect(heading).to_contain_text(third.locator(".mono").first.inner_text())
    page.keyboard.press("Escape")
    expect(page.locator("#drawer article")).to_have_count(0)
    expect(third.locator("a[data-open]")).to_be_focused()
    assert page.url.endswith("/visits")


def test_slash_searches_question_mark_helps_and_g_goes(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("gtx?")  # letters in a field are letters
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/today")


def test_back_closes_the_drawer(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.locator("a[data-open]").first.click()
    expect(page.locator("#drawer article")).to_be_visible()
    page.go_back()
    expect(page.locator("#drawer article")).to_have_count(0)
    expect(page.locator("tr.open")).to_have_count(3)
    assert page.url.endswith("/visits")


def test_athena_is_asked_from_the_drawer_and_the_visit_follows_its_progress(
    biller: User, open_as: OpenAs
) -> None:
    page = open_as(biller, "/visits")
    page.locator("a[data-open]").first.click()
    page.get_by_role("button", name="Check athena now").click()
    expect(page.locator("#check")).to_contain_text("waiting for its turn")
    reads, now = LiveRead.objects.filter(visit=dearest()), clock.now()
    reads.update(state="running", planned=4, asked=1)
    expect(page.locator("#check")).to_contain_text("1 of 4 questions answered")
    reads.update(state="done", started_at=now, finished_at=now, gaps_closed=1)
    expect(page.locator("#check")).to_contain_text("athena had what was missing; 1 gap closed.")
    expect(page.get_by_role("button", name="Check athena now")).to_be_visible()
    expect(page.locator("#drawer #visit")).to_have_count(1)


def test_a_note_being_typed_outlives_what_is_swapped_beside_it_and_goes_once_it_is_added(
    biller: User, open_as: OpenAs
) -> None:
    page = open_as(biller, "/visits")
    page.locator("a[data-open]").first.click()
    page.locator("#drawer textarea[name=text]").fill("Called the payer")
    page.locator("#drawer select").select_option(label="bella")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Assigned to bella.")
    expect(page.locator("#drawer textarea[name=text]")).to_have_value("Called the payer")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#drawer .notes")).to_contain_text("Called the payer")
    expect(page.locator("#drawer textarea[name=text]")).to_have_value("")


def test_an_action_in_the_drawer_changes_the_row_and_says_so(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.locator("a[data-open]").first.click()
    page.locator("#drawer select").select_option(label="bella")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Assigned to bella.")
    expect(page.locator("tr.open").first).to_contain_text("bella has it")


def test_a_filter_swaps_the_list_keeps_the_address_and_survives_reload(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.locator("#menu-code").click()
    page.get_by_role("link", name="No charge entered").click()
    page.wait_for_url("**/visits?code=G13")
    expect(page.locator("#announce")).to_contain_text("3 visits")
    page.reload()
    expect(page.locator("a.chip.on")).to_contain_text("No charge entered")


def test_a_search_puts_no_name_into_the_address(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    page.get_by_role("searchbox").fill("Ottilie")
    page.keyboard.press("Enter")
    page.wait_for_url("**/visits?found=*")
    expect(page.locator("tr.open")).to_have_count(3)
    assert "ttilie" not in page.url
    assert "ttilie" not in page.title()


def test_on_a_phone_a_row_opens_as_a_page(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits", width=390)
    page.locator("a[data-open]").first.click()
    page.wait_for_url("**/visits/*")
    expect(page.locator("main article.visit")).to_be_visible()
    expect(page.locator("#drawer article")).to_have_count(0)


def test_without_javascript_the_desk_still_works(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits", scripts=False)
    page.locator("#menu-code").click()
    page.get_by_role("link", name="No charge entered").click()
    page.locator("a[data-open]").first.click()
    page.get_by_role("button", name="Signed").click()
    expect(page.get_by_role("heading", name="Signed: done")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Assigned to").select_option(label="bella")
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.locator(".toast")).to_have_text("Assigned to bella.")
    assert WorkItem.objects.get().assignee == biller


def test_chosen_rows_are_assigned_together(biller: User, open_as: OpenAs) -> None:
    page = open_as(biller, "/visits")
    expect(page.get_by_role("button", name="Assign to me")).to_be_hidden()
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Assign to me").click()
    expect(page.locator(".toast")).to_contain_text("3 visits assigned to you.")
    assert page.url.split("?")[0].endswith("/visits")
    owners: list[Any] = list(WorkItem.objects.values_list("assignee__username", flat=True))
    assert owners == ["bella"] * 3
