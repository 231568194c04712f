"""A live practice is scored on its own records, and none of them moves."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from athena_dash.practices.models import Practice
from tests.correlation.office import Office, a_claim, an_appointment, an_encounter


@pytest.fixture
def office(db: None) -> Office:
    return Office(Practice.objects.create(slug="live", name="Live", athena_id="1"))


def test_ids_are_hidden_and_those_that_never_had_one_are_told_apart(office: Office) -> None:
    office.receive(
        *(an_appointment("100", encounter_id="9"), an_encounter("9"), a_claim("40", appointment_id="100")),
        *(an_appointment("101", patient_id="8"), a_claim("41", patient_id="8")),
    )
    before = office.picture()
    out = StringIO()
    call_command("evaluate_correlation", practice="live", json=True, stdout=out)
    report = json.loads(out.getvalue())
    assert report["links"]["claim_hidden_id"]["tp"] == 1
    assert report["links"]["encounter_hidden_id"]["tp"] == 1
    assert report["never_had_id"]["linked"]["claims"] == 1
    assert "claim patient_day" in report["tiers"]
    assert office.picture() == before


def test_a_practice_that_is_not_there_is_said(db: None) -> None:
    with pytest.raises(CommandError, match="no practice"):
        call_command("evaluate_correlation", practice="nowhere")
