"""Facts into rows: by view, in sets, and only where something differs."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DataError, connection

from athena_dash.practices.models import Practice
from athena_dash.records.facts import (
    ChargeFact,
    ChartEncounter,
    ClaimAppointment,
    ClaimFact,
    FhirEncounter,
    FhirPatient,
    PatientFact,
    PatientMerge,
    Roster,
    ServiceFact,
    TransactionFact,
)
from athena_dash.records.models import ChargeLine, Claim, Encounter, Patient, ServiceLine
from athena_dash.records.upsert import mark_record_gone


def where_rows_are(table: str) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(f"select ctid::text, xmin::text from {table} order by id")
        return cursor.fetchall()


def test_a_new_fact_becomes_a_row_with_defaults_where_its_view_is_silent(practice, write, as_of) -> None:
    touched = write(ClaimAppointment(external_id="301", appointment_id="500"), raw_id=9)
    claim = Claim.objects.get()
    assert touched == {"claim": {"301"}}
    assert (claim.practice, claim.appointment_id, claim.raw_id, claim.fetched_at) == (
        practice,
        "500",
        9,
        as_of,
    )
    assert (claim.primary_status, claim.charge_amount, claim.diagnosis_codes) == ("", None, [])


def test_a_view_never_nulls_what_another_view_knows(write) -> None:
    write(PatientFact(external_id="7", first_name="Ona", dob=dt.date(1980, 2, 3)))
    write(FhirPatient(external_id="7", fhir_id="a-195900.E-7", fhir_active=True))
    write(PatientMerge(external_id="7", merged_into="8"))
    write(PatientFact(external_id="7", first_name="Ona", dob=None))
    patient = Patient.objects.get()
    assert (patient.first_name, patient.dob) == ("Ona", None)
    assert (patient.fhir_id, patient.fhir_active, patient.merged_into) == ("a-195900.E-7", True, "8")


def test_chart_and_fhir_fill_their_own_columns_of_one_encounter_in_one_batch(write) -> None:
    started = dt.datetime(2026, 3, 9, 13, 30, tzinfo=dt.UTC)
    write(
        FhirEncounter(external_id="900", fhir_status="finished", started_at=started),
        ChartEncounter(external_id="900", appointment_id="500", kind="VISIT", diagnosis_codes=("J00", "R05")),
    )
    encounter = Encounter.objects.get()
    assert (encounter.appointment_id, encounter.diagnosis_codes) == ("500", ["J00", "R05"])
    assert (encounter.fhir_status, encounter.started_at) == ("finished", started)


def test_a_claim_line_keeps_its_charge_when_its_money_is_read(write) -> None:
    write(
        ChargeFact(external_id="1", claim_id="301", procedure_code="99213", amount=Decimal(".01")),
        TransactionFact(external_id="1", claim_id="301", payments=Decimal("0.005")),
    )
    line = ChargeLine.objects.get()
    assert (line.procedure_code, line.amount) == ("99213", Decimal("0.01"))
    assert line.payments == Decimal("0.01"), "cents, as PostgreSQL rounds"


def test_rows_that_would_not_change_are_not_rewritten(write) -> None:
    facts = [
        ClaimFact(external_id=str(n), charge_amount=Decimal("10.5"), procedure_codes=("99213",))
        for n in range(5)
    ]
    write(*facts)
    before = where_rows_are("records_claim")
    assert write(*facts, minutes=5, raw_id=2) == {}
    assert where_rows_are("records_claim") == before


def test_of_a_thousand_rows_only_the_changed_one_is_touched(write) -> None:
    facts = [PatientFact(external_id=str(n), first_name=f"P{n}") for n in range(1000)]
    assert len(write(*facts)["patient"]) == 1000
    facts[500] = PatientFact(external_id="500", first_name="Renamed")
    assert write(*facts, minutes=1) == {"patient": {"500"}}
    assert Patient.objects.count() == 1000


def test_new_rows_and_changed_ones_come_in_one_batch(write) -> None:
    write(*[ClaimFact(external_id=str(n), diagnosis_codes=("J00",)) for n in (1, 3)])
    facts = [ClaimFact(external_id=str(n), diagnosis_codes=("J00", "R05")[:n]) for n in (1, 2, 3)]
    assert write(*facts, minutes=1) == {"claim": {"2", "3"}}
    codes = Claim.objects.order_by("external_id").values_list("diagnosis_codes", flat=True)
    assert list(codes) == [["J00"], ["J00", "R05"], ["J00", "R05"]]


def test_a_record_named_twice_in_one_batch_is_what_was_said_last(write) -> None:
    write(PatientFact(external_id="7", first_name="Old"), PatientFact(external_id="7", first_name="New"))
    assert Patient.objects.get().first_name == "New"


def test_two_practices_may_use_the_same_id(practice, write, as_of) -> None:
    write(PatientFact(external_id="7", first_name="Ona"))
    other = Practice.objects.create(slug="harbor", name="Harbor", athena_id="11287")
    Patient.objects.create(practice=other, external_id="7", first_name="Ivo", fetched_at=as_of)
    write(PatientFact(external_id="7", first_name="Ona Maria"), minutes=1)
    assert Patient.objects.get(practice=other).first_name == "Ivo"


@pytest.mark.parametrize("text", ["tab\tnewline\nbackslash\\", "\\N", '"quoted", and more', "Ünïcødé 🩺", ""])
def test_any_storable_text_comes_back_as_it_was(write, text: str) -> None:
    write(PatientFact(external_id="7", first_name=text))
    assert Patient.objects.get().first_name == text


@pytest.mark.parametrize(("text", "refusal"), [("a\x00b", DataError), ("a\ud800b", UnicodeEncodeError)])
def test_text_postgresql_cannot_hold_is_refused_and_not_mangled(write, text: str, refusal: type) -> None:
    """Normalise refuses such text first; this is the second line."""
    with pytest.raises(refusal):
        write(PatientFact(external_id="7", first_name=text))


# -- gone, and back ------------------------------------------------------------------------------------


def services(*ids: str) -> Roster:
    return Roster(table="serviceline", parent_column="encounter_id", parent_id="900", external_ids=ids)


def gone() -> set[str]:
    return set(ServiceLine.objects.filter(gone_at__isnull=False).values_list("external_id", flat=True))


@pytest.fixture
def two_services(write) -> None:
    write(
        ServiceFact(external_id="1", encounter_id="900"),
        ServiceFact(external_id="2", encounter_id="900"),
        ServiceFact(external_id="3", encounter_id="901"),
        services("1", "2"),
    )


def test_a_child_its_roster_no_longer_names_is_gone(write, two_services) -> None:
    assert write(services("1"), minutes=1) == {"serviceline": {"2"}}
    assert gone() == {"2"}


def test_an_empty_roster_means_that_all_children_are_gone_but_not_those_of_others(
    write, two_services
) -> None:
    write(services(), minutes=1)
    assert gone() == {"1", "2"}


def test_a_child_that_is_named_again_is_back_although_its_payload_is_not_new(write, two_services) -> None:
    write(services("1"), minutes=1)
    assert write(services("1", "2"), minutes=2) == {"serviceline": {"2"}}
    assert gone() == set()
    assert write(services("1", "2"), minutes=3) == {}


def test_a_line_its_claim_no_longer_names_is_gone_also_where_its_money_comes_in_the_same_batch(write) -> None:
    lines = Roster(table="chargeline", parent_column="claim_id", parent_id="301", external_ids=("1",))
    write(
        ChargeFact(external_id="1", claim_id="301"),
        lines,
        TransactionFact(external_id="2", claim_id="301", payments=Decimal(0)),
    )
    assert list(ChargeLine.objects.filter(gone_at=None).values_list("external_id", flat=True)) == ["1"]


def test_a_record_the_source_answered_404_for_is_gone_until_it_is_seen_again(practice, write, as_of) -> None:
    write(ClaimFact(external_id="301", primary_status="HOLD"))
    assert mark_record_gone(practice.pk, "claim", "301", as_of) == {"claim": {"301"}}
    assert mark_record_gone(practice.pk, "claim", "301", as_of) == {}
    assert write(ClaimFact(external_id="301", primary_status="HOLD"), minutes=1) == {"claim": {"301"}}
    assert Claim.objects.get().gone_at is None
