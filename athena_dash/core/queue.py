"""Wakes a worker for work that PostgreSQL says is due; what the apps' `jobs.py` share. Arguments are row ids.

The queue is only a bell: losing it loses nothing, and a job that finds its work done or taken does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import uuid4

from django_rq import get_queue
from redis import RedisError

log = logging.getLogger(__name__)


def wake(queue_name: str, work: Callable[..., None], *ids: int) -> bool:
    """False when such a job waits already, or the queue is away: the next tick tries again."""
    name = "-".join((work.__name__, *map(str, ids))) + "-"
    try:
        queue = get_queue(queue_name)
        if any(job_id.startswith(name) for job_id in queue.job_ids):
            return False
        # A new id each time: RQ fails to clean up after a job whose namesake died with its worker.
        queue.enqueue(work, *ids, job_id=f"{name}{uuid4().hex}", result_ttl=0)
    except RedisError:
        log.warning("the queue does not answer; the tick will wake a worker", extra={"work": work.__name__})
        return False
    return True
