"""Correlating again writes nothing, and the order in which records arrive changes nothing."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athena_dash.correlation.models import Gap, Link, Visit
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    Row,
    a_claim,
    a_line,
    a_patient,
    a_result,
    a_service,
    an_appointment,
    an_encounter,
)

DAY = dt.timedelta(days=1)

RECORDS: tuple[Row, ...] = (
    a_patient("7", merged_into="8"),
    a_patient("8"),
    an_appointment("100", encounter_id="9"),
    an_encounter("9"),
    a_service("s1", "9"),
    a_result("r1", encounter_id="9"),
    an_appointment("101", provider_id="72", patient_id="8"),
    an_encounter("10", appointment_id="101", provider_id="72", status="OPEN", closed_on=None),
    an_appointment("102", date=WEDNESDAY + DAY, status="2", encounter_id="11"),
    an_encounter("11", date=WEDNESDAY + DAY, appointment_id="102"),
    an_encounter("12", kind="ORDERSONLY"),
    an_encounter("13", date=WEDNESDAY + DAY * 20, appointment_id="999"),
    an_encounter("14", date=WEDNESDAY + DAY * 5, patient_id="70"),
    an_appointment("103", date=WEDNESDAY + DAY * 5, patient_id="70"),
    a_claim("40", patient_id="8", billed_provider_id="72"),
    a_line("1", "40"),
    a_claim("41", appointment_id="100", primary_status="CLOSED"),
    a_line("2", "41"),
    a_line("3", "41", "-180"),
    a_claim("42", service_date=WEDNESDAY + DAY, procedure_codes=["90471"]),
    a_claim("43", appointment_id="998"),
    a_result("r2"),
    a_result("r3", encounter_id="12"),
)


def rows() -> list[tuple[str, int, str]]:
    """Every row's physical version: PostgreSQL's xmin changes whenever a row is written, equal or not."""
    found: list[tuple[str, int, str]] = []
    with connection.cursor() as cursor:
        for model in (Visit, Link, Gap):
            cursor.execute(
                f"select '{model.__name__}', id, xmin::text || ctid::text from {model._meta.db_table}"
            )
            found += cursor.fetchall()
    return sorted(found)


def test_running_twice_writes_no_row(office: Office) -> None:
    office.receive(*RECORDS)
    before = rows()
    touched: dict[str, set[str]] = {}
    for table, columns in RECORDS:
        touched.setdefault(table, set()).add(columns["external_id"])
    office.correlate(touched)
    assert rows() == before
    assert len(before) > 20


@pytest.mark.parametrize("seed", range(8))
def test_records_one_by_one_in_any_order_end_like_all_at_once(office: Office, seed: int) -> None:
    shuffled = list(RECORDS)
    random.Random(seed).shuffle(shuffled)
    for record in shuffled:
        office.receive(record)
    one_by_one = office.picture()

    Visit.objects.all().delete()
    Link.objects.all().delete()
    office.receive(*RECORDS)
    assert [item for item in office.picture() if item not in one_by_one] == []
    assert len(one_by_one) == len(office.picture())


@pytest.mark.parametrize("left_out", [None, ("appointment", "100"), ("encounter", "9"), ("claim", "41")])
def test_a_first_load_takes_whole_tables_and_finds_what_one_of_them_lacks(
    office: Office, monkeypatch: pytest.MonkeyPatch, left_out: tuple[str, str] | None
) -> None:
    office.receive(*RECORDS)
    in_few = office.picture()
    Visit.objects.all().delete()
    Link.objects.all().delete()

    monkeypatch.setattr("athena_dash.correlation.scope.LARGE", 1)
    touched: dict[str, set[str]] = {}
    for table, columns in RECORDS:
        if (table, columns["external_id"]) != left_out:
            touched.setdefault(table, set()).add(columns["external_id"])
    office.correlate(touched)
    assert office.picture() == in_few


def test_the_first_claims_of_a_practice_show_on_visits_that_stand(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("athena_dash.correlation.scope.LARGE", 1)
    office.receive(*(record for record in RECORDS if record[0] not in ("claim", "chargeline")))
    assert office.visit("101").charges is None
    office.receive(*RECORDS, a_claim("44", appointment_id="101"), a_line("9", "44"))
    assert office.visit("101").charges == 180


def test_the_number_of_queries_does_not_grow_with_the_batch(office: Office) -> None:
    with CaptureQueriesContext(connection) as few:
        touch(office, 3)
    with CaptureQueriesContext(connection) as many:
        touch(office, 60)
    assert len(many) <= len(few)


def touch(office: Office, count: int) -> None:
    """Only the second half counts: the records are there, and correlated once more."""
    ids = {str(5000 + n) for n in range(count)}
    office.correlate({"appointment": ids, "claim": ids})
