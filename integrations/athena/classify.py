"""Turns an answer (status, headers, first bytes of the body) into the error it means, or None.

The rules are data, first match wins. A body is only ever searched for words: gateway errors "generally
have no JSON content" (athena-api.md §1), v1 errors start with blank lines, proxies answer in HTML.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from .calls import Call, Effect
from .errors import (
    AthenaError,
    ConfigError,
    Forbidden,
    Gone,
    InvalidResponse,
    RateLimited,
    RequestRejected,
    SubscriptionMissing,
    TransientError,
    Unauthorized,
)

_SEARCHED_BYTES = 4096
_JSON_START = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[\[{]")
_HTML_START = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<")
_LONGEST_WAIT = 24 * 3600.0

_ANY_EFFECT = frozenset(Effect)


@dataclass(frozen=True, slots=True)
class Rule:
    statuses: Container[int]
    error: type[AthenaError]
    message: str
    says: re.Pattern[bytes] | None = None
    effects: frozenset[Effect] = _ANY_EFFECT

    def matches(self, status: int, effect: Effect, head: bytes) -> bool:
        return (
            status in self.statuses
            and effect in self.effects
            and (self.says is None or self.says.search(head) is not None)
        )


def _says(words: str) -> re.Pattern[bytes]:
    return re.compile(words.encode(), re.IGNORECASE)


RULES = (
    Rule(
        (429,),
        RateLimited,
        "too many token requests this minute (50 production, 5 preview)",
        effects=frozenset({Effect.TOKEN}),
    ),
    Rule(
        (400, 401, 403),
        ConfigError,
        "athenahealth refused the client id, the secret or the scope; it gives the same answer for all "
        "three, for an app of the other environment and for a three-legged app",
        effects=frozenset({Effect.TOKEN}),
    ),
    Rule((429,), RateLimited, "athenahealth's rate limit is reached"),
    Rule((401,), Forbidden, "this app has no permission for this call", _says("incorrect permissions")),
    Rule((401,), Unauthorized, "athenahealth does not accept the access token"),
    Rule(
        (403,),
        SubscriptionMissing,
        "the changed feed has no active subscription yet; it takes up to 15 minutes after subscribing",
        _says("require setup"),
    ),
    Rule((404,), ConfigError, "athenahealth knows no practice with this id", _says("invalid practice")),
    Rule(
        (404,),
        ConfigError,
        "no athenahealth API is registered at this address; check the base URL",
        _says("not registered with api gateway"),
    ),
    Rule(
        (400, 403),
        RequestRejected,
        "the FHIR search lacks a required parameter combination",
        _says("required parameter combinations"),
    ),
    Rule(
        (400,), ConfigError, "FHIR could not tell which practice is meant", _says("what practice the request")
    ),
    Rule((403,), Forbidden, "athenahealth forbids this call for this app and practice"),
    Rule((404, 410), RequestRejected, "athenahealth refuses this change", effects=frozenset({Effect.WRITE})),
    Rule((404, 410), Gone, "athenahealth has no such record", _says(r"\A(?:\xef\xbb\xbf)?\s*[\[{]")),
    Rule((404, 410), ConfigError, "no athenahealth API answers at this address; check the base URL"),
    Rule(
        range(300, 400),
        ConfigError,
        "the address redirects elsewhere, so it is not athenahealth's API; check the base URL",
    ),
    Rule((408, 425, 500, *range(502, 600)), TransientError, "athenahealth failed to answer"),
    Rule(range(400, 600), RequestRejected, "athenahealth rejected the request"),
)


def classify(
    call: Call, status: int, headers: Mapping[str, str], body: bytes, now: datetime
) -> AthenaError | None:
    """The error an answer stands for. `headers` must look names up without regard to case."""
    head = body[:_SEARCHED_BYTES]
    request_id = headers.get("x-request-id")
    for rule in RULES:
        if rule.matches(status, call.effect, head):
            return rule.error(
                rule.message,
                status=status,
                request_id=request_id,
                retry_after=_seconds_to_wait(rule.error, call, headers, now),
                endpoint=call.endpoint,
            )
    if 200 <= status < 300 and _JSON_START.match(head):
        return None
    return InvalidResponse(_not_json(head), status=status, request_id=request_id, endpoint=call.endpoint)


def _not_json(head: bytes) -> str:
    if not head.strip():
        return "athenahealth's address answered with an empty body"
    if _HTML_START.match(head):
        return "athenahealth's address answered with a web page instead of JSON"
    return "athenahealth's address answered with something that is not JSON"


def _seconds_to_wait(
    error: type[AthenaError], call: Call, headers: Mapping[str, str], now: datetime
) -> float | None:
    """Retry-After, else what the quota headers mean: per minute on tokens, per day (GMT) on calls."""
    stated = retry_after(headers.get("retry-after"), now)
    if stated is not None or error is not RateLimited:
        return stated
    if call.effect is Effect.TOKEN:
        return 60.0 - now.second
    if headers.get("x-ratelimit-remaining") == "0":
        midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return (midnight - now).total_seconds()
    return None


def retry_after(header: str | None, now: datetime) -> float | None:
    """RFC 9110: seconds or an HTTP date. Anything else is ignored; nobody is believed for more than a day."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), _LONGEST_WAIT)
