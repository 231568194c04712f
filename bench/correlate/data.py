"""Invented records of one practice, made by set-based SQL: visits with claims, lines and services, and the truth."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection, models

NOW = "'2026-01-10'::timestamptz"
EMPTY = {models.TextField: "''", models.BooleanField: "false", models.IntegerField: "0"}

# Patients have four visits on average. 4 % of the visits are a second one of the same patient and day; half of these
# cannot be told from the first by provider and department. `n` orders patients' visits by chance only.
VISITS = """
create table bench_visit as
with drawn as (
    select n, 1 + floor(random() * %(visits)s / 4)::int as patient,
        date '2025-01-01' + floor(random() * 365)::int as day,
        1 + floor(random() * 40)::int as provider, random() as sibling,
        (array['99212','99213','99214','99215','99203'])[1 + floor(random() * 5)::int] as em,
        case when random() < .35
             then (array['36415','81002','93000','90471','87880','96372'])[1 + floor(random() * 6)::int] end as extra
    from generate_series(1, %(visits)s) n
), paired as (
    select *, lag(patient) over w as before_patient, lag(day) over w as before_day,
        lag(provider) over w as before_provider
    from drawn window w as (order by n)
), placed as (
    select n, em, extra,
        case when sibling < .04 and before_patient is not null then before_patient else patient end as patient,
        case when sibling < .04 and before_day is not null then before_day else day end as day,
        case when sibling < .02 and before_provider is not null then before_provider else provider end as provider
    from paired
)
select n, em, extra, patient, day, provider, provider %% 10 as department, array_remove(array[em, extra], null) as codes
from placed order by n
"""

# 92.5 % of the visits have a claim. 30 % of the claims name no appointment, and what they say of it is noisy.
CLAIMS = """
create table bench_claim as
with drawn as (
    select v.*, random() < .3 as lone, random() as r_provider, random() as r_day, random() as r_department,
        random() as r_orphan,
        1 + floor(random() * 40)::int as other_provider, 1 + floor(random() * %(visits)s / 4)::int as other_patient,
        date '2025-01-01' + floor(random() * 365)::int as other_day, floor(random() * 10)::int as other_department
    from bench_visit v where v.n %% 40 >= 3
)
select n, lone, lone and r_orphan < .02 as orphan,
    case when lone and r_orphan < .02 then other_patient else patient end as patient,
    case when lone and r_orphan < .02 then other_day when lone and r_day < .04 then day - 1
         when lone and r_day < .08 then day + 1 else day end as day,
    case when lone and r_provider < .1 then other_provider else provider end as provider,
    case when lone and r_department < .15 then '' when lone and r_department < .18 then other_department::text
         else department::text end as department,
    codes
from drawn order by n
"""

RECORDS: dict[str, tuple[str, dict[str, str]]] = {
    "appointment": (
        "bench_visit v",
        {
            "external_id": "v.n::text",
            "patient_id": "v.patient::text",
            "department_id": "v.department::text",
            "provider_id": "v.provider::text",
            "date": "v.day",
            "starts_at": "v.day + time '15:00' at time zone 'UTC'",
            "type_name": "'Office visit'",
            "status": "'3'",
            "encounter_id": "(10000000 + v.n)::text",
        },
    ),
    "encounter": (
        "bench_visit v",
        {
            "external_id": "(10000000 + v.n)::text",
            "appointment_id": "v.n::text",
            "patient_id": "v.patient::text",
            "department_id": "v.department::text",
            "provider_id": "v.provider::text",
            "date": "v.day",
            "kind": "'VISIT'",
            "status": "'CLOSED'",
            "closed_on": "v.day",
        },
    ),
    "serviceline": (
        "bench_visit v, unnest(v.codes) with ordinality as s(code, number)",
        {
            "external_id": "v.n || '/' || s.number",
            "encounter_id": "(10000000 + v.n)::text",
            "procedure_code": "s.code",
            "bill_for_service": "true",
        },
    ),
    "claim": (
        "bench_claim c",
        {
            "external_id": "(20000000 + c.n)::text",
            "appointment_id": "case when c.lone then '' else c.n::text end",
            "patient_id": "c.patient::text",
            "department_id": "c.department",
            "billed_provider_id": "c.provider::text",
            "service_date": "c.day",
            "created_date": "c.day + 2",
            "charge_amount": "180",
            "primary_status": "'BILLED'",
            "procedure_codes": "c.codes",
        },
    ),
    "chargeline": (
        "bench_claim c, generate_series(1, %(lines)s + (c.n %% 10 < %(more)s)::int) as s(number)",
        {
            "external_id": "c.n || '/' || s.number",
            "claim_id": "(20000000 + c.n)::text",
            "procedure_code": "coalesce(c.codes[s.number], c.codes[1])",
            "amount": "90",
            "posted_on": "c.day + 2",
        },
    ),
}


def invent(practice_id: int, *, visits: int, lines: int = 1, more: int = 9, seed: float = 0.11) -> None:
    """`lines` charge lines a claim, one more for `more` claims in ten. The truth stays in bench_visit and
    bench_claim."""
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists bench_visit, bench_claim")
        cursor.execute("select setseed(%s)", [seed])
        cursor.execute(VISITS, {"visits": visits})
        cursor.execute(CLAIMS, {"visits": visits})
        for table, (source, columns) in RECORDS.items():
            cursor.execute(
                insertion(table, source, columns), {"practice": practice_id, "lines": lines, "more": more}
            )
        cursor.execute("analyze")


def insertion(table: str, source: str, columns: dict[str, str]) -> str:
    """Every column of the table, those not given as the model leaves them."""
    model: Any = apps.get_model("records", table)
    given = {"practice_id": "%(practice)s", "fetched_at": NOW} | columns
    wanted = {
        field.column: given.get(field.column) or blank(field)
        for field in model._meta.concrete_fields
        if not field.primary_key
    }
    return f"insert into {model._meta.db_table} ({', '.join(wanted)}) select {', '.join(wanted.values())} from {source}"  # noqa: S608


def blank(field: models.Field[Any, Any]) -> str:
    if field.null:
        return "null"
    if field.get_internal_type() == "ArrayField":
        return "'{}'"
    return EMPTY[type(field)]


VISITS_MADE = """
insert into correlation_visit (practice_id, anchor, anchor_id, patient_id, service_date, department_id, provider_id,
    visit_type, payer_name, track, suppressor)
select %(practice)s, 'appointment', n::text, patient::text, day, department::text, provider::text,
    'Office visit', '', '--------', ''
from bench_visit order by n
"""
LINKS_MADE = """
insert into correlation_link (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
select %(practice)s, kind, record_id, v.id, 'linked', method, 1, evidence, now()
from (
    select 'encounter', (10000000 + n)::text, n, 'id', jsonb_build_object('appointment_id', n::text)
    from bench_visit
    union all select 'claim', (20000000 + n)::text, n, 'id', jsonb_build_object('appointment_id', n::text)
    from bench_claim where not lone
) made(kind, record_id, n, method, evidence)
join correlation_visit v on v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = n::text
"""


def settle(practice_id: int) -> None:
    """What ids say of the invented records, as if correlated long ago."""
    with connection.cursor() as cursor:
        cursor.execute(VISITS_MADE, {"practice": practice_id})
        cursor.execute("analyze correlation_visit")
        cursor.execute(LINKS_MADE, {"practice": practice_id})
        cursor.execute("vacuum analyze")
