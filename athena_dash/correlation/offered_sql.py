"""Visits → the claims in review that may be theirs (discriminator D10); holds raw SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db import connection

from athena_dash.correlation.dossier_sql import array

OFFERED = """
select v.id, l.record_id
from unnest(%(visits)s::bigint[]) as v(id)
join correlation_link l
  on l.practice_id = %(practice)s and l.kind = 'claim' and l.state = 'review'
 and l.evidence @> jsonb_build_object('candidates', jsonb_build_array(jsonb_build_object('visit_id', v.id)))
order by l.record_id
"""  # through the index link_offers: whatever else waits in review is not read


def offered_to(practice_id: int, visit_ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    found: dict[int, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(OFFERED, {"practice": practice_id, "visits": array(visit_ids)})
        for visit_id, record_id in cursor.fetchall():
            found[visit_id].append(record_id)
    return {visit_id: tuple(record_ids) for visit_id, record_ids in found.items()}
