"""A CSV set → records by COPY → where the real stage puts each claim, with shipped and then with learnt weights."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from bench.correlate.data import insertion
from bench.correlate.ground import clear

FILES = ("encounters", "claims", "charges", "merges")

RECORDS: dict[str, tuple[str, dict[str, str]]] = {
    "appointment": (
        "set_encounters e",
        {
            "external_id": "appointment_id",
            "patient_id": "patient_id",
            "department_id": "department_id",
            "provider_id": "provider_id",
            "supervising_provider_id": "supervising_provider_id",
            "date": "(service_start::timestamptz at time zone timezone)::date",
            "starts_at": "service_start::timestamptz",
            "status": "'3'",
            "encounter_id": "encounter_id",
        },
    ),
    "encounter": (
        "set_encounters e",
        {
            "external_id": "encounter_id",
            "appointment_id": "appointment_id",
            "patient_id": "patient_id",
            "department_id": "department_id",
            "provider_id": "provider_id",
            "date": "(service_start::timestamptz at time zone timezone)::date",
            "kind": "'VISIT'",
            "status": "'CLOSED'",
            "diagnosis_codes": "array_remove(string_to_array(diagnosis_codes, '|'), '')",
        },
    ),
    "serviceline": (
        "set_encounters, unnest(string_to_array(nullif(procedure_codes, ''), '|')) with ordinality as s(code, number)",
        {
            "external_id": "encounter_id || '/' || s.number",
            "encounter_id": "encounter_id",
            "procedure_code": "s.code",
            "bill_for_service": "true",
        },
    ),
    "claim": (
        "set_claims c",
        {
            "external_id": "claim_id",
            "appointment_id": "appointment_id",
            "patient_id": "patient_id",
            "department_id": "department_id",
            "billed_provider_id": "billed_provider_id",
            "service_date": "nullif(service_date, '')::date",
            "charge_amount": "amount::numeric",
            "primary_status": "'BILLED'",
            "procedure_codes": "array_remove(string_to_array(procedure_codes, '|'), '')",
            "diagnosis_codes": "array_remove(string_to_array(diagnosis_codes, '|'), '')",
        },
    ),
    "chargeline": (
        "set_charges c",
        {
            "external_id": "charge_id",
            "claim_id": "claim_id",
            "procedure_code": "procedure_code",
            "amount": "amount::numeric",
        },
    ),
    "patient": ("set_merges m", {"external_id": "old_patient_id", "merged_into": "patient_id"}),
}

PLACES = """
select l.record_id, coalesce(e.encounter_id, ''), l.state, l.score
from correlation_link l
left join correlation_visit v
  on v.id = coalesce(l.visit_id, (l.evidence -> 'candidates' -> 0 ->> 'visit_id')::bigint)
left join records_appointment e
  on e.practice_id = l.practice_id and e.external_id = v.anchor_id and v.anchor = 'appointment'
where l.practice_id = %s and l.kind = 'claim'
"""

Places = dict[str, tuple[str, str, float]]
"""Claim id → its best encounter or none, state, chance."""


def load(directory: Path, practice_id: int) -> None:
    clear()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"truncate {', '.join(f'records_{table}' for table in RECORDS)} cascade")
        for name in FILES:
            copy(cursor, name, directory / f"{name}.csv")
        for table, (source, columns) in RECORDS.items():
            cursor.execute(insertion(table, source, columns), {"practice": practice_id})
    with connection.cursor() as cursor:
        cursor.execute("analyze")


def copy(cursor: Any, name: str, path: Path) -> None:
    header = "old_patient_id,patient_id"
    if path.is_file():
        with path.open() as file:
            header = file.readline().strip()
    columns = ", ".join(f'"{column}" text' for column in next(csv.reader([header])))
    cursor.execute(f"create temp table set_{name} ({columns}) on commit drop")
    if path.is_file():
        with cursor.copy(f"copy set_{name} from stdin (format csv, header, force_not_null *)") as into:
            into.write(path.read_bytes())


def tie(directory: Path, practice_id: int) -> tuple[dict[str, Places], dict[str, float]]:
    """With `shipped` and with `learnt` weights: places; seconds of each step."""
    from athena_dash.correlation import reweighing
    from athena_dash.correlation.models import Weights
    from athena_dash.correlation.service import correlate

    Weights.objects.all().delete()
    spent: dict[str, float] = {}

    @contextmanager
    def lap(name: str) -> Iterator[None]:
        began = time.perf_counter()
        with transaction.atomic():
            yield
        spent[name] = round(time.perf_counter() - began, 1)

    load(directory, practice_id)
    with lap("correlate"):
        correlate(
            practice_id, {table: ids(practice_id, table) for table in ("appointment", "encounter", "claim")}
        )
    shipped = places(practice_id)
    with lap("learn"):
        learnt = reweighing.learn_weights(practice_id)
        if learnt is None:
            raise ValueError(f"{directory.name} is too small to learn from")
    with lap("apply"):
        reweighing.activate(practice_id, learnt.version)
        correlate(practice_id, {"claim": reweighing.lone_after(practice_id, "", None)})
    return {"shipped": shipped, "learnt": places(practice_id)}, spent


def ids(practice_id: int, table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"select external_id from records_{table} where practice_id = %s", [practice_id])  # noqa: S608
        return [id for (id,) in cursor.fetchall()]


def places(practice_id: int) -> Places:
    with connection.cursor() as cursor:
        cursor.execute(PLACES, [practice_id])
        return {id: (encounter, state, score) for id, encounter, state, score in cursor.fetchall()}
