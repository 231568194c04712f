"""Exceptions → Failure rows: classified, grouped by fingerprint, due for another try or left to a person."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    transaction,
)
from django.db.models import QuerySet
from redis import RedisError

from athena_dash.core import clock
from athena_dash.sync.models import Attempt, Failure, Reason, Stage
from athena_dash.sync.normalise.context import Unmapped
from integrations.athena import errors
from integrations.athena.auth import TOKEN_PATH

BACKOFF: dict[str, tuple[timedelta, ...]] = {
    # How long to wait before try 2, 3, … ; after the last one a person is asked. Reasons not listed wait for a person.
    Reason.TRANSIENT: tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240)),
    Reason.RATE_LIMITED: tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240)),
    Reason.UNKNOWN_OUTCOME: tuple(timedelta(minutes=m) for m in (1, 5, 15)),
    Reason.CONFLICT: tuple(timedelta(minutes=m) for m in (1, 2, 5)),
}
UNREADABLE_ANSWER = tuple(timedelta(minutes=m) for m in (5, 30, 120, 480, 1440))
"""An answer nobody can read is mostly a gateway's, and passes; a record that breaks the contract stays as it is."""
SPOILED = tuple(timedelta(minutes=m) for m in (30, 360))
"""A record without its own id was spoiled on its way: a fresh copy has one."""

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
    (DataError, Reason.INVALID),
    (OperationalError, Reason.TRANSIENT),
    (InterfaceError, Reason.TRANSIENT),
    (RedisError, Reason.TRANSIENT),
)
LIMIT_EXCEEDED = "54"  # SQLSTATE class: a value too large for an index or a row


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
    reason = reason_of(error)
    if isinstance(error, errors.AthenaError):
        return Problem(
            reason=reason,
            code=str(error.status or type(error).__name__),
            message=error.safe_message,
            field=getattr(error, "path", ""),
            request_id=error.request_id or "",
            retry_after=error.retry_after,
        )
    if isinstance(error, (DatabaseError, InterfaceError, RedisError)):
        message = OUT_OF_REACH if reason == Reason.TRANSIENT else "The database refused to store this record."
        return Problem(reason=reason, code=type(error).__name__, message=message)
    return Problem(
        reason=reason,
        code=type(error).__name__,
        message=f"Our own fault ({type(error).__name__}{where(error)}). Reprocess after the next update.",
    )


OUT_OF_REACH = "PostgreSQL or Valkey did not answer; it is tried again by itself."


def reason_of(error: BaseException) -> Reason:
    if isinstance(error, errors.ConfigError) and (error.endpoint or "").endswith(TOKEN_PATH):
        return Reason.AUTH  # the token endpoint refuses the credential
    if isinstance(error, OperationalError) and sqlstate(error).startswith(LIMIT_EXCEEDED):
        return Reason.INVALID
    return next((reason for kind, reason in REASONS if isinstance(error, kind)), Reason.BUG)


def sqlstate(error: DatabaseError) -> str:
    return getattr(error.__cause__, "sqlstate", None) or ""


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
    """Keep the failure: a new row, or one more attempt on the open row of this stage and subject.

    While somebody retries it, the attempt is theirs to keep (sync.replay).
    """
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
        claimed = failure.claimed_until is not None and failure.claimed_until > now
        failure.attempts += 1
        failure.next_try_at = next_try(failure, problem, now)
        failure.claimed_until = None
        failure.save()
        if not claimed:
            Attempt.objects.create(
                failure=failure,
                at=now,
                trigger=trigger,
                outcome="failed",
                message=problem.message,
                request_id=problem.request_id,
            )
    return failure


def reopen(claimed: Failure, problem: Problem) -> None:
    """A retry failed: release the claim and say what is wrong now. What the stage itself has recorded, or another
    has claimed since, is left alone."""
    now = clock.now()
    with transaction.atomic():
        still_claimed = Failure.objects.select_for_update().filter(
            pk=claimed.pk,
            claim_token=claimed.claim_token,
            claimed_until__isnull=False,
            resolved_at__isnull=True,
        )
        for failure in still_claimed:
            resource = failure.feed.resource if failure.feed else ""
            for name, value in described(failure.stage, resource, problem, now).items():
                setattr(failure, name, value)
            failure.attempts += 1
            failure.next_try_at = next_try(failure, problem, now)
            failure.claimed_until = None
            failure.save()


def release(claimed: Failure) -> None:
    """Nothing was tried: as it was before the claim."""
    Failure.objects.filter(pk=claimed.pk, claim_token=claimed.claim_token).update(claimed_until=None)


def put_off(claimed: Failure, seconds: float) -> None:
    """Nothing was tried, and nothing can be before then; what waits for a person goes on waiting for one."""
    release(claimed)
    Failure.objects.filter(pk=claimed.pk, next_try_at__isnull=False).update(
        next_try_at=clock.now() + timedelta(seconds=seconds)
    )


def described(stage: str, resource: str, problem: Problem, now: datetime) -> dict[str, Any]:
    return {
        "reason": problem.reason,
        "code": problem.code,
        "field": problem.field,
        "message": problem.message,
        "fingerprint": fingerprint(stage, resource, problem),
        "last_seen": now,
    }


def next_try(failure: Failure, problem: Problem, now: datetime) -> datetime | None:
    """Jitter on the upper half of the step, never earlier than athena asked for."""
    steps = BACKOFF.get(problem.reason, ())
    if problem.reason == Reason.INVALID and failure.stage == Stage.PULL:
        steps = UNREADABLE_ANSWER
    elif problem.reason == Reason.INVALID and failure.stage == Stage.NORMALISE and not failure.record_id:
        steps = SPOILED
    if failure.attempts > len(steps):
        return None
    wait = steps[failure.attempts - 1] * random.uniform(0.5, 1)  # noqa: S311 - jitter, not a secret
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
    of_subjects = Failure.objects.filter(
        practice_id=practice_id, stage__in=stages, subject_kind=kind, subject_id__in=ids
    )
    return closed(of_subjects, resolution)


def settle(failure_ids: Sequence[int], resolution: str) -> int:
    return closed(Failure.objects.filter(pk__in=failure_ids), resolution) if failure_ids else 0


def closed(rows: QuerySet[Failure], resolution: str) -> int:
    return rows.filter(resolved_at__isnull=True).update(
        resolved_at=clock.now(), resolution=resolution, next_try_at=None, claimed_until=None
    )
