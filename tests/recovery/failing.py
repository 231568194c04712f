"""Failures with believable defaults, and a stand-in for the sync's retry that answers what a test tells it to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.models import Failure, Feed
from athena_dash.sync.replay import RetryResult
from tests.builders import a_feed

_ids = count(9001)


def a_connection(practice: Practice, **fields: Any) -> Connection:
    """One that nothing listens on."""
    fields = {"base_url": "http://127.0.0.1:9", "client_id": "client", "client_secret": "secret"} | fields
    return Connection.objects.create(practice=practice, **fields)


def a_failure(practice: Practice, **fields: Any) -> Failure:
    """A claim whose record broke the contract an hour ago and that waits for a person."""
    now = clock.now()
    number = str(next(_ids))
    fields = {
        "feed": Feed.objects.filter(practice=practice, resource="claims").first()
        or a_feed(practice, "claims"),
        "stage": "normalise",
        "subject_kind": "raw",
        "subject_id": number,
        "record_kind": "claim",
        "record_id": number,
        "reason": "invalid",
        "code": "InvalidPayload",
        "field": "claimcreateddate",
        "message": "claimcreateddate is not a date; re-fetch once athena has corrected it.",
        "fingerprint": "v1:baddate",
        "first_seen": now - dt.timedelta(hours=1),
        "last_seen": now - dt.timedelta(minutes=5),
    } | fields
    failure: Failure = Failure.objects.create(practice=practice, **fields)
    return failure


class Retries:
    """In place of athena_dash.sync.replay.retry: keeps whom it was asked for, and answers `outcomes` by failure."""

    def __init__(self, outcomes: dict[int, str] | None = None) -> None:
        self.outcomes = outcomes or {}
        self.asked: list[int] = []
        self.before: Callable[[int], None] = lambda failure_id: None

    def __call__(self, failure_id: int, *, verb: str, trigger: str, by: Any) -> RetryResult:
        self.before(failure_id)
        self.asked.append(failure_id)
        outcome = self.outcomes.get(failure_id, "confirmed")
        if outcome == "confirmed":
            Failure.objects.filter(pk=failure_id).update(resolved_at=clock.now(), resolution="replayed")
            return RetryResult(
                outcome=outcome, message="Done.", gaps_closed=1, dollars_closed=Decimal("120.00")
            )
        return RetryResult(outcome=outcome, message="athena still sends the same record.")
