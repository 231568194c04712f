"""Puts a two-legged bearer token on each request: asked for once, shared, renewed once on 401.

A token lives an hour and asking is limited to 5 (preview) or 50 (production) a minute, so tokens are
kept in a TokenStore and only the holder of its lock asks. `expires_in` arrives as a string
(athena-api.md §1).
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import httpx
import msgspec

from .calls import Call, Effect
from .classify import classify
from .errors import AthenaError, ConfigError, InvalidResponse, Unauthorized
from .origin import read_base_url
from .transport import utc_now

TOKEN_PATH = "/oauth2/v1/token"  # noqa: S105 - a path
V1_SCOPE = "athena/service/Athenanet.MDP.*"
LEEWAY = timedelta(seconds=60)
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,16384}")


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)
    expires_at: datetime
    scope: str

    def usable(self, now: datetime) -> bool:
        return now < self.expires_at - LEEWAY


class TokenStore(Protocol):
    def get(self, key: str) -> Token | None: ...

    def put(self, key: str, token: Token) -> None: ...

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Held by the one caller that asks athenahealth for a new token."""


class MemoryTokens:
    """Tokens of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def get(self, key: str) -> Token | None:
        return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        self._tokens[key] = token

    def lock(self, key: str) -> AbstractContextManager[object]:
        return self._locks[key]


class _Grant(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: str | int
    scope: str = ""


class ClientCredentials(httpx.Auth):
    """`scope` is mandatory; FHIR system scopes go into the same space-separated string."""

    requires_response_body = True

    def __init__(
        self,
        base_url: str,
        practice_id: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str = V1_SCOPE,
        tokens: TokenStore | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        for name, value in (("client id", client_id), ("client secret", client_secret), ("scope", scope)):
            if not value.strip():
                raise ConfigError(f"the {name} is missing")
        self._url = read_base_url(base_url) + TOKEN_PATH
        self._basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._call = Call("POST " + TOKEN_PATH, practice_id, Effect.TOKEN)
        self._now = now
        self.scope = " ".join(scope.split())
        self.tokens: TokenStore = tokens or MemoryTokens()
        # the secret takes part, so that a changed secret never rides on a token the old one bought
        self.key = hashlib.sha256(f"{self._url}\n{self._basic}\n{self.scope}".encode()).hexdigest()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        token = self.tokens.get(self.key)
        if token is None or not token.usable(self._now()):
            token = yield from self._renew(request, refused=None)
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        verdict = classify(
            Call.of(request), response.status_code, response.headers, response.content, self._now()
        )
        if isinstance(verdict, Unauthorized):
            token = yield from self._renew(request, refused=token)
            request.headers["Authorization"] = f"Bearer {token.value}"
            yield request

    def _renew(
        self, request: httpx.Request, refused: Token | None
    ) -> Generator[httpx.Request, httpx.Response, Token]:
        """Whoever waited for the lock takes the token its holder got, unless that one was just refused."""
        with self.tokens.lock(self.key):
            held = self.tokens.get(self.key)
            if (
                held is not None
                and held.usable(self._now())
                and (refused is None or held.value != refused.value)
            ):
                return held
            asked_at = self._now()
            response = yield httpx.Request(
                "POST",
                self._url,
                headers={"Authorization": f"Basic {self._basic}", "Accept": "application/json"},
                data={"grant_type": "client_credentials", "scope": self.scope},
                # a request made by hand carries no timeout of its own
                extensions={**self._call.attach(), "timeout": request.extensions.get("timeout", {})},
            )
            token = self._read(response, asked_at)
            self.tokens.put(self.key, token)
            return token

    def _read(self, response: httpx.Response, asked_at: datetime) -> Token:
        error = classify(self._call, response.status_code, response.headers, response.content, asked_at)
        if error is not None:
            raise error
        try:
            grant = msgspec.json.decode(response.content, type=_Grant)
            lifetime = timedelta(seconds=int(grant.expires_in))
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError):
            raise self._unreadable(response) from None
        if not _VISIBLE_ASCII.fullmatch(grant.access_token) or not timedelta(0) < lifetime <= timedelta(
            days=1
        ):
            raise self._unreadable(response)
        return Token(grant.access_token, asked_at + lifetime, grant.scope)

    def _unreadable(self, response: httpx.Response) -> AthenaError:
        return InvalidResponse(
            "the token endpoint answered without a usable token",
            status=response.status_code,
            request_id=response.headers.get("x-request-id"),
            endpoint=self._call.endpoint,
        )
