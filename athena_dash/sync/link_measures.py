"""Measures of a practice's links (hide and compare): asked for by a person or the night, made in small batches.

Each batch and what it found are one transaction, so a worker that dies loses at most a batch, which is made again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet

from athena_dash.core import clock
from athena_dash.correlation.hide_and_compare import KINDS, Compared, hide_and_compare, sample
from athena_dash.correlation.models import Link, LinkMeasure
from athena_dash.practices.models import Practice
from athena_dash.sync import pipeline

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

SIZE = 300  # of each kind: an interval of about one point at 99 %
BATCH = 50  # the practice's own work waits meanwhile
EVERY = timedelta(days=1)
AFTER_A_FAILURE = timedelta(hours=1)
ERRORS_KEPT = 50


def ask(practice_id: int, user: User | None) -> None:
    """One of each kind, unless one is under way; that one is then tried at once, whatever failed."""
    rows = [
        LinkMeasure(practice_id=practice_id, kind=kind, size=SIZE, asked_by=user, asked_at=clock.now())
        for kind in KINDS
    ]
    LinkMeasure.objects.bulk_create(rows, ignore_conflicts=True)
    LinkMeasure.objects.filter(practice_id=practice_id, finished_at__isnull=True).update(again_at=None)


def due(now: datetime) -> list[int]:
    asked = LinkMeasure.objects.filter(asked_at__gt=now - EVERY).values("practice_id")
    return list(Practice.objects.active().exclude(pk__in=asked).values_list("pk", flat=True))


def unfinished(now: datetime) -> QuerySet[LinkMeasure]:
    """Those whose turn it is."""
    open_ones: QuerySet[LinkMeasure] = LinkMeasure.objects.filter(
        Q(again_at__isnull=True) | Q(again_at__lte=now),
        finished_at__isnull=True,
        practice__paused_at__isnull=True,
    )
    return open_ones


def practices_with_work(now: datetime) -> list[int]:
    return sorted(set(unfinished(now).values_list("practice_id", flat=True)))


def take_next(practice_id: int) -> bool:
    """One batch of the oldest unfinished measure; whether there was one. A batch that fails is tried again in an hour,
    not at every tick."""
    measure = unfinished(clock.now()).filter(practice_id=practice_id).order_by("pk").first()
    if measure is None:
        return False
    try:
        with transaction.atomic():
            pipeline.lock(practice_id)
            measure.refresh_from_db()
            if measure.finished_at is None:
                compare_next(measure)
    except Exception:
        LinkMeasure.objects.filter(pk=measure.pk).update(again_at=clock.now() + AFTER_A_FAILURE)
        raise
    return True


def compare_next(measure: LinkMeasure) -> None:
    kind, left = Link.Kind(measure.kind), measure.size - measure.done
    hidden = sample(measure.practice_id, kind, min(BATCH, left), seed=str(measure.pk), after=measure.after)
    if hidden:
        note(measure, hide_and_compare(measure.practice_id, kind, hidden))
        measure.after = hidden[-1].place
    if len(hidden) < BATCH or measure.done >= measure.size:
        measure.finished_at = clock.now()
    measure.save()


def note(measure: LinkMeasure, found: list[Compared]) -> None:
    wrong = [one for one in found if one.linked and not one.right]
    measure.wrong += len(wrong)
    measure.right += sum(one.right for one in found)
    measure.abstained += sum(not one.linked for one in found)
    room = ERRORS_KEPT - len(measure.errors)
    measure.errors += [
        {"record_id": one.hidden.record_id, "visit": one.hidden.visit_id, "found": one.visit_id}
        for one in wrong[:room]
    ]
