"""What PostgreSQL believes of a practice that has just arrived; holds raw SQL.

Until a tenth of a table is new, autovacuum leaves the statistics as they are: they say that the new practice has no
row, so an index of its visits by day looks as good for finding one id as the natural key, and every look-up reads all
the practice has. Of a table nobody has counted yet it believes the same of every practice.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db import connection
from psycopg import sql

MISLED = """
select c.relname, c.reltuples <= 0 from pg_class c
left join pg_stats s on s.schemaname = current_schema() and s.tablename = c.relname and s.attname = 'practice_id'
where c.relnamespace = current_schema()::regnamespace and c.relname = any(%s)
  and not coalesce(c.reltuples > 0 and s.most_common_vals::text::bigint[] @> array[%s::bigint], false)
"""


def introduce(practice_id: int, tables: Iterable[str]) -> None:
    """Count again by practice in tables of records whose statistics do not know it; a table without any is counted
    whole."""
    with connection.cursor() as cursor:
        cursor.execute(MISLED, [[f"records_{table}" for table in tables], practice_id])
        for table, uncounted in cursor.fetchall():
            count = "analyze {}" if uncounted else "analyze {} (practice_id)"
            cursor.execute(sql.SQL(count).format(sql.Identifier(table)))


def introduce_everywhere(practice_id: int) -> None:
    """Who relates records looks into every table of them, whichever a page has filled."""
    introduce(practice_id, apps.all_models["records"])
