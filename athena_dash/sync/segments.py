"""Segments of the raw store: payloads of one feed written side by side, packed as one; holds raw SQL.

Of each payload a row says where in its segment it lies; how far the stages have come is noted of the segment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import accumulate

import msgspec
from backports import zstd

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


def cut(fresh: Sequence[tuple[Payload, Batch]]) -> Iterator[Sequence[tuple[Payload, Batch]]]:
    """Payloads of one feed in runs of about SEGMENT bytes at most."""
    start = size = 0
    for end, (one, _) in enumerate(fresh):
        if size >= SEGMENT or end - start >= ROWS:
            yield fresh[start:end]
            start, size = end, 0
        size += len(one.body)
    if fresh:
        yield fresh[start:]


@cache
def feed_of(resource: str) -> str:
    return resource.removesuffix(".roster")


NEW = """
with new as materialized (
    select array_agg(nextval('sync_rawrecord_id_seq')) as ids from generate_series(1, %(count)s)
), segment as materialized (
    insert into sync_rawsegment (practice_id, resource, body, first_id, last_id, kept_at, run_id)
    select %(practice)s, %(feed)s, %(body)b, ids[1], ids[%(count)s], %(now)s, %(run)s from new
    returning id
), rows as (
    insert into sync_rawrecord (id, practice_id, resource, segment_id, external_id, parent_id, start, size, digest,
                                fetched_at, request_id)
    select id, %(practice)s, (%(resources)s::text[])[answer], segment_id, external_id, parent_id, start, size,
           substr(%(digests)b, %(width)s * place + 1, %(width)s), (%(stamps)s::timestamptz[])[answer],
           (%(request_ids)s::text[])[answer]
    from (
        select segment.id as segment_id, unnest(new.ids) as id, generate_series(0, %(count)s - 1) as place,
               unnest(%(external_ids)s::text[]) as external_id, unnest(%(parent_ids)s::text[]) as parent_id,
               unnest(%(starts)s::int[]) as start, unnest(%(sizes)s::int[]) as size,
               unnest(%(answers)s::int[]) as answer
        from new, segment
    ) arrived
)
select segment.id, new.ids from segment, new
"""


def write(practice_id: int, part: Sequence[tuple[Payload, Batch]], run_id: int | None) -> list[Stored]:
    """One segment, and a row a payload. An absence, whose digest is empty, comes alone."""
    answers = list({id(batch): batch for _, batch in part}.values())
    number = {id(answer): place for place, answer in enumerate(answers, start=1)}
    sizes = [len(one.body) for one, _ in part]
    values = {
        "practice": practice_id,
        "feed": feed_of(answers[0].resource),
        "body": zstd.compress(b"".join([one.body for one, _ in part]), LEVEL),
        "count": len(part),
        "now": clock.now(),
        "run": run_id,
        "external_ids": literals.array([one.external_id for one, _ in part]),
        "parent_ids": literals.array([one.parent_id for one, _ in part]),
        "starts": literals.array([end - size for end, size in zip(accumulate(sizes), sizes, strict=True)]),
        "sizes": literals.array(sizes),
        "digests": b"".join([one.digest for one, _ in part]),
        "width": len(part[0][0].digest),
        "answers": literals.array([number[id(answer)] for _, answer in part]),
        "resources": literals.array([answer.resource for answer in answers]),
        "stamps": literals.array([answer.fetched_at for answer in answers]),
        "request_ids": literals.array([answer.request_id for answer in answers]),
    }
    (((segment_id, ids),),) = fetch(values, NEW)
    return [
        Stored(
            pk,
            practice_id,
            answer.resource,
            one.external_id,
            one.parent_id,
            answer.fetched_at,
            segment_id,
            one.body,
            one.digest,
        )
        for pk, (one, answer) in zip(ids, part, strict=True)
    ]


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
            "segments": literals.array(counts),
            "counts": literals.array(counts.values()),
        },
        FINISH,
    )
