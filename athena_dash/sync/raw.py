"""The raw store: keep a page's records byte for byte, adding rows only for content that is new; holds raw SQL.

Bytes seen before are known by their digest. Other bytes of a known record are compared as content, because athena's
key order is random and its stamps move by themselves; a record seen for the first time is only named and copied.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from athena_dash.core import literals
from athena_dash.core.one_trip import fetch
from athena_dash.sync import segments
from athena_dash.sync.models import RawRecord
from athena_dash.sync.payloads import Batch, Payload, alike
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.segments import Stored

ABSENT = b""
"""In the place of a digest: athena has no such record."""

Key = tuple[str, str]
"""(external id, parent id) of a record within its resource."""


def keep(
    payloads: Sequence[Payload],
    *,
    practice_id: int,
    resource: str,
    fetched_at: datetime,
    request_id: str = "",
    run_id: int | None = None,
) -> list[int]:
    """`keep_batches` of one answer; return the new rows' ids."""
    return [
        row.pk
        for row in keep_batches(practice_id, [Batch(resource, payloads, fetched_at, request_id)], run_id)
    ]


def keep_batches(practice_id: int, batches: Iterable[Batch], run_id: int | None = None) -> list[Stored]:
    """Store what differs from the newest stored payload of the same record; return the new rows. All are of one feed.

    A payload equal to a stored one that still waits to be processed is left to that row (the sweeper finds it). One
    that was fetched before the newest stored one is no news: a backfill may commit what the live feed has overtaken.
    """
    by_resource: dict[str, dict[Key, tuple[Payload, Batch]]] = defaultdict(dict)
    for batch in batches:  # named twice: the last wins
        by_resource[batch.resource].update(
            {(one.external_id, one.parent_id): (one, batch) for one in batch.payloads}
        )
    fresh = [
        pair for resource, found in by_resource.items() for pair in unknown(practice_id, resource, found)
    ]
    return [row for part in segments.cut(fresh) for row in segments.write(practice_id, part, run_id)]


def keep_absence(practice_id: int, resource: str, external_id: str, at: datetime) -> int:
    """athena has no such record now. Should it come back as it was, its payload is new again beside this one."""
    gone = Payload(external_id, "", b"", ABSENT)
    (row,) = segments.write(practice_id, [(gone, Batch(resource, [gone], at))], None)
    segments.finish([row])
    return row.pk


# -- what is new ---------------------------------------------------------------------------------------

# The first condition is looked at once: what lists bring in the order of their ids lies beyond all that is known.
KNOWN = """
with page as (select min(id) as least, max(id) as most from unnest(%(ids)s::text[]) as id)
select p.position, newest.digest, newest.fetched_at, coalesce(s.processed_version >= %(version)s, true),
       newest.segment_id, newest.start, newest.size
from unnest(%(ids)s::text[], %(parents)s::text[]) with ordinality as p(external_id, parent_id, position)
cross join lateral (
    select r.digest, r.segment_id, r.start, r.size, r.fetched_at from sync_rawrecord r
    where r.practice_id = %(practice)s and r.resource = %(resource)s
      and r.external_id = p.external_id and r.parent_id = p.parent_id
    order by r.id desc limit 1
) newest
left join sync_rawsegment s on s.id = newest.segment_id
where (select most from page) >= (
    select r.external_id from sync_rawrecord r
    where r.practice_id = %(practice)s and r.resource = %(resource)s
      and r.external_id >= (select least from page)
    order by r.external_id limit 1
)
"""


def unknown(
    practice_id: int, resource: str, found: Mapping[Key, tuple[Payload, Batch]]
) -> list[tuple[Payload, Batch]]:
    """Those whose content differs from the newest stored, or was last processed by an older version of the stages."""
    arrived = list(found.values())
    if not arrived:
        return []
    (known,) = fetch(
        {
            "practice": practice_id,
            "resource": resource,
            "version": segments.VERSION,
            "ids": literals.text_array([external_id for external_id, _ in found]),
            "parents": literals.text_array([parent_id for _, parent_id in found]),
        },
        KNOWN,
    )
    if not known:
        return arrived
    same, other = set(), {}
    for ordinal, digest, fetched_at, up_to_date, *place in known:
        position = ordinal - 1
        one, batch = arrived[position]
        if fetched_at > batch.fetched_at or up_to_date and digest == one.digest:
            same.add(position)
        elif up_to_date:
            other[position] = place
    volatile = RESOURCES[resource].volatile if resource in RESOURCES else ()
    for position, before in old_bodies(other):
        if alike(before, arrived[position][0].body, volatile):
            same.add(position)
    return [pair for position, pair in enumerate(arrived) if position not in same]


def old_bodies(places: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, bytes]]:
    """(position, bytes) of stored records, each segment inflated once; none where it was taken away."""
    by_segment: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for position, (segment_id, start, size) in places.items():
        if segment_id is not None:
            by_segment[segment_id].append((position, start, size))
    for segment_id, inside in by_segment.items():
        body = segments.inflated(segment_id)
        for position, start, size in inside:
            yield position, body[start : start + size]


# -- reading back --------------------------------------------------------------------------------------


def read(raw: RawRecord) -> bytes:
    """The payload as received; empty once its segment was taken away."""
    if raw.segment_id is None:
        return b""
    return segments.inflated(raw.segment_id)[raw.start : raw.start + raw.size]


def load(practice_id: int, raw_ids: Sequence[int]) -> list[Stored]:
    """Rows with their bytes, in the order they were fetched; without absences and what was taken away."""
    rows = RawRecord.objects.for_practice(practice_id).filter(pk__in=raw_ids, segment_id__isnull=False)
    rows = rows.exclude(digest=ABSENT)
    found = {row.pk: row for row in rows}
    places = {pk: (row.segment_id, row.start, row.size) for pk, row in found.items()}
    stored = [stored_row(found[pk], body) for pk, body in old_bodies(places)]
    return sorted(stored, key=lambda row: row.pk)


def stored_row(row: Any, body: bytes) -> Stored:
    return Stored(
        row.pk,
        row.practice_id,
        row.resource,
        row.external_id,
        row.parent_id,
        row.fetched_at,
        row.segment_id,
        body,
        bytes(row.digest),
    )


def superseded(rows: Sequence[Stored]) -> set[int]:
    """Those for which a newer payload of the same record is stored. Mostly nothing newer of the feed is stored at
    all, and one look says so."""
    ids = [row.pk for row in rows]
    if len({row.external_id for row in rows}) == len(rows) and not kept_since(rows):
        return set()
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDED, [literals.array(ids)])
        return {pk for (pk,) in cursor.fetchall()}


def kept_since(rows: Sequence[Stored]) -> bool:
    feeds = {segments.feed_of(resource) for resource in {row.resource for row in rows}}
    (((found,),),) = fetch(
        {
            "practice": rows[0].practice_id,
            "feeds": literals.text_array(feeds),
            "first": min(row.pk for row in rows),
            "own": literals.array({row.segment_id for row in rows}),
        },
        KEPT_SINCE,
    )
    return bool(found)


KEPT_SINCE = """
select exists (
    select from sync_rawsegment
    where practice_id = %(practice)s and resource = any(%(feeds)s::text[]) and last_id > %(first)s
      and id <> all(%(own)s::bigint[]))
"""

SUPERSEDED = """
select r.id from sync_rawrecord r where r.id = any(%s::bigint[]) and exists (
    select from sync_rawrecord newer
    where newer.practice_id = r.practice_id and newer.resource = r.resource
      and newer.external_id = r.external_id and newer.parent_id = r.parent_id and newer.id > r.id)
"""
