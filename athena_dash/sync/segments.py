"""Segments of the raw store: payloads of one feed written side by side, packed as one; holds raw SQL.

Of each payload a row says where in its segment it lies; how far the stages have come is noted of the segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any, cast

import msgspec
from backports import zstd
from django.db import connection

from athena_dash.core import clock, literals
from athena_dash.core.one_trip import fetch
from athena_dash.sync.models import RawSegment
from athena_dash.sync.payloads import Batch, Payload

VERSION = 1
"""Of normalise + upsert + correlate + gaps as a whole: raise it when stored payloads must be processed again."""

SEGMENT = 1 << 20
"""Bytes after which a segment is full: whoever reads one record inflates all of its segment."""

ROWS = 1000
"""And records: a segment is landed in one transaction."""

LEVEL = 1  # of zstd: a page of like records shrinks to a sixth, in 1 µs a record


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


COLUMNS = "id, practice_id, resource, segment_id, external_id, parent_id, start, size, digest, fetched_at, request_id"


def cut(fresh: Sequence[tuple[Payload, Batch]]) -> Iterator[list[tuple[Payload, Batch]]]:
    """Cut into runs of one feed's payloads, each of about SEGMENT bytes at most."""
    for _, pairs in groupby(fresh, key=lambda pair: feed_of(pair[1].resource)):
        part: list[tuple[Payload, Batch]] = []
        size = 0
        for pair in pairs:
            if size >= SEGMENT or len(part) >= ROWS:
                yield part
                part, size = [], 0
            part.append(pair)
            size += len(pair[0].body)
        yield part


@cache
def feed_of(resource: str) -> str:
    return resource.removesuffix(".roster")


NEW = """
with new as materialized (
    select array_agg(nextval('sync_rawrecord_id_seq')) as ids from generate_series(1, %(count)s)
), segment as (
    insert into sync_rawsegment (practice_id, resource, body, first_id, last_id, kept_at, run_id)
    select %(practice)s, %(resource)s, %(body)b, ids[1], ids[%(count)s], %(now)s, %(run)s from new
    returning id
)
select segment.id, new.ids from segment, new
"""


def write(practice_id: int, part: Sequence[tuple[Payload, Batch]], run_id: int | None) -> list[Stored]:
    """One segment, and a row a payload."""
    values = {
        "practice": practice_id,
        "resource": feed_of(part[0][1].resource),
        "body": zstd.compress(b"".join([one.body for one, _ in part]), LEVEL),
        "count": len(part),
        "now": clock.now(),
        "run": run_id,
    }
    (((segment_id, ids),),) = fetch(values, NEW)
    rows: list[Stored] = []
    lines: list[str] = []
    start, answer, before, after = 0, None, "", ""
    for pk, (one, batch) in zip(ids, part, strict=True):
        if batch is not answer:  # what its rows have in common is written out once
            answer, before = batch, f"{practice_id}\t{batch.resource}\t{segment_id}"
            after = f"{batch.fetched_at}\t{escaped(batch.request_id)}\n"
        size = len(one.body)
        lines.append(
            f"{pk}\t{before}\t{escaped(one.external_id)}\t{escaped(one.parent_id)}\t{start}\t{size}\t"
            f"\\\\x{one.digest.hex()}\t{after}"
        )
        rows.append(
            Stored(
                pk,
                practice_id,
                batch.resource,
                one.external_id,
                one.parent_id,
                batch.fetched_at,
                segment_id,
                one.body,
                one.digest,
            )
        )
        start += size
    copy(lines)
    return rows


def copy(lines: Iterable[str]) -> None:
    """Django does not know COPY: what the driver raises in it must be made one of Django's errors."""
    statement = f"copy sync_rawrecord ({COLUMNS}) from stdin"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cast(Any, cursor).copy(statement) as stream,
    ):
        stream.write("".join(lines))


def escaped(text: str) -> str:
    """As COPY reads it."""
    if text.isprintable() and "\\" not in text:
        return text
    for sign, escape in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(sign, escape)
    return text


def inflated(segment_id: int) -> bytes:
    body = RawSegment.objects.values_list("body", flat=True).get(pk=segment_id)
    return zstd.decompress(body) if body else b""


FINISH = """
update sync_rawsegment s set processed_version = %(version)s
from unnest(%(segments)s::bigint[], %(counts)s::int[]) as done(id, count)
where s.id = done.id and s.processed_version is distinct from %(version)s
  and (done.count > s.last_id - s.first_id or done.count >= (
      select count(*) from sync_rawrecord r where r.id between s.first_id and s.last_id and r.segment_id = s.id))
"""


def finish(rows: Iterable[Stored]) -> None:
    """These rows are through; a segment is when all its rows are."""
    counts = Counter(row.segment_id for row in rows)
    fetch(
        {
            "version": VERSION,
            "segments": literals.int_array(counts),
            "counts": literals.int_array(counts.values()),
        },
        FINISH,
    )
