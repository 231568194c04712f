"""Which gaps a set of failures holds open. Holds raw SQL, because a failure names a visit in three ways.

By its appointment, by the link of the record that failed, or, for an orphan result, by the record itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from athena_dash.correlation.models import Verdict

NAMED = """
    select f.id as failure_id, f.fingerprint, g.id as gap_id
      from sync_failure f
      join correlation_visit v
        on v.practice_id = f.practice_id and v.anchor = 'appointment'
       and v.anchor_id in (f.appointment_id, case when f.record_kind = 'appointment' then f.record_id end)
      join correlation_gap g on g.visit_id = v.id
     where f.id = any(%(failures)s) and v.anchor_id <> ''
    union
    select f.id, f.fingerprint, g.id
      from sync_failure f
      join correlation_link l
        on l.practice_id = f.practice_id and l.record_id = f.record_id
       and l.kind = case f.record_kind when 'clinicalfact' then 'clinical' else f.record_kind end
      join correlation_gap g on g.visit_id = l.visit_id
     where f.id = any(%(failures)s) and f.record_id <> ''
    union
    select f.id, f.fingerprint, g.id
      from sync_failure f
      join correlation_gap g
        on g.practice_id = f.practice_id and g.visit_id is null
       and g.record_id = f.record_id
       and g.record_kind = case f.record_kind when 'clinicalfact' then 'clinical' else f.record_kind end
     where f.id = any(%(failures)s) and f.record_id <> ''
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    gaps: int = 0
    at_risk: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGap:
    pk: int
    visit_id: int | None
    code: str
    sentence: str
    verdict: str
    at_risk: Decimal | None


def worth_by_group(failure_ids: Collection[int]) -> dict[str, Worth]:
    """{fingerprint: gaps whose verdict is "not synced" and their dollars}; a gap counts once in its group."""
    rows = _rows(
        f"""
        select held.fingerprint, count(*), coalesce(sum(g.at_risk), 0)
          from (select distinct fingerprint, gap_id from ({NAMED}) named) held
          join correlation_gap g on g.id = held.gap_id
         where g.closed_at is null and g."primary" and g.verdict = %(verdict)s
         group by held.fingerprint
        """,  # noqa: S608 (made of constants)
        failures=list(failure_ids),
        verdict=Verdict.NOT_SYNCED.value,
    )
    return {fingerprint: Worth(gaps=gaps, at_risk=at_risk) for fingerprint, gaps, at_risk in rows}


def open_gaps(failure_ids: Collection[int]) -> list[OpenGap]:
    """Every open primary gap of the visits these failures name, whatever its verdict, dearest first."""
    rows = _rows(
        f"""
        select g.id, g.visit_id, g.code, g.sentence, g.verdict, g.at_risk
          from correlation_gap g
         where g.id in (select gap_id from ({NAMED}) named) and g.closed_at is null and g."primary"
         order by g.at_risk desc nulls last, g.id
        """,  # noqa: S608 (made of constants)
        failures=list(failure_ids),
    )
    names = ("pk", "visit_id", "code", "sentence", "verdict", "at_risk")
    return [OpenGap(**dict(zip(names, row, strict=True))) for row in rows]


def _rows(sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
