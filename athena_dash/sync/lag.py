"""How late a change at athena is visible here: from athena's own stamp to its facts committed, related and judged.

Kept records leave their stamps as an Arrival, in the transaction that keeps them; the drain that has judged what they
touched takes it away and counts, in Redis, by feed, for ever and by the hour. Holds raw SQL.

No stamp says since when a change was there to be read. So what was stamped before the feed listened is history, and
so is what a chart's first answer holds, but for what was stamped around the time it was asked for. A stamp from before
the record was last read does not date what has changed since.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.db import connection, transaction
from redis import RedisError

from athena_dash.core import clock, literals
from athena_dash.sync.budget import shared
from athena_dash.sync.dating import Dated, changed_at, how
from athena_dash.sync.meters import HOUR, HOURS, KEPT, FeedKey, bound_of
from athena_dash.sync.models import Arrival, Failure, Feed
from athena_dash.sync.segments import Stored

log = logging.getLogger(__name__)

# Upper bounds in seconds; what took longer falls into one more bucket.
BOUNDS = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
AROUND = timedelta(hours=1)  # before a chart was first asked for: its visit had begun, and nobody had told us
SECOND = timedelta(seconds=1)  # v1's stamps carry no fractions
SKEW = timedelta(minutes=5)  # a stamp farther ahead of our clock was not meant as Eastern


@dataclass(frozen=True, slots=True)
class Lags:
    """Changes by bucket, their seconds added up, and how many were without a stamp that dates them."""

    buckets: tuple[int, ...]  # one more than BOUNDS
    seconds: float = 0.0
    undated: int = 0

    @property
    def dated(self) -> int:
        return sum(self.buckets)

    def percentile(self, part: float) -> timedelta | None:
        """The bound of the bucket that holds the change of this rank; timedelta.max beyond the last."""
        if not self.dated:
            return None
        bound = bound_of(self.buckets, BOUNDS, part)
        return timedelta.max if bound is None else timedelta(seconds=bound)


# -- noting -------------------------------------------------------------------------------------------

DATES = """
select k.position, exists (
         select from sync_rawrecord r where r.practice_id = %(practice)s and r.resource = %(resource)s
           and r.external_id = k.external_id and r.parent_id = k.parent_id
           and r.id < k.id and r.fetched_at >= k.changed_at + %(second)s)
from unnest(%(pks)s::bigint[], %(ids)s::text[], %(parents)s::text[], %(stamps)s::timestamptz[])
     with ordinality as k(id, external_id, parent_id, changed_at, position)
where not exists (
    select from sync_subject s where s.practice_id = %(practice)s and s.resource = %(resource)s
      and s.key = split_part(k.parent_id, '/', 1) and s.scope = split_part(k.parent_id, '/', 2)
      and s.fetched_at is null and k.changed_at < s.due_at - %(around)s)
"""


def note(practice_id: int, resource: str, rows: Sequence[Stored]) -> None:
    """What these new rows say of when they changed, in the transaction that keeps them and before their subjects are
    marked as asked."""
    if not rows or how(resource) is not Dated.INSTANT:
        return
    feed = Feed.objects.for_practice(practice_id).filter(resource=resource)
    listening = feed.values_list("listening_since", flat=True).first()
    if listening is None:
        return
    found = [(row, changed_at(resource, row.body)) for row in rows if row.resource == resource]
    stamped = [(row, at) for row, at in found if at and listening < at < row.fetched_at + SKEW]
    unread = sum(1 for row, at in found if not at or at >= row.fetched_at + SKEW)
    dating = dates(practice_id, resource, stamped) if stamped else []
    told = [stamped[position - 1] for position, read_since in dating if not read_since]
    undated = unread + len(dating) - len(told)
    if told or undated:
        Arrival.objects.create(
            practice_id=practice_id,
            resource=resource,
            raw_ids=[row.pk for row, _ in told],
            changed_at=[at for _, at in told],
            undated=undated,
        )


def dates(
    practice_id: int, resource: str, stamped: Sequence[tuple[Stored, datetime]]
) -> list[tuple[int, bool]]:
    """(position, whether the record had been read since the stamp) of those that are no history."""
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "practice": practice_id,
            "resource": resource,
            "pks": literals.array(row.pk for row, _ in stamped),
            "ids": literals.text_array(row.external_id for row, _ in stamped),
            "parents": literals.text_array(row.parent_id for row, _ in stamped),
            "stamps": literals.text_array(at.isoformat() for _, at in stamped),
            "around": AROUND,
            "second": SECOND,
        }
        cursor.execute(DATES, values)
        found: list[tuple[int, bool]] = cursor.fetchall()
    return found


# -- counting -----------------------------------------------------------------------------------------

LANDED = """
select a.id from sync_arrival a
where a.practice_id = %s and not exists (
    select from unnest(a.raw_ids) kept(id)
    join sync_rawrecord r on r.id = kept.id join sync_rawsegment s on s.id = r.segment_id
    where s.processed_version is null)
"""
TAKE = """
delete from sync_arrival where id = any(%s::bigint[])
returning practice_id, resource, raw_ids, changed_at, undated
"""


def landed(practice_id: int) -> list[int]:
    """Arrivals whose facts are committed, or failed."""
    with connection.cursor() as cursor:
        cursor.execute(LANDED, [practice_id])
        return [pk for (pk,) in cursor.fetchall()]


def seen(arrivals: Sequence[int]) -> None:
    """They are visible now, but for what failed on the way: that waits on. Whoever takes a row counts it; while Redis
    is away all stay, and are counted later than they came."""
    if not arrivals:
        return
    now = clock.now()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(TAKE, [literals.array(arrivals)])
            taken = cursor.fetchall()
            failed = failing([pk for _, _, raw_ids, *_ in taken for pk in raw_ids])
            pipeline = shared().pipeline(transaction=False)
            for practice_id, resource, raw_ids, changed, undated in taken:
                late = [now - at for pk, at in zip(raw_ids, changed, strict=True) if pk not in failed]
                count((practice_id, resource), late, undated, now, pipeline)
                held = [(pk, at) for pk, at in zip(raw_ids, changed, strict=True) if pk in failed]
                if held:
                    pks, stamps = zip(*held, strict=True)
                    Arrival.objects.create(
                        practice_id=practice_id, resource=resource, raw_ids=list(pks), changed_at=list(stamps)
                    )
            pipeline.execute()
    except RedisError:
        log.warning("lags could not be counted")


def failing(raw_ids: Collection[int]) -> set[int]:
    open_ones = Failure.objects.filter(
        subject_kind=Failure.SubjectKind.RAW, subject_id__in=[str(pk) for pk in raw_ids], resolved_at=None
    )
    return {int(pk) for pk in open_ones.values_list("subject_id", flat=True)} if raw_ids else set()


def count(feed: FeedKey, late: Sequence[timedelta], undated: int, now: datetime, pipeline: Any) -> None:
    """Calls of the pipeline's."""
    hour = _hour_name(feed, now)
    for name in (_name(feed), hour):
        for one in late:
            seconds = max(0.0, one.total_seconds())
            pipeline.hincrby(name, f"bucket:{bisect_left(BOUNDS, seconds)}", 1)
            pipeline.hincrbyfloat(name, "seconds", seconds)
        if undated:
            pipeline.hincrby(name, "undated", undated)
    pipeline.expire(hour, KEPT)


# -- reading ------------------------------------------------------------------------------------------


def lags(feeds: Sequence[FeedKey], client: redis.Redis) -> dict[FeedKey, Lags]:
    """Since Valkey last started empty. One round trip, however many feeds."""
    found = _read({feed: [_name(feed)] for feed in feeds}, client)
    return {feed: one for feed, [one] in found.items()}


def by_hour(feeds: Sequence[FeedKey], now: datetime, client: redis.Redis) -> dict[FeedKey, list[Lags]]:
    """The 23 hours before this one, and this one, in that order; of the hour in which changes became visible."""
    hours = [now - hours * HOUR for hours in reversed(range(HOURS))]
    return _read({feed: [_hour_name(feed, hour) for hour in hours] for feed in feeds}, client)


def total(lags: Sequence[Lags]) -> Lags:
    return Lags(
        tuple(map(sum, zip(*(one.buckets for one in lags), strict=True))) or (0,) * (len(BOUNDS) + 1),
        sum(one.seconds for one in lags),
        sum(one.undated for one in lags),
    )


def _read(names: dict[FeedKey, list[str]], client: redis.Redis) -> dict[FeedKey, list[Lags]]:
    pipeline = client.pipeline(transaction=False)
    for each in names.values():
        for name in each:
            pipeline.hgetall(name)
    found = iter(pipeline.execute())
    return {feed: [_lags(next(found)) for _ in each] for feed, each in names.items()}


def _lags(found: dict[bytes, bytes]) -> Lags:
    return Lags(
        tuple(int(found.get(b"bucket:%d" % number, 0)) for number in range(len(BOUNDS) + 1)),
        float(found.get(b"seconds", 0)),
        int(found.get(b"undated", 0)),
    )


def _name(feed: FeedKey) -> str:
    return f"lag:{feed[0]}:{feed[1]}"


def _hour_name(feed: FeedKey, at: datetime) -> str:
    return f"{_name(feed)}:{at:%Y%m%d%H}"
