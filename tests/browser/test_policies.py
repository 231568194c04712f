"""The rule lab in a real Chromium: previewed, saved, taken back; on a laptop and a phone, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena_dash.practices.models import Policy, Practice
from tests.builders import a_practice, a_user, a_visit

OpenAs = Callable[..., Page]
URL = "/practices/riverside/policies"


@pytest.fixture
def practice(transactional_db: None) -> Practice:
    practice = a_practice("riverside", name="Riverside Primary Care")
    a_visit(practice)
    return practice


@pytest.mark.parametrize("width", [1440, 390])
def test_a_preview_has_no_barrier_and_does_not_scroll_sideways(
    practice: Practice,
    open_as: OpenAs,
    axe_findings: Callable[[Page], list[str]],
    scrolls_sideways: Callable[[Page], bool],
    width: int,
) -> None:
    page = open_as(a_user(practice, role="admin"), URL, width=width)
    page.get_by_label("Grace of G13", exact=True).fill("900")
    page.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_role("heading", name="Adds 0 rows, removes 1 row")).to_be_visible()
    assert axe_findings(page) == []
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_grace_is_previewed_saved_and_taken_back(
    practice: Practice, open_as: OpenAs, scripts: bool
) -> None:
    page = open_as(a_user(practice, role="admin"), URL, scripts=scripts)
    page.get_by_label("Grace of G13", exact=True).fill("900")
    page.get_by_role("button", name="Preview changes").click()
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.get_by_label("Grace of G13", exact=True)).to_have_value("900")
    page.get_by_role("link", name="Preview taking back").click()
    page.get_by_role("button", name="Save 1 change").click()
    expect(page.get_by_text("Grace of G13: 900 h → the default")).to_be_visible()
    assert not Policy.objects.exists()
