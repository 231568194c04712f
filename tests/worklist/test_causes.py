"""Root causes that several gaps share: each counted once, each link listing what its card counted."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.records.models import ClaimNote
from athena_dash.worklist.models import WorkItem
from tests.builders import DAY, a_claim, a_feed, a_gap, a_practice, a_user, a_visit

D6 = [{"signal": "D6", "says": "7 of 8 visits"}]


def cards(desk: Client, page: str = "today") -> dict[str, tuple[int, Decimal]]:
    found = desk.get(reverse(page)).context["bundles"]
    return {one.title: (one.count, one.dollars) for one in found}


def three(practice: Practice, code: str, visit: dict[str, Any] | None = None, **gap: Any) -> None:
    for _ in range(3):
        a_gap(a_visit(practice, **(visit or {})), code, **gap)


def everything(practice: Practice) -> None:
    """Three of each kind, and two that share a cause with nobody else."""
    three(practice, "G05", needs_feed="appointments", at_risk=Decimal(10))
    three(practice, "G13", {"provider_id": "72"}, at_risk=Decimal(20))
    three(practice, "G29", {"payer_name": "Hill & Dale | HMO", "provider_id": "73"}, at_risk=Decimal(30))
    three(practice, "G14", {"provider_id": "74"}, verdict="not_synced", at_risk=Decimal(40))
    three(practice, "G13", {"provider_id": "75"}, verdict="suspect_sync", evidence=D6, at_risk=Decimal(50))
    for _ in range(3):
        visit = a_visit(practice)
        claim = a_claim(visit, primary_status="HOLD")
        ClaimNote.objects.create(
            practice=practice,
            external_id=f"{claim.external_id}/1",
            claim_id=claim.external_id,
            status="HOLD",
            text="Missing modifier",
            fetched_at=visit.judged_at or dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        )
        a_gap(visit, "G24", at_risk=Decimal(60))
    for _ in range(2):
        a_gap(a_visit(practice, provider_id="79"), "G11", at_risk=Decimal(1000))


def test_each_cause_is_a_card_in_words_with_its_count_and_dollars(desk: Client, practice: Practice) -> None:
    everything(practice)
    assert cards(desk) == {
        "Claim on hold, all with the same note": (3, Decimal(180)),
        "Main Street on Mar 6, 2026: far more claims missing than usual": (3, Decimal(150)),
        "Claims of Mar 6, 2026 failed to come in": (3, Decimal(120)),
        "Payer has not answered: A. Lindqvist, MD with Hill & Dale | HMO": (3, Decimal(90)),
        "No charge entered: A. Lindqvist, MD": (3, Decimal(60)),
        "Signed, not checked out: Main Street": (3, Decimal(30)),
    }


def test_a_card_lists_exactly_the_visits_it_counts_and_no_visit_is_in_two(
    desk: Client, practice: Practice
) -> None:
    everything(practice)
    seen: list[int] = []
    for bundle in desk.get(reverse("visits")).context["bundles"]:
        page = desk.get(reverse("visits") + bundle.url)
        rows = page.context["rows"]
        assert len(rows) == bundle.count == page.context["facets"].total
        assert sum(row.at_risk for row in rows) == bundle.dollars == page.context["facets"].dollars
        assert bundle.title in [chip.label for chip in page.context["facets"].chips]
        seen += [row.pk for row in rows]
    assert len(seen) == len(set(seen)) == 18


def test_a_feed_that_goes_quiet_takes_its_gaps_from_every_other_cause(
    desk: Client, practice: Practice
) -> None:
    everything(practice)
    a_feed(practice, "claims", quiet_for=dt.timedelta(hours=2))
    found = cards(desk)
    assert found["The claims feed is behind"][0] == 17
    assert len(found) == 2


def test_two_are_no_pattern_and_what_sleeps_counts_nowhere(
    desk: Client, practice: Practice, as_of: dt.datetime
) -> None:
    asleep, *_ = visits = [a_visit(practice) for _ in range(3)]
    for visit in visits:
        a_gap(visit)
    assert len(cards(desk)) == 1
    WorkItem.objects.create(practice=practice, visit=asleep, snoozed_until=as_of + DAY)
    assert cards(desk) == {}


def test_another_practices_cause_lists_nothing_and_a_key_somebody_typed_does_no_harm(
    practice: Practice, client: Client
) -> None:
    other = a_practice("mesa")
    three(practice, "G13")
    client.force_login(a_user(other))
    assert cards(client) == {}
    for key in ("provider|riverside|G13|71", "feed|mesa", "day|mesa|claims|1|soon", "nonsense", "x" * 999):
        page = client.get(reverse("visits"), {"cause": key})
        assert (page.status_code, page.context["facets"].total) == (200, 0)


def test_a_providers_day_is_a_card_of_its_own(desk: Client, practice: Practice) -> None:
    """Beside the department's, whose other visits are as usual."""
    theirs = [{"signal": "D6", "says": "7 of 8 visits", "whose": "provider"}]
    three(
        practice, "G13", {"provider_id": "75"}, verdict="suspect_sync", evidence=theirs, at_risk=Decimal(50)
    )
    three(practice, "G14", {"provider_id": "74"}, verdict="suspect_sync", evidence=D6, at_risk=Decimal(40))
    assert cards(desk) == {
        "A. Lindqvist, MD on Mar 6, 2026: far more claims missing than usual": (3, Decimal(150)),
        "Main Street on Mar 6, 2026: far more claims missing than usual": (3, Decimal(120)),
    }


def test_visits_that_a_claim_for_many_may_pay_for_are_one_card(desk: Client, practice: Practice) -> None:
    three(practice, "G13", {"provider_id": "75"}, at_risk=Decimal(50))
    for visit in Visit.objects.all():
        visit.coverages.create(
            practice=practice,
            claim_id="40",
            kind="obstetric",
            code="59400",
            starts_on=visit.service_date,
            ends_on=visit.service_date,
            state="asked",
            since=clock.now(),
        )
    assert cards(desk) == {"May be part of a claim for many visits: Main Street": (3, Decimal(150))}
    visit.coverages.update(state="declined")
    assert cards(desk) == {}
