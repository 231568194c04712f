"""Support and admins in a real Chromium: a replay from its button, the wizard, both schemes, a phone, no JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from athena_dash.accounts.models import User
from athena_dash.practices.models import Practice
from athena_dash.recovery import batch
from athena_dash.recovery.models import Replay
from athena_dash.sync.models import Failure, Feed
from tests.builders import a_gap, a_practice, a_visit
from tests.recovery.failing import Retries, a_connection, a_failure

OpenAs = Callable[..., Page]
Findings = Callable[[Page], list[str]]
NARROW, SCHEMES = 390, ("light", "dark")


@pytest.fixture
def practice(transactional_db: None) -> Practice:
    practice = a_practice("riverside", name="Riverside Primary Care")
    a_connection(practice)
    visit = a_visit(practice)
    a_gap(visit, verdict="not_synced")
    for _ in range(3):
        a_failure(practice, appointment_id=visit.anchor_id)
    return practice


def paths_of_support() -> list[str]:
    failure, feed = Failure.objects.earliest("pk"), Feed.objects.earliest("pk")
    group = f"/failures/groups/{failure.fingerprint}"
    plan = f"/replays/plan?fingerprint={failure.fingerprint}"
    replays = [f"/replays/{pk}" for pk in Replay.objects.values_list("pk", flat=True)]
    failures = ["/failures", "/failures?state=resolved", group, f"/failures/{failure.pk}"]
    return [
        *failures,
        plan,
        "/replays",
        *replays,
        "/feeds",
        f"/feeds/{feed.pk}",
        f"/feeds/{feed.practice.slug}/calls",
    ]


PATHS_OF_ADMINS = (
    "/practices",
    "/practices/new",
    "/practices/riverside",
    "/practices/riverside/members",
    "/practices/riverside/policies",
    "/practices/riverside/push",
    "/practices/riverside/alerts",
)


def start_a_replay(page: Page) -> Replay:
    page.get_by_role("link", name="Plan replay of all 3").click()
    page.get_by_role("button", name="Re-fetch 3 failures").click()
    expect(page.get_by_text("0 of 3").first).to_be_visible()
    return Replay.objects.get()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_on_the_pages_of_support(
    sam: User, open_as: OpenAs, axe_findings: Findings, retries: Retries, scheme: str
) -> None:
    start_a_replay(open_as(sam, f"/failures/groups/{Failure.objects.earliest('pk').fingerprint}"))
    for path in paths_of_support():
        assert axe_findings(open_as(sam, path, scheme=scheme)) == [], path


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_on_the_pages_of_admins(
    ada: User, open_as: OpenAs, axe_findings: Findings, scheme: str
) -> None:
    for path in PATHS_OF_ADMINS:
        assert axe_findings(open_as(ada, path, scheme=scheme)) == [], path
    for path in ("/sign-in", "/sign-in?next=/feeds"):
        assert axe_findings(open_as(None, path, scheme=scheme)) == [], path


def test_nothing_scrolls_sideways_on_a_phone(
    sam: User, ada: User, open_as: OpenAs, scrolls_sideways: Callable[[Page], bool]
) -> None:
    for user, paths in ((sam, paths_of_support()), (ada, PATHS_OF_ADMINS)):
        for path in paths:
            page = open_as(user, path, width=NARROW)
            assert not scrolls_sideways(page), path
    assert not scrolls_sideways(open_as(None, "/sign-in", width=NARROW))


def test_one_signs_in_and_comes_to_the_failures(sam: User, open_as: OpenAs) -> None:
    page = open_as(None, "/feeds")
    page.get_by_label("Username").fill("sam")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not go together")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Feeds", exact=True)).to_be_visible()
    page.goto(page.url.replace("/feeds", "/"))
    expect(page.get_by_role("heading", name="Failures", exact=True)).to_be_visible()


def test_a_failure_is_replayed_from_its_button_and_the_page_follows(
    sam: User, open_as: OpenAs, retries: Retries
) -> None:
    page = open_as(sam, f"/failures/{Failure.objects.earliest('pk').pk}")
    page.get_by_role("button", name="Re-fetch").click()
    expect(page.get_by_text("Re-fetch is running")).to_be_visible()
    batch.run(Replay.objects.get().pk)
    expect(page.get_by_text("A replay came through")).to_be_visible()
    expect(page.get_by_text("1 gap worth $120.00")).to_be_visible()
    expect(page.locator("#failure[hx-get]")).to_have_count(0)


def test_a_group_is_planned_started_and_reported(sam: User, open_as: OpenAs, retries: Retries) -> None:
    page = open_as(sam, "/failures")
    expect(page.get_by_text("holding open 1 gap worth $140 expected")).to_be_visible()
    page.locator("tr.open a[data-open]").first.click()
    replay = start_a_replay(page)
    batch.run(replay.pk)
    expect(page.get_by_text("3 of 3").first).to_be_visible()
    expect(page.get_by_text("3 gaps worth $360")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == f"replay-{replay.pk}.csv"


def test_chosen_members_are_planned_without_javascript(sam: User, open_as: OpenAs, retries: Retries) -> None:
    page = open_as(sam, f"/failures/groups/{Failure.objects.earliest('pk').fingerprint}", scripts=False)
    page.get_by_role("checkbox", name="Choose failure").first.check()
    page.get_by_role("button", name="Plan replay of these").click()
    page.get_by_role("button", name="Re-fetch 1 failure").click()
    batch.run(Replay.objects.get().pk)
    page.get_by_role("link", name="reload").click()
    expect(page.get_by_text("1 of 1").first).to_be_visible()


def test_filters_change_the_list_and_the_address_together(
    sam: User, practice: Practice, open_as: OpenAs
) -> None:
    a_failure(
        practice, reason="unmapped", fingerprint="v1:code", message="Claim status 'ZHOLD' is not one we know."
    )
    page = open_as(sam, "/failures")
    page.get_by_text("Reason", exact=True).click()
    page.get_by_role("link", name="the record uses a code we do not know").click()
    expect(page.get_by_text("1 failure in 1 group")).to_be_visible()
    assert "reason=unmapped" in page.url
    page.reload()
    expect(page.get_by_text("1 failure in 1 group")).to_be_visible()


def test_the_wizard_names_a_wrong_address_and_keeps_what_was_typed(ada: User, open_as: OpenAs) -> None:
    page = open_as(ada, "/practices/new")
    page.get_by_label("Practice name").fill("Mesa Multispecialty")
    page.get_by_label("athena practice id").fill("195903")
    page.get_by_label("Base URL").fill("http://127.0.0.1:9")
    page.get_by_label("Client id").fill("client")
    page.get_by_label("Client secret").fill("secret")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("nothing accepts connections at this address")).to_be_visible()
    expect(page.get_by_label("Client secret")).to_have_value("secret")
    page.get_by_role("button", name="Save paused").click()
    expect(page.get_by_role("heading", name="Mesa Multispecialty")).to_be_visible()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_the_list_of_replays_follows_those_that_run(sam: User, open_as: OpenAs, retries: Retries) -> None:
    replay = start_a_replay(open_as(sam, f"/failures/groups/{Failure.objects.earliest('pk').fingerprint}"))
    page = open_as(sam, "/replays")
    expect(page.get_by_text("0 of 3")).to_be_visible()
    batch.run(replay.pk)
    expect(page.get_by_text("3 of 3")).to_be_visible()
    expect(page.locator("#replays[hx-get]")).to_have_count(0)
