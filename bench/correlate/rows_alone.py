"""The visits and links of a correlation, written again from a copy: no matching, only rows and their indexes."""

from __future__ import annotations

from django.db import connection

TABLES = {"correlation_visit": "id", "correlation_link": "visit_id"}


def keep() -> dict[str, int]:
    """How many there are of each."""
    with connection.cursor() as cursor:
        counts = {}
        for table in TABLES:
            cursor.execute(f"create temp table kept_{table} as select * from {table}")  # noqa: S608
            counts[table.removeprefix("correlation_") + "s"] = int(cursor.rowcount)
        cursor.execute("truncate correlation_visit, correlation_link cascade")
    return counts


def write() -> None:
    with connection.cursor() as cursor:
        for table, order in TABLES.items():
            cursor.execute(f"insert into {table} select * from kept_{table} order by {order}")  # noqa: S608
