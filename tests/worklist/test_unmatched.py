"""Records without a visit stay in sight, with the reason and the visits they might belong to."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.records.models import Claim
from athena_dash.worklist import unmatched
from tests.builders import a_link, a_practice, a_visit


def a_lone_claim(practice: Practice, claim_id: str, **link: Any) -> None:
    Claim.objects.create(
        practice=practice,
        external_id=claim_id,
        patient_id="4312",
        service_date=dt.date(2026, 3, 2),
        charge_amount=Decimal("225.00"),
        fetched_at=clock.now(),
    )
    a_link(None, "claim", claim_id, practice=practice, **link)


def rows(client: Client, query: str = "") -> list[Any]:
    return list(client.get(reverse("unmatched") + query).context["rows"])


def test_a_claim_in_review_offers_its_candidates(desk: Client, practice: Practice) -> None:
    twins = [a_visit(practice), a_visit(practice)]
    candidates = [{"visit_id": v.pk, "anchor_id": v.anchor_id, "points": 4.0} for v in twins]
    a_lone_claim(practice, "77", state="review", evidence={"candidates": candidates})
    (row,) = rows(desk)
    assert row.why == "2 visits fit about equally well."
    assert [candidate.visit_id for candidate in row.candidates] == [v.pk for v in twins]
    assert (row.patient_id, row.amount) == ("4312", Decimal("225.00"))


@pytest.mark.parametrize(
    ("billed", "told"),
    [
        ([], ""),
        (["99232", "99232", "99238"], "2 × 99232, 99238"),
        (["1", "2", "3", "4", "5", "6", "6"], "1, 2, 3, 4 and 2 more"),
    ],
)
def test_a_code_that_is_billed_often_is_told_once(
    desk: Client, practice: Practice, billed: list[str], told: str
) -> None:
    a_lone_claim(practice, "77", state="unmatched")
    Claim.objects.update(procedure_codes=billed)
    assert rows(desk)[0].what == told


def test_a_claim_with_one_doubtful_candidate_says_so(desk: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    evidence = {"candidates": [{"visit_id": visit.pk, "anchor_id": visit.anchor_id, "points": 1.0}]}
    a_lone_claim(practice, "77", state="review", evidence=evidence)
    assert rows(desk)[0].why == "One visit may fit, but not surely."


def test_a_candidate_of_another_practice_is_never_offered(desk: Client, practice: Practice) -> None:
    foreign = a_visit(a_practice("elsewhere"))
    evidence = {"candidates": [{"visit_id": foreign.pk, "anchor_id": "1", "points": 9.0}]}
    a_lone_claim(practice, "77", state="review", evidence=evidence)
    assert rows(desk)[0].candidates == ()


def test_claims_stand_first_and_results_last_and_pages_keep_to_it(
    desk: Client, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unmatched, "PAGE_SIZE", 2)
    for place, kind in enumerate(("claim", "encounter", "clinical", "claim"), 1):
        a_link(None, kind, str(place), practice=practice, state="unmatched")
    first = desk.get(reverse("unmatched")).context["page"]
    assert [link.record_id for link in first.rows] == ["4", "1"]
    assert [row.record_id for row in rows(desk, f"?after={first.next}")] == ["2", "3"]


def test_each_state_says_why_it_waits(desk: Client, practice: Practice) -> None:
    a_lone_claim(practice, "1", state="pending", evidence={"appointment_id": "9001"})
    a_lone_claim(practice, "2", state="unmatched", evidence={"candidates": []})
    a_lone_claim(practice, "3", state="unmatched", evidence={"lacks": "date"})
    a_link(None, "clinical", "r1", practice=practice, state="unmatched")
    assert [row.why for row in rows(desk)] == [
        "Carries no date to match by.",
        "The patient has no visit near that day.",
        "Names appointment 9001, which we have not received.",
        "Names no encounter.",
    ]


def test_kinds_and_states_are_counted_and_narrow_the_list(desk: Client, practice: Practice) -> None:
    a_lone_claim(practice, "1", state="pending")
    a_lone_claim(practice, "2", state="unmatched")
    a_link(None, "clinical", "r1", practice=practice, state="unmatched")
    context = desk.get(reverse("unmatched")).context
    assert {w.kind: w.total for w in context["waiting"]} == {"claim": 2, "clinical": 1}
    assert [row.record_id for row in rows(desk, "?kind=claim&state=pending")] == ["1"]
    assert len(rows(desk, "?kind=nonsense&state=%00")) == 3


def test_linked_records_and_other_practices_are_not_listed(desk: Client, practice: Practice) -> None:
    a_visit(practice)
    a_lone_claim(a_practice("elsewhere"), "1", state="unmatched")
    assert rows(desk) == []
    assert "Every record has its visit" in desk.get(reverse("unmatched")).content.decode()
