"""Visits → the claims in review that may be theirs (discriminator D10); holds raw SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db import connection

from athena_dash.core.literals import array

OFFERED = """
select (candidate ->> 'visit_id')::bigint, l.record_id
from correlation_link l
cross join lateral jsonb_array_elements(l.evidence -> 'candidates') as candidate
where l.practice_id = %(practice)s and l.kind = 'claim' and l.state = 'review'
  and (candidate ->> 'visit_id')::bigint = any(%(visits)s::bigint[])
order by l.record_id
"""  # what waits in review is little: read once, however many visits ask; each asking for itself cost more than judging


def offered_to(practice_id: int, visit_ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    if not visit_ids:
        return {}
    found: dict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(OFFERED, {"practice": practice_id, "visits": array(visit_ids)})
        for visit_id, record_id in cursor.fetchall():
            found[visit_id].append(record_id)
    return {visit_id: tuple(record_ids) for visit_id, record_ids in found.items()}
