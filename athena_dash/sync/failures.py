"""Exceptions → Failure rows: classified, grouped by fingerprint, due for another try or left to a person."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError, OperationalError

from athena_dash.core import clock
from athena_dash.sync.models import Attempt, Failure, Reason, Stage
from athena_dash.sync.normalise.context import Unmapped
from integrations.athena import errors

BACKOFF: dict[str, tuple[timedelta, ...]] = {
    # How long to wait before try 2, 3, … ; after the last one a person is asked. Reasons not listed wait for a person.
    Reason.TRANSIENT: tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240)),
    Reason.RATE_LIMITED: tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240)),
    Reason.UNKNOWN_OUTCOME: tuple(timedelta(minutes=m) for m in (1, 5, 15)),
    Reason.CONFLICT: tuple(timedelta(minutes=m) for m in (1, 2, 5)),
    Reason.BLOCKED: tuple(timedelta(minutes=m) for m in (5, 30, 120)),
}

REASONS: tuple[tuple[type[BaseException], Reason], ...] = (
    # First match wins: subclasses before their bases.
    (errors.RateLimited, Reason.RATE_LIMITED),
    (errors.Unauthorized, Reason.AUTH),
    (errors.Forbidden, Reason.AUTH),
    (errors.ConfigError, Reason.CONFIG),
    (errors.InvalidPayload, Reason.INVALID),
    (errors.InvalidResponse, Reason.INVALID),
    (errors.Gone, Reason.GONE),
    (errors.UnknownOutcome, Reason.UNKNOWN_OUTCOME),
    (errors.TransientError, Reason.TRANSIENT),
    (errors.RequestRejected, Reason.INVALID),
    (IntegrityError, Reason.CONFLICT),
    (OperationalError, Reason.TRANSIENT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What failed: the row to try again, and the ids that let the judge recognise the visit."""

    practice_id: int
    kind: str  # Failure.SubjectKind
    id: str
    feed_id: int | None = None
    resource: str = ""
    record_kind: str = ""
    record_id: str = ""
    patient_id: str = ""
    appointment_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An exception, understood. `message` is PHI-free and says what to do; `retry_after` is athena's own wish."""

    reason: Reason
    code: str
    message: str
    field: str = ""
    request_id: str = ""
    retry_after: float | None = None


def understand(error: BaseException) -> Problem:
    """Exhaustive: whatever has no rule is our bug, and its text is not trusted to be free of PHI."""
    if isinstance(error, Unmapped):
        return Problem(reason=Reason.UNMAPPED, code="unmapped", message=str(error), field=error.field)
    reason = next((reason for kind, reason in REASONS if isinstance(error, kind)), Reason.BUG)
    if isinstance(error, errors.AthenaError):
        return Problem(
            reason=reason,
            code=str(error.status or type(error).__name__),
            message=error.safe_message,
            field=getattr(error, "path", ""),
            request_id=error.request_id or "",
            retry_after=error.retry_after,
        )
    if isinstance(error, DatabaseError):
        return Problem(
            reason=reason, code=type(error).__name__, message="The database refused to store this record."
        )
    return Problem(
        reason=reason,
        code=type(error).__name__,
        message=f"Our own fault ({type(error).__name__}{where(error)}). Reprocess after the next update.",
    )


def where(error: BaseException) -> str:
    """Innermost frame of our own code: enough to find a bug, with no value of the payload in it."""
    found, trace = "", error.__traceback__
    while trace:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith(("athena_dash.", "integrations.")):
            found = f" in {name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


def record(stage: Stage, subject: Subject, error: BaseException, *, trigger: str = "sync") -> Failure:
    """Keep the failure: a new row, or one more attempt on the open row of this stage and subject."""
    return record_problem(stage, subject, understand(error), trigger=trigger)


def record_problem(stage: Stage, subject: Subject, problem: Problem, *, trigger: str = "sync") -> Failure:
    now = clock.now()
    with transaction.atomic():
        failure: Failure
        failure, created = Failure.objects.select_for_update().get_or_create(
            practice_id=subject.practice_id,
            stage=stage,
            subject_kind=subject.kind,
            subject_id=subject.id,
            resolved_at=None,
            defaults={
                "feed_id": subject.feed_id,
                "record_kind": subject.record_kind,
                "record_id": subject.record_id,
                "patient_id": subject.patient_id,
                "appointment_id": subject.appointment_id,
                "first_seen": now,
                "attempts": 0,
                **described(stage, subject.resource, problem, now),
            },
        )
        if not created:
            for name, value in described(stage, subject.resource, problem, now).items():
                setattr(failure, name, value)
        failure.attempts += 1
        failure.next_try_at = next_try(problem, failure.attempts, now)
        failure.claimed_until = None
        failure.save()
        Attempt.objects.create(
            failure=failure,
            at=now,
            trigger=trigger,
            outcome="failed",
            message=problem.message,
            request_id=problem.request_id,
        )
    return failure


def reopen(failure: Failure, problem: Problem) -> None:
    """A retry failed: release the claim and say what is wrong now; its attempt is kept by whoever retried."""
    failure.refresh_from_db()
    if failure.claimed_until is not None:  # else the pipeline has recorded this very try already
        failure.attempts += 1
        failure.next_try_at = next_try(problem, failure.attempts, clock.now())
    failure.claimed_until = None
    failure.message, failure.reason, failure.code = problem.message, problem.reason, problem.code
    failure.last_seen = clock.now()
    failure.save()


def described(stage: str, resource: str, problem: Problem, now: datetime) -> dict[str, Any]:
    return {
        "reason": problem.reason,
        "code": problem.code,
        "field": problem.field,
        "message": problem.message,
        "fingerprint": fingerprint(stage, resource, problem),
        "last_seen": now,
    }


def next_try(problem: Problem, attempts: int, now: datetime) -> datetime | None:
    """Full jitter on the upper half of the step, never earlier than athena asked for."""
    steps = BACKOFF.get(problem.reason, ())
    if attempts > len(steps):
        return None
    wait = steps[attempts - 1] * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
    return now + max(wait, timedelta(seconds=problem.retry_after or 0))


def fingerprint(stage: str, resource: str, problem: Problem) -> str:
    """Version 1: stage, feed, reason, code, message with ids, dates and quoted values masked, failing field."""
    masked = re.sub(r"'[^']*'|\"[^\"]*\"|\b[\w./:-]*\d[\w./:-]*\b", "#", problem.message)
    field = re.sub(r"\d+", "#", problem.field)
    text = "\x1f".join((stage, resource, problem.reason, problem.code, masked, field))
    return "v1:" + hashlib.sha256(text.encode()).hexdigest()[:24]


def resolve(practice_id: int, stages: Sequence[str], kind: str, ids: Sequence[str], resolution: str) -> int:
    """Close open failures of these subjects: the stage ran through for them now."""
    if not ids:
        return 0
    return int(
        Failure.objects.filter(
            practice_id=practice_id,
            stage__in=stages,
            subject_kind=kind,
            subject_id__in=ids,
            resolved_at__isnull=True,
        ).update(resolved_at=clock.now(), resolution=resolution, next_try_at=None, claimed_until=None)
    )
