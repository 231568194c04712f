"""RQ's worker, keeping exceptions out of Redis and of its own log lines: their words may quote a patient."""

from __future__ import annotations

import logging
from typing import Any

import rq
from rq.job import Job
from rq.queue import Queue
from rq.registry import StartedJobRegistry

log = logging.getLogger(__name__)


class Worker(rq.Worker):
    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        log.error("job failed", exc_info=exc_info, extra={"job": job.id, "queue": job.origin})

    def handle_job_failure(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry | None = None,
        exc_string: str = "",
    ) -> None:
        kept = "see the worker's log" if "Traceback" in exc_string else exc_string
        super().handle_job_failure(job, queue, started_job_registry, kept)
