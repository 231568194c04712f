"""Turns what httpx raises when no whole answer arrives into an AthenaError that says what happened."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

from .calls import Call
from .errors import AthenaError, ConfigError, TransientError, UnknownOutcome

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

_MESSAGES: tuple[tuple[type[BaseException], type[AthenaError], str], ...] = (
    (
        ssl.SSLCertVerificationError,
        ConfigError,
        "the server's TLS certificate is not trusted for this host name",
    ),
    (ssl.SSLError, ConfigError, "the server does not speak TLS at this address"),
    (socket.gaierror, TransientError, "the host name does not resolve; check the base URL"),
    (ConnectionRefusedError, TransientError, "nothing accepts connections at this address"),
    (httpx.UnsupportedProtocol, ConfigError, "the base URL must start with https://"),
    (httpx.ConnectTimeout, TransientError, "no connection within the time limit"),
    (httpx.ConnectError, TransientError, "no connection could be made"),
    (httpx.PoolTimeout, TransientError, "too many calls at once in this process"),
    (httpx.TimeoutException, TransientError, "athenahealth did not answer in time"),
    (httpx.DecodingError, TransientError, "the answer could not be decompressed"),
    (httpx.HTTPError, TransientError, "the connection broke before the answer was complete"),
)


def explain(call: Call, fault: httpx.HTTPError) -> AthenaError:
    chain = tuple(_causes(fault))
    kind, message = next(
        (kind, message)
        for cause, kind, message in _MESSAGES
        if any(isinstance(link, cause) for link in chain)
    )
    return kind(message, endpoint=call.endpoint)


def unsettled(call: Call, error: AthenaError) -> AthenaError:
    """The same error, or UnknownOutcome when the call may have had its effect although its answer is lost."""
    if call.repeatable:
        return error
    return UnknownOutcome(
        f"{error.safe_message}, after the call may have been processed",
        status=error.status,
        request_id=error.request_id,
        endpoint=call.endpoint,
    )


def lost(call: Call, fault: httpx.HTTPError) -> AthenaError:
    error = explain(call, fault)
    return error if isinstance(fault, _NEVER_LEFT) else unsettled(call, error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, what it was raised from, what that was raised from, …"""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
