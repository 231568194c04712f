"""What a worker leaves behind of a job that failed."""

from __future__ import annotations

import logging

import django_rq
import pytest
from django_rq.workers import get_worker
from rq.job import JobStatus

from athena_dash.core.logging import JsonLines
from athena_dash.core.worker import Worker

PATIENT = "Eleanor Vance"


def quote_a_patient() -> None:
    raise ValueError(f"cannot parse {PATIENT}")


@pytest.mark.django_db(transaction=True)
def test_no_words_of_a_failed_job_s_exception_reach_redis_or_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.handler.setFormatter(JsonLines())
    queue = django_rq.get_queue("live")
    job = queue.enqueue(quote_a_patient)
    worker = get_worker("live")
    assert isinstance(worker, Worker)
    with caplog.at_level(logging.DEBUG, logger="rq.worker"):
        worker.perform_job(job, queue)  # in this process: what the forked one does
    assert job.get_status() == JobStatus.FAILED
    kept = b"".join(queue.connection.dump(key) or b"" for key in queue.connection.scan_iter("rq:*"))
    result = job.latest_result()
    assert result is not None
    assert result.exc_string == "see the worker's log"
    assert PATIENT.encode() not in kept
    assert "builtins.ValueError" in caplog.text
    assert PATIENT not in caplog.text
