"""Makes single calls to one practice of one athenahealth: address + credential in, readable JSON bytes out.

Thread-safe: one session serves a pool of threads.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from .calls import Call, CallObserver, Effect, Gate, Limiter
from .classify import classify
from .errors import InvalidResponse
from .faults import unsettled
from .origin import read_base_url, read_practice_id
from .transport import SENT_AT, AthenaTransport, Policy, utc_now

_LONGEST_SILENCE = 60.0
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)

# httpx logs every URL at INFO and httpcore every target at DEBUG; both carry patient ids.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)


@cache
def trusted() -> ssl.SSLContext:
    """The authorities, read once: reading them takes longer than most calls, and each run opens a session."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = field(repr=False)
    request_id: str | None
    sent_at: datetime


class Session:
    def __init__(
        self,
        base_url: str,
        practice_id: str,
        auth: httpx.Auth,
        *,
        limiter: Limiter | None = None,
        gate: Gate | None = None,
        observer: CallObserver | None = None,
        policy: Policy | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.base_url = read_base_url(base_url)
        self.practice_id = read_practice_id(practice_id)
        self._now = now
        policy = policy or Policy()
        self._http = httpx.Client(
            base_url=self.base_url,
            auth=auth,
            transport=AthenaTransport(
                transport or httpx.HTTPTransport(verify=trusted(), limits=_LIMITS),
                policy=policy,
                limiter=limiter,
                gate=gate,
                observer=observer,
                now=now,
            ),
            timeout=httpx.Timeout(min(_LONGEST_SILENCE, policy.patience), connect=10.0),
            headers={"Accept": "application/json", "User-Agent": "athena-dash"},
        )

    def call(self, method: str, endpoint: str, effect: Effect = Effect.READ) -> Call:
        """`endpoint` is the path's template."""
        return Call(f"{method} {endpoint}", self.practice_id, effect)

    def get(
        self, call: Call, path: str, params: Sequence[tuple[str, str]] = (), *, public: bool = False
    ) -> Answer:
        """Raises an AthenaError for anything but a 2xx that looks like JSON. `public` sends no token."""
        request = self._http.build_request("GET", path, params=list(params), extensions=call.attach())
        return self._send(call, request, public)

    def write(self, call: Call, method: str, path: str, form: Mapping[str, str]) -> Answer:
        """Form parameters; DELETE carries them in the query."""
        if method == "DELETE":
            request = self._http.build_request(method, path, params=form, extensions=call.attach())
        else:
            request = self._http.build_request(method, path, data=form, extensions=call.attach())
        return self._send(call, request, public=False)

    def _send(self, call: Call, request: httpx.Request, public: bool) -> Answer:
        response = self._http.send(request, auth=None) if public else self._http.send(request)
        error = classify(call, response.status_code, response.headers, response.content, self._now())
        if isinstance(error, InvalidResponse):
            raise unsettled(call, error)  # a 2xx nobody can read still had its effect
        if error is not None:
            raise error
        return Answer(response.content, response.headers.get("x-request-id"), response.extensions[SENT_AT])

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
