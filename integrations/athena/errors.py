"""What a call to athenahealth can end in, as exceptions a person can read and a program can act on.

`safe_message` is free of PHI and of secrets by construction: it is written in this package, never copied
from an answer. It may be logged, stored and shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Action(StrEnum):
    """What the caller should do about an answer."""

    RETRY = "retry"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of an action
    RATE_LIMITED = "rate_limited"
    INVALID = "invalid"
    GONE = "gone"
    CONFIG = "config"
    FATAL = "fatal"
    REREAD = "reread"


class AthenaError(Exception):
    """`endpoint` is a template such as `GET /claims/{claimid}`; `retry_after` is in seconds."""

    action: ClassVar[Action] = Action.FATAL

    def __init__(
        self,
        safe_message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(safe_message)
        self.safe_message = safe_message
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.endpoint = endpoint


class TransientError(AthenaError):
    """athenahealth or the network failed; the same call may work later."""

    action = Action.RETRY


class CircuitOpen(TransientError):
    """Not even tried: too many calls have just failed, and somebody else is finding out whether it works again."""


class RateLimited(AthenaError):
    """Too many calls; refused before anything was processed."""

    action = Action.RATE_LIMITED


class Unauthorized(AthenaError):
    """The access token is not accepted (any more)."""

    action = Action.REFRESH_TOKEN


class ConfigError(AthenaError):
    """A person must correct the connection: address, practice, credential or scope."""

    action = Action.CONFIG


class Forbidden(ConfigError):
    """This app has no right to this endpoint in this practice."""


class SubscriptionMissing(ConfigError):
    """A changed feed was read before its subscription became active (5-15 minutes after subscribing)."""


class InvalidResponse(AthenaError):
    """An answer that breaks the contract: HTML, broken JSON, another envelope, too large."""

    action = Action.INVALID


class InvalidPayload(AthenaError):
    """One record breaks the contract at `path`; `why` never holds the value."""

    action = Action.INVALID

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


class Gone(AthenaError):
    """athenahealth has no such record (any more)."""

    action = Action.GONE


class RequestRejected(AthenaError):
    """athenahealth understood the call and refuses it; repeating it changes nothing."""


class UnknownOutcome(AthenaError):
    """A write, or a read that consumes what it returns, was sent and its answer never became readable.

    For a changed feed: read the same minutes again with `processed_between` before reading on.
    """

    action = Action.REREAD
