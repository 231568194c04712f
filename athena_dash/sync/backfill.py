"""Days of the past → chunks, brought in newest first beside the live feed, whose cursor they cannot touch.

A chunk is one window, held by a lease of its own, run by sync.pull and tried again as its Failure says. A newer copy
that the live feed brought meanwhile stays: what was fetched earlier is never applied over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from athena_dash.core import clock
from athena_dash.sync.lease import LENGTH, LONGEST_BACKOFF, renew
from athena_dash.sync.models import Backfill, BackfillChunk, Failure, Feed, Reason, Run

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.sync.walks import Step

CHUNK = timedelta(days=30)
AT_ONCE = 2  # chunks of one practice: the other workers stay with what is live
MOST_REFUSED = 5  # tries of a chunk at once after each renewed credential; then its hour
DAY = timedelta(days=1)

RUNNING = Backfill.State.RUNNING
Chunk = BackfillChunk.State


def ask(feed: Feed, first: date, last: date, by: User | None = None) -> Backfill:
    """Both days included; due at once."""
    now = clock.now()
    with transaction.atomic():
        backfill: Backfill = Backfill.objects.create(
            practice_id=feed.practice_id, feed=feed, first=first, last=last, asked_by=by, asked_at=now
        )
        BackfillChunk.objects.bulk_create(
            BackfillChunk(backfill=backfill, practice_id=feed.practice_id, first=start, last=end, due_at=now)
            for start, end in cut(first, last)
        )
    return backfill


def cut(first: date, last: date) -> list[tuple[date, date]]:
    """Windows without overlap, newest first; the oldest is what is left over."""
    windows = []
    while last >= first:
        start = max(first, last - CHUNK + DAY)
        windows.append((start, last))
        last = start - DAY
    return windows


def pause(backfill: Backfill) -> None:
    """A chunk in work is finished; no other is begun."""
    Backfill.objects.filter(pk=backfill.pk, state=RUNNING).update(state=Backfill.State.PAUSED)


def resume(backfill: Backfill) -> None:
    Backfill.objects.filter(pk=backfill.pk, state=Backfill.State.PAUSED).update(state=RUNNING)


def cancel(backfill: Backfill) -> None:
    """What came in stays; the rest is not asked for any more."""
    open_ones = Backfill.objects.filter(pk=backfill.pk, state__in=(RUNNING, Backfill.State.PAUSED))
    with transaction.atomic():
        if open_ones.update(state=Backfill.State.CANCELLED, finished_at=clock.now()):
            BackfillChunk.objects.filter(backfill=backfill).exclude(state=Chunk.DONE).update(due_at=None)
            stop_filling(backfill.feed_id)


def due(now: datetime) -> QuerySet[BackfillChunk]:
    """Chunks whose turn it is, or whose worker died. None of a feed that is paused or failing, nor while another chunk
    of their backfill waits to be tried again: they would only meet the same."""
    failed = BackfillChunk.objects.filter(
        backfill_id=OuterRef("backfill_id"), state=Chunk.FAILED, due_at__gt=now
    )
    found: QuerySet[BackfillChunk] = BackfillChunk.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        ~Exists(failed),
        due_at__lte=now,
        backfill__state=RUNNING,
        backfill__feed__paused_at__isnull=True,
        backfill__feed__failures_in_a_row=0,
        practice__paused_at__isnull=True,
    )
    return found


def due_practices(now: datetime) -> list[int]:
    return list(due(now).order_by().values_list("practice_id", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class ChunkLease:
    kind: ClassVar = Failure.SubjectKind.CHUNK
    chunk_id: int
    token: int

    @property
    def key(self) -> str:
        return str(self.chunk_id)

    def renew(self) -> None:
        renew("sync_backfillchunk", self.chunk_id, self.token)

    def hold(self) -> BackfillChunk:
        self.renew()
        chunk: BackfillChunk = BackfillChunk.objects.get(pk=self.chunk_id)
        return chunk

    def advance(self, held: BackfillChunk, step: Step, run: Run, new: int) -> None:
        """Its past is read to the end or not: nothing of a step but its records is kept."""

    def done(self, held: BackfillChunk, run: Run) -> None:
        finish(held, run, next_try=None)

    def failed(self, held: BackfillChunk, run: Run, error: Exception, failure: Failure) -> datetime:
        next_try = failure.next_try_at or clock.now() + LONGEST_BACKOFF  # as a feed, it is never given up
        finish(held, run, next_try)
        return next_try

    def release(self) -> None:
        BackfillChunk.objects.filter(pk=self.chunk_id, lease_token=self.token).update(lease_until=None)


def take_next(practice_id: int, feed_id: int | None = None) -> ChunkLease | None:
    """The newest chunk that is due, those that failed last; None while enough of them are in work."""
    now = clock.now()
    if BackfillChunk.objects.filter(practice_id=practice_id, lease_until__gte=now).count() >= AT_ONCE:
        return None
    waiting = due(now).filter(practice_id=practice_id)
    if feed_id is not None:
        waiting = waiting.filter(backfill__feed_id=feed_id)
    in_turn = waiting.annotate(failed=Q(state=Chunk.FAILED)).order_by("failed", "-last", "pk")
    for chunk_id in in_turn.values_list("pk", flat=True)[: AT_ONCE + 1]:
        if lease := take(chunk_id):
            return lease
    return None


def take(chunk_id: int) -> ChunkLease | None:
    """The lease of this chunk, whether or not it is due; None while another worker holds it, or it is done."""
    now = clock.now()
    free = BackfillChunk.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now), ~Q(state=Chunk.DONE), pk=chunk_id
    )
    if not free.update(
        lease_token=F("lease_token") + 1, lease_until=now + LENGTH, state=Chunk.RUNNING, started_at=now
    ):
        return None
    return ChunkLease(chunk_id, BackfillChunk.objects.values_list("lease_token", flat=True).get(pk=chunk_id))


def finish(chunk: BackfillChunk, run: Run, next_try: datetime | None) -> None:
    """In the caller's transaction, on the held chunk: how it ended, and whether that was the last one."""
    Backfill.objects.select_for_update().get(pk=chunk.backfill_id)  # two last chunks must see one another
    chunk.state = Chunk.DONE if run.outcome == Run.Outcome.DONE else Chunk.FAILED
    chunk.due_at = next_try
    chunk.finished_at = clock.now()
    chunk.calls += run.calls
    chunk.records, chunk.changed = run.records, chunk.changed + run.changed
    chunk.save()
    left = BackfillChunk.objects.filter(backfill_id=chunk.backfill_id).exclude(state=Chunk.DONE)
    if not left.exists():
        finished = Backfill.objects.filter(pk=chunk.backfill_id).exclude(state=Backfill.State.CANCELLED)
        finished.update(state=Backfill.State.DONE, finished_at=clock.now())
        stop_filling(chunk.backfill.feed_id)


def try_refused(practice_id: int, now: datetime) -> None:
    """The credential is accepted again: chunks that it failed need not wait their hour, unless they keep failing."""
    refused = Failure.objects.filter(
        practice_id=practice_id,
        subject_kind=Failure.SubjectKind.CHUNK,
        reason=Reason.AUTH,
        resolved_at__isnull=True,
        attempts__lt=MOST_REFUSED,
    )
    chunk_ids = [int(subject_id) for subject_id in refused.values_list("subject_id", flat=True)]
    BackfillChunk.objects.filter(pk__in=chunk_ids, state=Chunk.FAILED).update(due_at=now)
    refused.update(next_try_at=now)


def stop_filling(feed_id: int) -> None:
    """A feed is filling as long as any backfill of it is open."""
    open_ones = Backfill.objects.filter(feed_id=feed_id, state__in=(RUNNING, Backfill.State.PAUSED))
    if not open_ones.exists():
        Feed.objects.filter(pk=feed_id).update(filling_since=None)
