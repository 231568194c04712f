"""Sends one request as often as it may be sent; hands up one whole answer of bounded size or an error.

Sits below httpx's auth, so a 401 passes through untouched. Repeats only what cannot have had an effect:
a plain read, or a call that was refused (429) or never left (no connection). A changed-feed read or a
write that failed later than that raises UnknownOutcome, because athenahealth may have processed it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from .calls import AlwaysOpen, Call, CallObserver, CallRecord, Effect, Gate, Limiter, Unlimited, Unobserved
from .classify import classify
from .errors import AthenaError, CircuitOpen, InvalidResponse, RateLimited, TransientError
from .faults import lost, unsettled

SENT_AT = "athena_sent_at"
_UNDONE_BY_READING = ("content-encoding", "content-length", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Policy:
    """`patience` bounds one call in seconds, waits included; a longer Retry-After is the caller's."""

    attempts: int = 4
    patience: float = 90.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    largest_body: int = 64 * 1024 * 1024


def utc_now() -> datetime:
    return datetime.now(UTC)


class AthenaTransport(httpx.BaseTransport):
    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        policy: Policy | None = None,
        limiter: Limiter | None = None,
        gate: Gate | None = None,
        observer: CallObserver | None = None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._inner = inner
        self._policy = policy or Policy()
        self._limiter = limiter or Unlimited()
        self._gate = gate or AlwaysOpen()
        self._observer = observer or Unobserved()
        self._now = now
        self._sleep = sleep
        self._jitter = wait_random_exponential(
            multiplier=self._policy.first_wait, max=self._policy.longest_wait
        )

    def close(self) -> None:
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        call = Call.of(request)
        deadline = time.monotonic() + self._policy.patience
        attempts = Retrying(
            stop=stop_after_attempt(self._policy.attempts) | stop_before_delay(self._policy.patience),
            wait=self._wait,
            retry=retry_if_exception(lambda error: _may_repeat(call, error)),
            sleep=self._sleep,
            reraise=True,
        )
        for attempt in attempts:
            with attempt:
                answer = self._attempt(request, call, attempt.retry_state.attempt_number, deadline)
        return answer

    def _wait(self, state: RetryCallState) -> float:
        """Full jitter, never shorter than what athenahealth asked for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, AthenaError) else None
        return max(asked or 0.0, self._jitter(state))

    def _attempt(self, request: httpx.Request, call: Call, number: int, deadline: float) -> httpx.Response:
        """An answer whose meaning is decided above (auth renews on 401, the session raises the rest)."""
        self._gate.admit()
        self._limiter.acquire()
        sent_at, started = self._now(), time.perf_counter()
        answer: httpx.Response | None = None
        error: AthenaError | None
        try:
            answer = self._exchange(request, call, deadline)
        except AthenaError as unanswered:
            error = unanswered
        else:
            error = classify(call, answer.status_code, answer.headers, answer.content, sent_at)
        self._report(call, answer, error, number, time.perf_counter() - started)
        if isinstance(error, RateLimited):
            self._limiter.penalise(error.retry_after or self._policy.first_wait)
        if error is not None and (answer is None or isinstance(error, RateLimited)):
            raise error
        if isinstance(error, TransientError):
            raise unsettled(call, error)
        assert answer is not None  # noqa: S101 - without an answer an error was raised above
        answer.extensions[SENT_AT] = sent_at
        return answer

    def _exchange(self, request: httpx.Request, call: Call, deadline: float) -> httpx.Response:
        try:
            response = self._inner.handle_request(request)
            response.request = request  # httpx sets it only above the transport; decoding asks for it
            try:
                body = self._read(response, call, deadline)
            finally:
                response.close()
        except httpx.HTTPError as fault:
            raise lost(call, fault) from fault
        headers = [(k, v) for k, v in response.headers.multi_items() if k not in _UNDONE_BY_READING]
        return httpx.Response(
            response.status_code,
            headers=headers,
            content=body,
            request=request,
            extensions=dict(response.extensions),
        )

    def _read(self, response: httpx.Response, call: Call, deadline: float) -> bytes:
        """The decoded body, unless it is too large or drips in for longer than the call's patience."""
        limit = self._policy.largest_body
        stated = response.headers.get("content-length", "")
        if stated.isascii() and stated.isdigit() and int(stated[:20]) > limit:
            raise _too_large(call, response, limit)
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > limit:
                raise _too_large(call, response, limit)
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the body took longer than the call's patience")
            chunks.append(chunk)
        return b"".join(chunks)

    def _report(
        self,
        call: Call,
        answer: httpx.Response | None,
        error: AthenaError | None,
        number: int,
        seconds: float,
    ) -> None:
        headers = answer.headers if answer is not None else httpx.Headers()
        self._observer.on_call(
            CallRecord(
                endpoint=call.endpoint,
                practice=call.practice,
                status=answer.status_code if answer is not None else None,
                milliseconds=round(seconds * 1000, 1),
                bytes=len(answer.content) if answer is not None else 0,
                request_id=headers.get("x-request-id"),
                attempt=number,
                outcome=error.action.value if error else "ok",
                quota=_quota(call, headers, "x-ratelimit-limit"),
                quota_left=_quota(call, headers, "x-ratelimit-remaining"),
            )
        )


def _quota(call: Call, headers: httpx.Headers, name: str) -> int | None:
    """A figure of the day's quota; on token calls the same headers count per minute (athena-api.md §2.0)."""
    stated = headers.get(name, "")
    return int(stated) if call.effect is not Effect.TOKEN and stated.isascii() and stated.isdigit() else None


def _may_repeat(call: Call, error: BaseException) -> bool:
    """A refused token call is not waited out: the wait would hold the lock other threads need."""
    if isinstance(error, RateLimited):
        return call.effect is not Effect.TOKEN
    return isinstance(error, TransientError) and not isinstance(error, CircuitOpen)


def _too_large(call: Call, response: httpx.Response, limit: int) -> AthenaError:
    return unsettled(
        call,
        InvalidResponse(
            f"the answer is larger than {limit // (1024 * 1024)} MB",
            status=response.status_code,
            request_id=response.headers.get("x-request-id"),
            endpoint=call.endpoint,
        ),
    )
