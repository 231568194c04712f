"""How a practice's links stand, counted by kind, state and method; the last count of each day is kept.

Holds raw SQL. Counting reads every link, so it is done by a worker once an hour and shown with its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from athena_dash.core import clock
from athena_dash.correlation.models import Link, LinkQuality
from athena_dash.correlation.tables import run
from athena_dash.practices.models import Practice

EVERY = timedelta(hours=1)

COUNT = """
select kind, state, method, count(*) from correlation_link where practice_id = %(practice)s group by 1, 2, 3
"""

# From the few patients that were merged away, each table by its own index.
MERGED = """
with loser as (
    select practice_id, external_id from records_patient
    where practice_id = any(%(practices)s) and merged_into <> ''
), named as (
    select c.practice_id, 'claim' as kind, c.external_id from loser
    join records_claim c on c.practice_id = loser.practice_id and c.patient_id = loser.external_id
    union all
    select e.practice_id, 'encounter', e.external_id from loser
    join records_encounter e on e.practice_id = loser.practice_id and e.patient_id = loser.external_id
    union all
    select f.practice_id, 'clinical', f.external_id from loser
    join records_clinicalfact f on f.practice_id = loser.practice_id and f.patient_id = loser.external_id
)
select l.kind, l.id from named
join correlation_link l
  on l.practice_id = named.practice_id and l.kind = named.kind and l.record_id = named.external_id
 and l.state = 'linked'
"""


def count(practice_id: int) -> None:
    """Today's row of each kind anew, in the practice's zone."""
    zone = ZoneInfo(Practice.objects.values_list("timezone", flat=True).get(pk=practice_id))
    now, merged = clock.now(), merged_links([practice_id])
    rows = {
        kind: LinkQuality(
            practice_id=practice_id,
            day=now.astimezone(zone).date(),
            kind=kind,
            methods={},
            merged=len(merged[kind]),
            counted_at=now,
        )
        for kind in Link.Kind.values
    }
    for kind, state, method, links in run(COUNT, {"practice": practice_id}):
        row = rows[kind]
        setattr(row, state, getattr(row, state) + links)
        if state == Link.State.LINKED:
            row.methods[method] = links
    LinkQuality.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["practice", "day", "kind"],
        update_fields=[*Link.State.values, "methods", "merged", "counted_at"],
    )


def merged_links(practice_ids: Collection[int]) -> dict[str, list[int]]:
    """Kind → row ids of the links whose record names a patient since merged away."""
    found: dict[str, list[int]] = defaultdict(list)
    for kind, link_id in run(MERGED, {"practices": list(practice_ids)}):
        found[kind].append(link_id)
    return found


def due_to_count(now: datetime) -> list[int]:
    fresh = LinkQuality.objects.filter(counted_at__gt=now - EVERY).values("practice_id")
    return list(Practice.objects.active().exclude(pk__in=fresh).values_list("pk", flat=True))
