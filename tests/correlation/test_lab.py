"""The rule lab: what a change of policy would do, said before anything is saved."""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.correlation.lab import Preview, preview
from athena_dash.correlation.models import Gap, Visit
from athena_dash.practices.policies import Policies
from tests.correlation.office import WEDNESDAY, Office, a_claim, a_line, an_appointment, an_encounter

DAY = dt.timedelta(days=1)


def changing(office: Office, **wanted: object) -> Preview:
    return preview(
        office.id, Policies(), Policies().altered({k.replace("__", "."): v for k, v in wanted.items()})
    )


def three_missing_slips(office: Office) -> None:
    """Signed and checked out a week before the office looks at them, never charged."""
    for number in ("100", "101", "102"):
        office.receive(an_appointment(number), an_encounter(f"9{number}", appointment_id=number))


def test_a_longer_grace_removes_rows_and_stores_nothing(office: Office) -> None:
    three_missing_slips(office)
    stored = list(Gap.objects.values_list("code", "closed_at", "due_at")), list(Visit.objects.values())
    found = changing(office, grace_hours__G13=500)
    assert (found.added.rows, found.removed.rows, found.visits) == (0, 3, 3)
    assert {sample.code for sample in found.removed.samples} == {"G13"}
    assert stored == (
        list(Gap.objects.values_list("code", "closed_at", "due_at")),
        list(Visit.objects.values()),
    )


def test_a_shorter_grace_adds_the_rows_it_would_open(office: Office) -> None:
    yesterday = WEDNESDAY + 6 * DAY
    at = dt.datetime(2026, 3, 10, 22, tzinfo=dt.UTC)
    office.receive(
        an_appointment("100", date=yesterday, starts_at=at, checked_in_at=at, checked_out_at=at),
        an_encounter("9", appointment_id="100", date=yesterday, closed_on=yesterday),
    )
    assert (changing(office, grace_hours__G13=4).added.rows, office.gaps("100")) == (1, {})


def test_a_suppressor_removes_what_it_hides(office: Office) -> None:
    three_missing_slips(office)
    office.receive(an_appointment("200", type_name="Nurse visit"))
    found = changing(office, **{"not_billable.visit_types": ["Office visit"]})
    assert found.removed.rows == 3


def test_the_meaning_of_a_status_word_is_part_of_the_preview(office: Office) -> None:
    office.receive(
        an_appointment("100", status="4"),
        an_encounter("9", appointment_id="100"),
        a_claim("40", appointment_id="100", primary_status="PENDCOB"),
        a_line("401", "40"),
    )
    found = changing(office, **{"claim_status.PENDCOB": "hold"})
    assert [sample.code for sample in found.added.samples] == ["G24"]
    assert found.added.dollars == 81  # E2: $180 at the shipped ratio


def test_a_filing_limit_alters_rows_that_stay(office: Office) -> None:
    three_missing_slips(office)
    found = changing(office, **{"filing_days.": 400})
    assert (found.added.rows, found.removed.rows, found.altered) == (0, 0, 3)


def test_an_admin_is_not_kept_waiting_and_told_what_was_left_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_missing_slips(office)
    monkeypatch.setattr("athena_dash.correlation.lab.CHUNK", 1)
    monkeypatch.setattr("athena_dash.correlation.lab.monotonic", iter([0, 1, 9]).__next__)
    found = changing(office, grace_hours__G13=500)
    assert (found.visits, found.of, found.removed.rows) == (1, 3, 1)


def test_visits_of_more_than_ninety_days_ago_are_left_out(office: Office) -> None:
    long_ago = WEDNESDAY - 100 * DAY
    office.receive(an_appointment("100", date=long_ago), an_encounter("9", appointment_id="100"))
    assert changing(office, grace_hours__G13=500).visits == 0
