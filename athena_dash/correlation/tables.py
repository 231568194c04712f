"""The temporary tables a correlation works in, and the one way to run its statements; holds raw SQL.

Sets of ids live in tables rather than arrays: a whole backfill's drain is joined as fast as one record. They are made
once a session and emptied by the commit, so that a small batch pays for no DDL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

LARGE = 5_000
"""Ids from which hashes and sorts get memory of their own for the rest of the transaction."""

TABLES = {
    "scope_given": "kind text, id text",
    "scope_relative": "id text",  # every id of the touched patients that are merged
    "scope_merge": "loser text, survivor text",
    "scope_appointment": "id text, patient_id text, encounter_id text, status text, date date",
    "scope_encounter": "id text, patient_id text, appointment_id text, kind text, date date",
    "scope_claim": "id text, patient_id text, appointment_id text, date date",
    "scope_fact": "id text",
    "scope_patient": "id text, survivor text, first date, last date",
    "scope_visit": "id bigint, anchor text, anchor_id text",  # made by this run, not yet written
    "scope_unbound": """kind text, record_id text, patient_id text, date date, department_id text,
        provider_ids text[], procedures text[], diagnoses text[]""",
    "scope_weight": "level text primary key, points numeric, stray numeric",
    "scope_pair": """record_id text, visit_id bigint, anchor_id text, date date, utc_date date, department_id text,
        provider_ids text[], supervisor_id text, happened bool, expected bool, taken bool, awaited bool""",
    "scope_document": "visit_id bigint, encounter_id text",
    "scope_note": "visit_id bigint, procedures text[], diagnoses text[]",
    "scope_match": """kind text, record_id text, visit_id bigint, state text, method text, score float,
        evidence jsonb""",
    "scope_touched": "visit_id bigint",
    "scope_shown": "id bigint, anchor text, anchor_id text",
    "scope_charged": "visit_id bigint, claim_id text",
    "scope_episode": """claim_id text, patient_id text, kind text, code text, starts_on date, ends_on date,
        providers text[], pays_for text[], marks text[], diagnoses text[], reasons text[]""",
    "scope_cover": """visit_id bigint, claim_id text, kind text, code text, starts_on date, ends_on date, state text,
        evidence jsonb""",
}
KEYS = {  # what the planner is told of; of lists and evidence it would learn nothing, and slowly
    name: ", ".join(
        words[0] for words in map(str.split, columns.split(",")) if words[1] in ("text", "bigint", "date")
    )
    for name, columns in TABLES.items()
}
MAKE = "".join(
    f"create temp table if not exists {name} ({columns}) on commit delete rows;\n"
    for name, columns in TABLES.items()
) + "".join(f"analyze {name};\n" for name in TABLES)  # or an empty one is guessed to hold a thousand rows
EMPTY = "".join(f"delete from {name};\n" for name in TABLES)  # noqa: S608 - this module's constants
NEAR = "set local random_page_cost = 1"  # what is in use is in memory: a few rows of a small table are looked up, too
ROOMY = "set local work_mem = '64MB'; set local default_statistics_target = 10"


def prepare(*, large: bool) -> None:
    """Empty tables, also for a second correlation inside one transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('pg_temp.scope_touched')")
        cursor.execute(EMPTY if cursor.fetchone() != (None,) else MAKE)
        cursor.execute(ROOMY if large else NEAR)


def fill(table: str, statement: str, values: Mapping[str, Any]) -> int:
    """Rows of the select statement → the table. Returns how many."""
    return change(table, f"insert into {table} {statement}", values)


def change(table: str, statement: str, values: Mapping[str, Any]) -> int:
    """Writes rows of the table. Returns how many; the planner is told, whose guess is a thousand."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        count = int(cursor.rowcount)
        if count:
            cursor.execute(f"analyze {table} ({KEYS[table]})")
    return count


def run(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def tell_planner() -> None:
    """After a large run, what it wrote. Autovacuum may have looked while nothing was committed, and the next run would
    then be planned for empty tables: a nested loop over all of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            analyze (skip_locked)
                correlation_visit (id, practice_id, anchor, anchor_id, patient_id, service_date, department_id),
                correlation_link (practice_id, kind, record_id, visit_id, state, method)
            """
        )
