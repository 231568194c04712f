"""The one module of sync that knows the queue: wakes workers for what PostgreSQL says is due. Arguments are row ids.

Job ids name the work, so that two ticks make one job; the feed's lease, not RQ, says who may do it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django_rq import get_queue
from redis import RedisError
from rq.job import JobStatus

from athena_dash.core import clock
from athena_dash.correlation import service as correlation
from athena_dash.sync import feeds, pull, sweep

log = logging.getLogger(__name__)


def enqueue_due() -> int:
    """Called by the tick: how many jobs it made."""
    now = clock.now()
    made = sum(enqueue(pull_feed, feed_id) for feed_id in feeds.due(now).values_list("pk", flat=True))
    work = sweep.practices_with_work()
    made += sum(enqueue(process_left_behind, practice_id) for practice_id in work["left_behind"])
    made += sum(enqueue(retry_failures, practice_id) for practice_id in work["retry"])
    if correlation.due(now, 1) or correlation.due_orphans(now, 1):
        made += enqueue(reconsider)
    return made


def enqueue(work: Callable[..., None], *ids: int) -> bool:
    """False when such a job already waits, or the queue is away: the next tick tries again."""
    queue = get_queue("live")
    job_id = "-".join((work.__name__, *map(str, ids)))
    try:
        waiting = queue.fetch_job(job_id)
        if waiting and waiting.get_status() == JobStatus.QUEUED:
            return False
        queue.enqueue(work, *ids, job_id=job_id, result_ttl=0)
    except RedisError:
        log.warning("the queue does not answer; the tick will try again", extra={"job": job_id})
        return False
    return True


def pull_feed(feed_id: int) -> None:
    pull.run_feed(feed_id)


def process_left_behind(practice_id: int) -> None:
    sweep.process_left_behind(practice_id)


def retry_failures(practice_id: int) -> None:
    sweep.retry_due(practice_id)


def reconsider() -> None:
    sweep.reconsider_due()
