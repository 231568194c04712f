"""The raw store: keep a page's records byte for byte, adding rows only for content that is new; holds raw SQL.

Bytes seen before are known by their digest. Other bytes of a known record are compared as content, because athena's
key order is random and its stamps move by themselves; a record seen for the first time is only named and copied.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec
from backports import zstd
from django.db import connection

from athena_dash.core import clock, literals
from athena_dash.sync.models import RawRecord, RawSegment
from athena_dash.sync.resources import RESOURCES, Resource
from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.naming import record_id
from integrations.athena.payloads.reading import parse

VERSION = 1
"""Of normalise + upsert + correlate + gaps as a whole: raise it when stored payloads must be processed again."""

SEGMENT = 1 << 20
"""Bytes after which a segment is full: whoever reads one record inflates all of its segment."""

ROWS = 1000
"""And records: a segment is landed in one transaction."""

ABSENT = b""
"""In the place of a digest: athena has no such record."""

LEVEL = 1  # of zstd: a page of like records shrinks to a sixth, in 1 µs a record


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One record as it came: which it is, whom it was asked for, and its bytes."""

    external_id: str
    parent_id: str
    body: bytes
    digest: bytes


class Batch(msgspec.Struct, frozen=True):
    """Payloads of one answer."""

    resource: str
    payloads: Sequence[Payload]
    fetched_at: datetime
    request_id: str = ""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A row of the raw store with its bytes in hand."""

    pk: int
    practice_id: int
    resource: str
    external_id: str
    parent_id: str
    fetched_at: datetime
    segment_id: int
    body: bytes
    digest: bytes


Key = tuple[str, str]
"""(external id, parent id) of a record within its resource."""


def payload(resource: Resource, id_field: str, body: bytes, parent_id: str = "") -> Payload:
    """Name and fingerprint one record. Bytes that are not JSON, or name no usable id, are named by their content."""
    name = record_id(body, id_field) or f"?{fingerprint(body, resource.volatile).hex()[:32]}"
    return Payload(name, parent_id, body, digest(body))


def digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def fingerprint(body: bytes, volatile: Iterable[str]) -> bytes:
    """Of the content: the same for another order of keys and for other stamps."""
    return digest(canonical(body, volatile))


def canonical(body: bytes, volatile: Iterable[str]) -> bytes:
    """Keys sorted and volatile fields left out; the bytes themselves where they are no JSON object."""
    document = parsed(body)
    if not isinstance(document, dict):
        return body
    for field in volatile:
        document.pop(field, None)
    try:
        return msgspec.json.encode(document, order="deterministic")
    except (UnicodeEncodeError, RecursionError):  # half a surrogate pair somewhere: no UTF-8 holds it
        return body


def parsed(body: bytes) -> Any:
    """The document as far as any of our readers could make it out; None when it is no JSON."""
    try:
        return parse(body)
    except InvalidPayload:
        return None


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
    """Store what differs from the newest stored payload of the same record; return the new rows.

    A payload equal to a stored one that still waits to be processed is left to that row (the sweeper finds it). One
    that was fetched before the newest stored one is no news: a backfill may commit what the live feed has overtaken.
    """
    by_resource: dict[str, dict[Key, tuple[Payload, Batch]]] = defaultdict(dict)
    for batch in batches:
        found = by_resource[batch.resource]
        for one in batch.payloads:
            found[one.external_id, one.parent_id] = (one, batch)  # named twice: the last wins
    fresh = [
        pair for resource, found in by_resource.items() for pair in unknown(practice_id, resource, found)
    ]
    return [row for part in segments(fresh) for row in write(practice_id, part, run_id)]


# -- what is new ---------------------------------------------------------------------------------------

KNOWN = """
select p.position, newest.digest = decode(p.digest, 'hex') or newest.fetched_at > p.fetched_at,
       newest.segment_id, newest.start, newest.size
from unnest(%(ids)s::text[], %(parents)s::text[], %(digests)s::text[], %(stamps)s::timestamptz[])
     with ordinality as p(external_id, parent_id, digest, fetched_at, position)
cross join lateral (
    select r.digest, r.segment_id, r.start, r.size, r.fetched_at from sync_rawrecord r
    where r.practice_id = %(practice)s and r.resource = %(resource)s
      and r.external_id = p.external_id and r.parent_id = p.parent_id
    order by r.id desc limit 1
) newest
left join sync_rawsegment s on s.id = newest.segment_id
where s.processed_version is null or s.processed_version >= %(version)s or newest.fetched_at > p.fetched_at
"""


def unknown(
    practice_id: int, resource: str, found: Mapping[Key, tuple[Payload, Batch]]
) -> list[tuple[Payload, Batch]]:
    """Those whose content differs from the newest stored, or was last processed by an older version of the stages."""
    arrived = list(found.values())
    if not arrived:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            KNOWN,
            {
                "practice": practice_id,
                "resource": resource,
                "version": VERSION,
                "ids": literals.text_array(one.external_id for one, _ in arrived),
                "parents": literals.text_array(one.parent_id for one, _ in arrived),
                "stamps": literals.text_array(batch.fetched_at.isoformat() for _, batch in arrived),
                "digests": literals.text_array(one.digest.hex() for one, _ in arrived),
            },
        )
        known = cursor.fetchall()
    same = {position - 1 for position, equal, *_ in known if equal}
    other = {position - 1: place for position, equal, *place in known if not equal}
    volatile = RESOURCES[resource].volatile if resource in RESOURCES else ()
    for position, before in old_bodies(other):
        if canonical(before, volatile) == canonical(arrived[position][0].body, volatile):
            same.add(position)
    return [pair for position, pair in enumerate(arrived) if position not in same]


def old_bodies(places: Mapping[int, Sequence[Any]]) -> Iterator[tuple[int, bytes]]:
    """(position, bytes) of stored records, each segment inflated once; none for what retention has purged."""
    by_segment: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for position, (segment_id, start, size) in places.items():
        if segment_id is not None:
            by_segment[segment_id].append((position, start, size))
    for segment_id, inside in by_segment.items():
        body = inflated(segment_id)
        for position, start, size in inside:
            yield position, body[start : start + size]


def inflated(segment_id: int) -> bytes:
    body = RawSegment.objects.values_list("body", flat=True).get(pk=segment_id)
    return zstd.decompress(body) if body else b""


# -- writing -------------------------------------------------------------------------------------------

COLUMNS = "id, practice_id, resource, external_id, parent_id, segment_id, start, size, digest, fetched_at, request_id"


def segments(fresh: Sequence[tuple[Payload, Batch]]) -> Iterator[list[tuple[Payload, Batch]]]:
    """Cut into runs of one feed's payloads, each of about SEGMENT bytes at most."""
    part: list[tuple[Payload, Batch]] = []
    size = 0
    for pair in fresh:
        full = size >= SEGMENT or len(part) >= ROWS
        if part and (full or feed_of(pair[1].resource) != feed_of(part[0][1].resource)):
            yield part
            part, size = [], 0
        part.append(pair)
        size += len(pair[0].body)
    if part:
        yield part


def feed_of(resource: str) -> str:
    return resource.removesuffix(".roster")


def write(practice_id: int, part: Sequence[tuple[Payload, Batch]], run_id: int | None) -> list[Stored]:
    ids = new_ids(len(part))
    segment = RawSegment.objects.create(
        practice_id=practice_id,
        resource=feed_of(part[0][1].resource),
        body=zstd.compress(b"".join([one.body for one, _ in part]), LEVEL),
        first_id=ids[0],
        last_id=ids[-1],
        kept_at=clock.now(),
        run_id=run_id,
    )
    rows = [
        Stored(
            pk,
            practice_id,
            batch.resource,
            one.external_id,
            one.parent_id,
            batch.fetched_at,
            segment.pk,
            one.body,
            one.digest,
        )
        for pk, (one, batch) in zip(ids, part, strict=True)
    ]
    lines, start = [], 0
    for row, (_, batch) in zip(rows, part, strict=True):
        size = len(row.body)
        lines.append(
            f"{row.pk}\t{practice_id}\t{row.resource}\t{escaped(row.external_id)}\t{escaped(row.parent_id)}\t"
            f"{segment.pk}\t{start}\t{size}\t\\\\x{row.digest.hex()}\t{row.fetched_at}\t{escaped(batch.request_id)}\n"
        )
        start += size
    copy = f"copy sync_rawrecord ({COLUMNS}) from stdin"
    # Django does not know COPY: what the driver raises in it must be made one of Django's errors
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cast(Any, cursor).copy(copy) as stream,
    ):
        stream.write("".join(lines))
    return rows


def new_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select nextval('sync_rawrecord_id_seq') from generate_series(1, %s)", [count])
        return [pk for (pk,) in cursor.fetchall()]


def escaped(text: str) -> str:
    """As COPY reads it."""
    if text.isprintable() and "\\" not in text:
        return text
    for sign, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, escape)
    return text


def keep_absence(practice_id: int, resource: str, external_id: str, at: datetime) -> int:
    """athena has no such record now. Should it come back as it was, its payload is new again beside this one."""
    gone = Payload(external_id, "", b"", ABSENT)
    (row,) = write(practice_id, [(gone, Batch(resource, [gone], at))], None)
    finish([row])
    return row.pk


# -- reading back --------------------------------------------------------------------------------------


def read(raw: RawRecord) -> bytes:
    """The payload as received; empty once retention has purged it."""
    if raw.segment_id is None:
        return b""
    return inflated(raw.segment_id)[raw.start : raw.start + raw.size]


def load(practice_id: int, raw_ids: Sequence[int]) -> list[Stored]:
    """Rows with their bytes, in the order they were fetched; without absences and what retention has purged."""
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


FINISH = """
update sync_rawsegment s set processed_version = %(version)s
from unnest(%(segments)s::bigint[], %(counts)s::int[]) as done(id, count)
where s.id = done.id and s.processed_version is distinct from %(version)s and done.count >= (
    select count(*) from sync_rawrecord r where r.id between s.first_id and s.last_id and r.segment_id = s.id)
"""


def finish(rows: Iterable[Stored]) -> None:
    """These rows are through; a segment is when all its rows are."""
    counts = Counter(row.segment_id for row in rows)
    with connection.cursor() as cursor:
        cursor.execute(
            FINISH, {"version": VERSION, "segments": list(counts), "counts": list(counts.values())}
        )


def superseded(rows: Sequence[Stored]) -> set[int]:
    """Those for which a newer payload of the same record is stored. Mostly nothing newer of the feed is stored at
    all, and one look says so."""
    ids = [row.pk for row in rows]
    keys = {(row.resource, row.external_id, row.parent_id) for row in rows}
    if len(keys) == len(rows) and not kept_since(rows):
        return set()
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDED, [literals.int_array(ids)])
        return {pk for (pk,) in cursor.fetchall()}


def kept_since(rows: Sequence[Stored]) -> bool:
    of_feeds = RawSegment.objects.for_practice(rows[0].practice_id).filter(
        resource__in={feed_of(row.resource) for row in rows}, last_id__gt=min(row.pk for row in rows)
    )
    found: bool = of_feeds.exclude(pk__in={row.segment_id for row in rows}).exists()
    return found


SUPERSEDED = """
select r.id from sync_rawrecord r where r.id = any(%s::bigint[]) and exists (
    select from sync_rawrecord newer
    where newer.practice_id = r.practice_id and newer.resource = r.resource
      and newer.external_id = r.external_id and newer.parent_id = r.parent_id and newer.id > r.id)
"""
