"""What PostgreSQL believes of a practice that has just arrived; holds raw SQL.

Until a tenth of a table is new, autovacuum leaves the statistics as they are: they say that the new practice has no
row, so an index of its visits by day looks as good for finding one id as the natural key, and every look-up reads all
the practice has.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from psycopg import sql

MISLED = """
select s.tablename from pg_stats s
where s.schemaname = current_schema() and s.tablename = any(%s) and s.attname = 'practice_id'
  and not coalesce(s.most_common_vals::text::bigint[] @> array[%s::bigint], false)
"""


def introduce(practice_id: int, tables: Iterable[str]) -> None:
    """Count again by practice in tables of records whose statistics do not know it; a table without any is left."""
    with connection.cursor() as cursor:
        cursor.execute(MISLED, [[f"records_{table}" for table in tables], practice_id])
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL("analyze {} (practice_id)").format(sql.Identifier(table)))
