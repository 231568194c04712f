"""What nobody is waiting for: payloads and touched records a crash left, failures due for another try, and visits
that time changes.

Each verb does one bounded slice and says how much; the tick calls again as long as something is due.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from django.db.models import Q

from athena_dash.core import clock
from athena_dash.correlation import service as correlation
from athena_dash.sync import pipeline, replay
from athena_dash.sync.models import Failure, RawRecord, RawSegment, Touched

SLICE = 5_000
SEGMENTS = 5
GRACE = timedelta(seconds=30)  # a page's own worker processes it right after keeping it
SELF_RETRIED = (Failure.SubjectKind.FEED, Failure.SubjectKind.CHUNK)  # their next run is their retry


def left_behind() -> Q:
    return Q(processed_version__isnull=True, kept_at__lt=clock.now() - GRACE)


def process_left_behind(practice_id: int) -> int:
    """Payloads kept but never landed, and records landed but never related. Counts the payloads."""
    left = RawSegment.objects.for_practice(practice_id).filter(left_behind()).order_by("pk")[:SEGMENTS]
    ids = [
        pk
        for segment in left.only("first_id", "last_id")
        for pk in RawRecord.objects.filter(
            segment_id=segment.pk, pk__range=(segment.first_id, segment.last_id)
        ).values_list("pk", flat=True)
    ]
    pipeline.process(practice_id, ids)
    pipeline.drain(practice_id)
    return len(ids)


def due_failures() -> Q:
    now = clock.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    return free & Q(resolved_at__isnull=True, next_try_at__lte=now) & ~Q(subject_kind__in=SELF_RETRIED)


def retry_due(practice_id: int, limit: int = 50) -> int:
    """Automatic tries of failures whose wait is over."""
    due = Failure.objects.for_practice(practice_id).filter(due_failures()).order_by("next_try_at")[:limit]
    for failure in due:
        replay.retry(failure.pk, verb=replay.suggest(failure).verb, trigger="auto")
    return len(due)


def reconsider_due(limit: int = SLICE) -> int:
    """Visits, and results without a visit, whose answer time alone may have changed."""
    count = 0
    for practice_id, visit_ids in correlation.due(clock.now(), limit).items():
        pipeline.rejudge(practice_id, visit_ids)
        count += len(visit_ids)
    for practice_id, record_ids in correlation.due_orphans(clock.now(), limit).items():
        count += correlation.judge_orphans(practice_id, record_ids)
    return count


def practices_with_work() -> dict[str, set[int]]:
    """Practices that have something left behind or due for a retry."""
    work: dict[str, set[int]] = defaultdict(set)
    for waiting in (
        RawSegment.objects.filter(left_behind()),
        Touched.objects.filter(at__lt=clock.now() - GRACE),
    ):
        work["left_behind"] |= set(waiting.values_list("practice_id", flat=True).distinct())
    work["retry"] |= set(
        Failure.objects.filter(due_failures()).values_list("practice_id", flat=True).distinct()
    )
    return work
