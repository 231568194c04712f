"""Rows of a CSV set → records of a practice, tied by the real stage: encounters first, then claims and charges.

An encounter with an appointment is that appointment's visit, checked out; one without is a visit by itself, which
has none to wait for. A charge without a claim is landed as a claim of one line: athena knows no other charges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.db import connection, transaction

from athena_dash.core import clock
from athena_dash.correlation.service import correlate
from athena_dash.operations.evaluation.csv_set import ChargeRow, ClaimRow, CsvSet, EncounterRow
from athena_dash.records.facts import (
    AppointmentFact,
    ChargeFact,
    ChartEncounter,
    ClaimFact,
    ClaimOfAppointment,
    Fact,
    PatientMerge,
    ServiceFact,
    Sourced,
)
from athena_dash.records.upsert import upsert

Item = TypeVar("Item")

AT_ONCE = 5_000
NOT_RAW = 0  # nothing was fetched, so no raw payload says it


def land(rows: CsvSet, practice_id: int) -> None:
    now = clock.now()
    write(practice_id, (PatientMerge(external_id=m.id, merged_into=m.into) for m in rows.merges), now)
    write(practice_id, (fact for row in rows.encounters for fact in of_encounter(row)), now)
    for part in parts([row.id for row in rows.encounters]):
        relate(practice_id, "encounter", part)
    write(practice_id, (fact for row in rows.claims for fact in of_claim(row)), now)
    write(practice_id, (fact for row in rows.charges for fact in of_charge(row)), now)
    lone = [lone_id(row) for row in rows.charges if not row.claim_id]
    for part in parts([row.id for row in rows.claims] + lone):
        relate(practice_id, "claim", part)


def lone_id(row: ChargeRow) -> str:
    """The claim that a charge without one is landed as."""
    return f"charge/{row.id}"


def of_encounter(row: EncounterRow) -> Iterator[Fact]:
    if row.appointment_id:
        yield AppointmentFact(
            external_id=row.appointment_id,
            patient_id=row.patient_id,
            department_id=row.department_id,
            provider_id=row.provider_id,
            date=row.day,
            status="3",
            encounter_id=row.id,
        )
    yield ChartEncounter(
        external_id=row.id,
        appointment_id=row.appointment_id,
        patient_id=row.patient_id,
        department_id=row.department_id,
        provider_id=row.provider_id,
        date=row.day,
        kind="VISIT" if row.appointment_id else "ORDERSONLY",
        status="CLOSED",
        diagnosis_codes=row.diagnoses,
    )
    for number, code in enumerate(row.procedures):
        yield ServiceFact(external_id=f"{row.id}/{number}", encounter_id=row.id, procedure_code=code)


def of_claim(row: ClaimRow) -> Iterator[Fact]:
    named = row.appointment_id
    view = partial(ClaimOfAppointment, appointment_id=named) if named else ClaimFact
    yield view(
        external_id=row.id,
        patient_id=row.patient_id,
        department_id=row.department_id,
        billed_provider_id=row.provider_id,
        service_date=row.day,
        charge_amount=row.amount,
        primary_status="BILLED",
        procedure_codes=row.procedures,
        diagnosis_codes=row.diagnoses,
    )


def of_charge(row: ChargeRow) -> Iterator[Fact]:
    if not row.claim_id:
        yield from of_claim(
            ClaimRow(
                id=lone_id(row),
                patient_id=row.patient_id,
                day=row.day,
                provider_id=row.provider_id,
                department_id=row.department_id,
                amount=row.amount,
                procedures=(row.procedure,) if row.procedure else (),
            )
        )
    yield ChargeFact(
        external_id=row.id,
        claim_id=row.claim_id or lone_id(row),
        procedure_code=row.procedure,
        amount=row.amount,
    )


def write(practice_id: int, facts: Iterable[Fact], now: datetime) -> None:
    for part in parts(list(facts)):
        with transaction.atomic():
            upsert(practice_id, [Sourced(fact, NOT_RAW, now) for fact in part])
    with connection.cursor() as cursor:
        cursor.execute("analyze")  # the tables were empty a moment ago


def relate(practice_id: int, table: str, ids: Sequence[str]) -> None:
    with transaction.atomic():
        correlate(practice_id, {table: ids})


def parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
