"""Who must be asked about one by one, when, and that no wish to ask again is lost."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from msgspec.structs import replace

from athena_dash.records.facts import (
    AppointmentFact,
    ChargeFact,
    ChartEncounter,
    ClaimAppointment,
    ClaimFact,
    PatientMerge,
    Sourced,
    TransactionFact,
)
from athena_dash.records.upsert import upsert
from athena_dash.sync import subjects
from athena_dash.sync.models import Subject
from tests.sync.athena import NOW

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def arrive(practice):
    """These facts arrive through this feed at this minute."""

    def arrive(resource: str, *facts, minute: int = 0) -> None:
        at = NOW + minute * MINUTE
        touched = upsert(practice.pk, [Sourced(fact, 1, at) for fact in facts])
        subjects.route(practice.pk, resource, touched, at)

    return arrive


def due(practice, resource: str, minute: int = 0, limit: int = 100) -> list[tuple[str, str]]:
    found = subjects.due(practice.pk, resource, NOW + minute * MINUTE, limit)
    return [(subject.key, subject.scope) for subject in found]


def ask(practice, resource: str, minute: int = 0) -> list[Subject]:
    taken = subjects.due(practice.pk, resource, NOW + minute * MINUTE, 100)
    subjects.asked(taken, NOW + minute * MINUTE)
    return taken


SEEN = AppointmentFact(external_id="500", patient_id="7", department_id="1", status="2")


def test_an_appointment_makes_its_patient_due_and_once_kept_its_chart_and_fhir_too(practice, arrive) -> None:
    arrive("appointments", AppointmentFact(external_id="500", patient_id="7", department_id="1", status="f"))
    assert due(practice, "patients") == due(practice, "insurances") == [("7", "")]
    assert due(practice, "encounters") == due(practice, "observations") == []
    arrive("appointments", SEEN)
    assert due(practice, "encounters") == [("7", "1")]
    assert due(practice, "fhir_patients") == due(practice, "observations") == [("7", "")]


def test_one_who_stayed_away_may_have_been_treated_by_telephone(practice, arrive) -> None:
    arrive("appointments", AppointmentFact(external_id="500", patient_id="7", department_id="1", status="x"))
    assert due(practice, "encounters") == [("7", "1")]
    assert due(practice, "conditions") == due(practice, "fhir_patients") == []


def test_another_clinics_result_comes_for_one_who_stayed_away_too(practice, arrive) -> None:
    arrive("appointments", AppointmentFact(external_id="500", patient_id="7", department_id="1", status="x"))
    assert due(practice, "observations") == due(practice, "diagnostic_reports") == [("7", "")]


def test_one_whose_day_has_passed_without_a_word_may_have_come(practice, arrive) -> None:
    booked = AppointmentFact(
        external_id="500",
        patient_id="7",
        department_id="1",
        status="f",
        date=NOW.date() + dt.timedelta(days=1),
    )
    arrive("appointments", booked)
    assert due(practice, "encounters") == []
    past = NOW.date() - dt.timedelta(days=1)
    arrive("appointments", replace(booked, external_id="501", date=past))
    assert due(practice, "encounters") == [("7", "1")]


def test_an_appointment_without_a_patient_makes_nobody_due(practice, arrive) -> None:
    arrive("appointments", AppointmentFact(external_id="500", status="2"))
    assert not Subject.objects.exists()


def test_a_change_makes_the_chart_due_again_but_the_patient_only_once(practice, arrive) -> None:
    arrive("appointments", SEEN)
    ask(practice, "encounters"), ask(practice, "patients")
    arrive(
        "appointments",
        AppointmentFact(external_id="500", patient_id="7", department_id="1", status="3"),
        minute=5,
    )
    assert due(practice, "encounters", 5) == [("7", "1")]
    assert due(practice, "patients", 5) == [], "the patients' changed feed brings the rest"


def test_what_did_not_change_makes_nobody_due(practice, arrive) -> None:
    arrive("appointments", SEEN)
    ask(practice, "encounters")
    arrive("appointments", SEEN, minute=5)
    assert due(practice, "encounters", 5) == []


def test_a_subject_made_due_again_while_it_was_being_asked_about_stays_due(practice, arrive) -> None:
    arrive("appointments", SEEN)
    taken = subjects.due(practice.pk, "encounters", NOW, 100)
    arrive(
        "appointments",
        AppointmentFact(external_id="500", patient_id="7", department_id="1", status="3"),
        minute=1,
    )
    subjects.asked(taken, NOW + 2 * MINUTE)
    assert due(practice, "encounters", 2) == [("7", "1")]


def test_the_longest_waiting_are_asked_about_first_and_what_was_put_off_last(practice, arrive) -> None:
    for minute, patient in enumerate("789"):
        arrive(
            "appointments",
            AppointmentFact(external_id=patient, patient_id=patient, status="f"),
            minute=minute,
        )
    assert due(practice, "patients", 5, limit=2) == [("7", ""), ("8", "")]
    subjects.put_off(subjects.due(practice.pk, "patients", NOW + 5 * MINUTE, 1), NOW + 4 * MINUTE)
    assert due(practice, "patients", 5) == [("8", ""), ("9", ""), ("7", "")]


def test_nobody_is_due_before_the_time(practice, arrive) -> None:
    arrive("appointments", SEEN, minute=3)
    assert due(practice, "encounters", 2) == []


@pytest.mark.parametrize(
    ("kind", "status", "asked"),
    [
        ("VISIT", "CLOSED", True),
        ("ORDERSONLY", "OPEN", True),
        ("FLOWSHEET", "CLOSED", False),
        ("VISIT", "DELETED", False),
    ],
)
def test_services_are_asked_of_encounters_that_can_hold_some(practice, arrive, kind, status, asked) -> None:
    arrive("encounters", ChartEncounter(external_id="900", patient_id="7", kind=kind, status=status))
    assert due(practice, "services") == ([("900", "")] if asked else [])


def test_the_services_of_a_signed_note_are_asked_again_when_its_visit_moves_on(practice, arrive) -> None:
    arrive("encounters", ChartEncounter(external_id="900", patient_id="7", kind="VISIT", status="CLOSED"))
    ask(practice, "services")
    visit = {"external_id": "5", "patient_id": "7", "department_id": "1", "encounter_id": "900"}
    arrive("appointments", AppointmentFact(**visit, status="3"), minute=5)
    assert due(practice, "services", minute=5) == [("900", "")]
    ask(practice, "services", minute=6)
    arrive("appointments", AppointmentFact(**visit, status="4"), minute=10)
    assert due(practice, "services", minute=10) == [("900", "")]


def test_an_open_claim_has_its_notes_read_and_every_claim_its_transactions(practice, arrive) -> None:
    arrive(
        "claims",
        ClaimFact(external_id="1", patient_id="7", primary_status="CBOHOLD"),
        ClaimFact(external_id="2", patient_id="7", primary_status="CLOSED", secondary_status="BILLED"),
        ClaimFact(external_id="3", patient_id="7", primary_status="CLOSED"),
    )
    assert due(practice, "claim_notes") == [("1", ""), ("2", "")]
    assert due(practice, "transactions") == [("1", ""), ("2", ""), ("3", "")]


def test_only_a_claim_that_arrives_open_is_known_to_be_asked_again(practice, arrive) -> None:
    arrive(
        "claims",
        ClaimFact(external_id="1", patient_status="COLLECT", primary_status="CLOSED"),
        ClaimFact(external_id="2", primary_status="CLOSED"),
    )
    known = Subject.objects.for_practice(practice).filter(resource="claims")
    assert list(known.values_list("key", flat=True)) == ["1"]


def paid(line: str, claim: str, dollars: int) -> TransactionFact:
    """Of $42; what the payer does not allow is adjusted away."""
    return TransactionFact(
        external_id=line,
        claim_id=claim,
        payments=Decimal(dollars),
        adjustments=Decimal(42 - dollars),
        outstanding=Decimal(0),
    )


def test_a_line_that_was_paid_nothing_has_its_claims_notes_read(practice, arrive) -> None:
    """Closed claims have none read: there are too many, and most say nothing."""
    for line, claim in (("11", "1"), ("12", "2")):
        arrive("claims", ChargeFact(external_id=line, claim_id=claim, amount=Decimal(42)))
    arrive("transactions", paid("11", "1", 0), paid("12", "2", 20))
    assert due(practice, "claim_notes") == [("1", "")]


def test_a_merge_has_the_charts_of_the_survivor_read_again(practice, arrive) -> None:
    arrive("appointments", SEEN)
    arrive("patients", PatientMerge(external_id="7", merged_into="8"))
    assert ("8", "1") in due(practice, "encounters")
    assert ("8", "") in due(practice, "observations")


def test_a_claim_an_appointment_names_is_asked_for_until_it_is_here(practice, arrive) -> None:
    arrive("appointments", SEEN, ClaimAppointment(external_id="301", appointment_id="500"))
    assert due(practice, "claims") == [("301", "")]
    arrive("claims", ClaimFact(external_id="301", primary_status="BILLED"), minute=1)
    assert due(practice, "claims", 1) == []
