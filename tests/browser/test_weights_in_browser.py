"""The Weights page in a real Chromium: tried out, used, watched; on a laptop and a phone, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena_dash.correlation import reweighing
from athena_dash.practices.models import Practice
from athena_dash.sync import jobs, pipeline
from tests.builders import a_practice, a_user
from tests.correlation.office import Office, a_claim, an_appointment

OpenAs = Callable[..., Page]
URL = "/practices/riverside/weights"


@pytest.fixture
def practice(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Practice:
    monkeypatch.setattr(jobs, "ring_weights", lambda id: True)
    practice = a_practice("riverside", name="Riverside Primary Care")
    office = Office(practice)
    office.receive(an_appointment("100"), a_claim("40", billed_provider_id="99", department_id=""))
    reweighing.keep(practice.pk, 0)
    reweighing.keep(practice.pk, 1, known=400, points={"other_provider": "3"})  # type: ignore[dict-item]
    return practice


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_trying_out_has_no_barrier_and_does_not_scroll_sideways(
    practice: Practice,
    open_as: OpenAs,
    axe_findings: Callable[[Page], list[str]],
    scrolls_sideways: Callable[[Page], bool],
    width: int,
    scheme: str,
) -> None:
    page = open_as(a_user(practice, role="admin"), URL, width=width, scheme=scheme)
    page.get_by_role("link", name="Try out Version 1").click()
    expect(page.get_by_role("heading", name="Version 1: ties 1 more")).to_be_visible()
    page.get_by_text("Points, beside those in use").click()
    assert axe_findings(page) == []
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_version_is_used_and_seen_through(practice: Practice, open_as: OpenAs, scripts: bool) -> None:
    page = open_as(a_user(practice, role="admin"), URL, scripts=scripts)
    page.get_by_role("link", name="Try out Version 1").click()
    page.get_by_role("button", name="Use version 1").click()
    expect(page.get_by_text("0 of 1 claim tied again")).to_be_visible()
    while pipeline.apply_weights(practice.pk):
        pass
    if not scripts:
        page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("in use: Version 1")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
