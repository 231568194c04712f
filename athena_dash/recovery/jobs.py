"""The one module of recovery that knows the queue: wakes a worker for a Replay, again when one was lost."""

from __future__ import annotations

import logging
from uuid import uuid4

from django.db.models import Q
from django_rq import get_queue
from redis import RedisError

from athena_dash.core import clock
from athena_dash.recovery import batch
from athena_dash.recovery.models import Replay

log = logging.getLogger(__name__)


def enqueue_due() -> int:
    """Called by the tick: a job for each running replay that no worker holds. Returns how many it made."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=clock.now())
    due = Replay.objects.filter(free, state=Replay.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    return sum(enqueue(pk) for pk in due)


def enqueue(replay_id: int) -> bool:
    """False when a job already waits, or the queue is away: PostgreSQL remembers, the tick tries again."""
    try:
        return _enqueue(replay_id)
    except RedisError:
        log.warning("the queue does not answer; the tick will wake a worker", extra={"replay": replay_id})
        return False


def _enqueue(replay_id: int) -> bool:
    queue = get_queue("replay")
    name = f"replay-{replay_id}-"
    if any(job_id.startswith(name) for job_id in queue.job_ids):
        return False
    # A new id each time: RQ fails to clean up after a job whose namesake died with its worker.
    queue.enqueue(work, replay_id, job_id=f"{name}{uuid4().hex}", result_ttl=0)
    return True


def work(replay_id: int) -> None:
    batch.run(replay_id)
