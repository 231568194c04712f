"""The Weights page: a version is tried out before it is used, applied by a worker that is watched, and taken back."""

from __future__ import annotations

import pytest
from django.test import Client

from athena_dash.correlation import reweighing
from athena_dash.correlation.models import Weights
from athena_dash.correlation.weights import SHIPPED
from athena_dash.operations.weight_rows import FACTS
from athena_dash.practices.models import Practice
from athena_dash.sync import jobs, pipeline
from tests.correlation.office import Office, a_claim, an_appointment

URL = "/practices/riverside/weights"


@pytest.fixture
def office(practice: Practice) -> Office:
    """One claim without an id, which the shipped points leave alone for its provider; version 1 thinks less of that."""
    office = Office(practice)
    office.receive(an_appointment("100"), a_claim("40", billed_provider_id="99", department_id=""))
    reweighing.keep(office.id, 0)
    reweighing.keep(office.id, 1, known=400, points={"other_provider": 3})  # type: ignore[dict-item]
    return office


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(jobs, "ring_weights", lambda id: heard.append("apply"))
    monkeypatch.setattr(jobs, "ring_learning", lambda id: heard.append("learn"))
    return heard


def test_before_anything_was_learnt_the_page_says_so(as_ada: Client, practice: Practice) -> None:
    assert "Nothing learnt yet" in as_ada.get(URL).content.decode()


def test_trying_out_shows_what_would_change_and_changes_nothing(as_ada: Client, office: Office) -> None:
    shown = as_ada.get(URL + "?try=1")
    assert shown.context["preview"].added.claims == 1
    assert "Version 1: ties 1 more, 0 fewer, 0 elsewhere" in shown.content.decode()
    assert office.where("claim", "40") == "unmatched"
    assert not Weights.objects.filter(active=True).exists()


def test_a_version_is_applied_by_a_worker_and_taken_back(
    as_ada: Client, office: Office, rung: list[str]
) -> None:
    as_ada.post(URL + "/apply", {"version": "1"})
    row = Weights.objects.get(version=1)
    assert row.active
    assert row.applied_by is not None
    assert rung == ["apply"]
    page = as_ada.get(URL).content.decode()
    assert "0 of 1 claim tied again" in page
    assert "every 2s" in page
    jobs.apply_weights(office.id)
    assert office.where("claim", "40") == "appointment 100"
    assert "every 2s" not in as_ada.get(URL).content.decode()
    as_ada.post(URL + "/apply", {"version": "0"})
    while pipeline.apply_weights(office.id):
        pass
    assert office.where("claim", "40") == "unmatched"


def test_learning_is_left_to_a_worker(as_ada: Client, office: Office, rung: list[str]) -> None:
    as_ada.post(URL + "/learn")
    assert rung == ["learn"]


@pytest.mark.parametrize("version", ["", "9", "x", "1" * 30])
def test_a_version_that_is_not_there_is_not_found(as_ada: Client, office: Office, version: str) -> None:
    assert as_ada.post(URL + "/apply", {"version": version}).status_code == 404


def test_every_level_that_is_learnt_has_words() -> None:
    circumstances = {"awaited", "not_expected", "did_not_happen"}  # not learnt
    assert {level for levels in FACTS.values() for level in levels} == SHIPPED.keys() - circumstances
