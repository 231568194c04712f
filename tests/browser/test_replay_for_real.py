"""The promise, end to end: athena misbehaves, a gap is held open, support replays from the browser, the gap closes.

Real sync against the synthetic athena over HTTP, real PostgreSQL, a real Chromium; only the worker's turn is taken by
hand, so that the page can be seen before and after.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from athena_dash.accounts.models import User
from athena_dash.correlation.models import Gap
from athena_dash.practices.models import Practice
from athena_dash.recovery import batch
from athena_dash.recovery.models import Replay
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Failure
from tests.sync.athena import PRACTICE
from tests.sync.rig import connect, forget_shared, open_failures, pull_all

if TYPE_CHECKING:
    from tests.sync.athena import Athena

OpenAs = Callable[..., Page]
CHART_BY_CHART = ("departments", "providers", "appointments", "claims", "patients", "encounters", "services")


@pytest.fixture
def practice(transactional_db: None, athena: Athena) -> Practice:
    forget_shared()
    practice = Practice.objects.create(slug="riverside", name="Riverside", athena_id=PRACTICE)
    connect(practice, athena)
    create_feeds(practice)
    return practice


def billed_appointment(athena: Athena) -> tuple[Any, Any]:
    """A past appointment whose charges are entered, with the one claim made of it."""
    claims = {claim.appointment_id: claim for claim in athena.things("claim") if not claim.voided}
    week_ago = athena.time.now.date() - dt.timedelta(days=7)
    return next(
        (appointment, claims[appointment.id])
        for appointment in athena.things("appointment")
        if appointment.status == "4" and appointment.id in claims and appointment.day < week_ago
    )


def gaps_of(practice: Practice, appointment_id: str) -> Any:
    return Gap.objects.filter(practice=practice, visit__anchor_id=appointment_id, closed_at__isnull=True)


def replay_in_browser(page: Page) -> None:
    """From Failures to the button; then the worker's turn; the page follows by itself."""
    page.locator("tr.open a[data-open]").first.click()
    page.locator("tr.open a[data-open]").first.click()
    page.get_by_role("button", name="Re-fetch").click()
    expect(page.get_by_text("Re-fetch is running")).to_be_visible()
    batch.run(Replay.objects.latest("pk").pk)
    expect(page.get_by_text("A replay came through")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "params", "reason"),
    [
        ("server_error", {"status": 503}, "transient"),
        ("rate_limited", {}, "rate_limited"),
        ("expired_token", {}, "auth"),
    ],
)
def test_a_feed_athena_refused_holds_gaps_open_until_it_is_replayed(
    practice: Practice, athena: Athena, sam: User, open_as: OpenAs, kind: str, params: Any, reason: str
) -> None:
    appointment, _ = billed_appointment(athena)
    athena.fault(kind, "/claims", params=params)
    pull_all(practice, *CHART_BY_CHART)
    failure = open_failures(practice).get()
    assert (failure.reason, failure.feed.resource) == (reason, "claims")
    assert gaps_of(practice, appointment.id).get(code="G14").needs_feed == "claims"

    page = open_as(sam, "/failures")
    athena.heal()
    replay_in_browser(page)
    pull_all(practice, "claims")  # its history has waited for it
    assert not gaps_of(practice, appointment.id).filter(code="G14").exists()
    assert not open_failures(practice).exists()


def test_a_claim_that_could_not_be_read_says_not_synced_and_its_gap_closes_with_the_replay(
    practice: Practice, athena: Athena, sam: User, open_as: OpenAs
) -> None:
    appointment, claim = billed_appointment(athena)
    athena.fault(
        "corrupt_record", "/claims", record=claim.id, params={"field": "procedures", "as": "wrong_type"}
    )
    pull_all(practice, *CHART_BY_CHART)
    assert open_failures(practice).get().reason == "invalid"
    assert gaps_of(practice, appointment.id).get(code="G14").verdict == "not_synced"

    page = open_as(sam, "/failures")
    expect(page.get_by_text("procedures: is not a list")).to_be_visible()
    expect(page.get_by_text("holding open 1 gap")).to_be_visible()
    athena.heal()
    replay_in_browser(page)
    expect(page.get_by_text("This closed 1 gap")).to_be_visible()
    assert not gaps_of(practice, appointment.id).filter(code="G14").exists()


def test_an_appointment_with_an_unknown_status_keeps_its_gap_until_the_status_is_known(
    practice: Practice, athena: Athena, sam: User, open_as: OpenAs
) -> None:
    """Checked in weeks ago and stuck; the desk finishes it, but the change arrives with a code we do not know."""
    appointment, _ = billed_appointment(athena)
    athena.change("appointment", msgspec.structs.replace(appointment, status="2", checked_out_at=None))
    pull_all(practice, *CHART_BY_CHART)
    stuck = gaps_of(practice, appointment.id)
    assert set(stuck.values_list("code", flat=True)) & {"G03", "G05"}

    athena.time.passes(hours=1)
    athena.change("appointment", msgspec.structs.replace(appointment, modified=athena.time.now))
    athena.fault("unknown_code", "/appointments", record=appointment.id, params={"code": "7"})
    pull_all(practice, "appointments")
    failure: Failure = open_failures(practice).get()
    assert (failure.reason, failure.appointment_id) == ("unmapped", appointment.id)
    assert {gap.verdict for gap in stuck.filter(code__in=("G03", "G05"))} == {"not_synced"}

    page = open_as(sam, "/failures")
    expect(page.get_by_text("Appointment status '7' is not one we know")).to_be_visible()
    athena.heal()
    replay_in_browser(page)
    assert not stuck.filter(code__in=("G03", "G05")).exists()
