from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.athena.auth import ClientCredentials, MemoryTokens, TokenStore
from integrations.athena.errors import ConfigError, InvalidResponse, RateLimited, Unauthorized
from tests.integrations.rig import BASE, PRACTICE, Rig, answer, body


class Issuer:
    """Hands out t1, t2, … and answers calls that carry one of the tokens it accepts."""

    def __init__(self, *, expires_in: object = "3600") -> None:
        self.issued = 0
        self.refused: set[str] = set()
        self.expires_in = expires_in
        self.requests: list[httpx.Request] = []
        self._lock = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/v1/token":
            with self._lock:
                self.issued += 1
            self.requests.append(request)
            return answer({"access_token": f"t{self.issued}", "expires_in": self.expires_in, "scope": "s"})
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token in self.refused:
            return answer({"error": "Invalid Access Token."}, 401)
        return answer({"pong": "true"})


def credentials(
    secret: str = "secret", tokens: TokenStore | None = None, now: Callable[[], datetime] | None = None
) -> ClientCredentials:
    clock = {"now": now} if now else {}
    return ClientCredentials(BASE, PRACTICE, "client", secret, scope="s", tokens=tokens, **clock)


def test_a_token_is_asked_for_once_with_basic_auth_and_the_scope() -> None:
    issuer = Issuer()
    rig = Rig(issuer, auth=credentials())
    assert rig.athena.ping()
    assert rig.athena.ping()
    (asked,) = issuer.requests
    assert asked.headers["authorization"] == "Basic Y2xpZW50OnNlY3JldA=="
    assert parse_qs(asked.content.decode()) == {"grant_type": ["client_credentials"], "scope": ["s"]}
    assert asked.extensions["timeout"]["read"]


def test_a_token_is_renewed_a_minute_before_it_expires() -> None:
    issuer = Issuer(expires_in="3600")
    time = [datetime(2026, 3, 11, tzinfo=UTC)]
    rig = Rig(issuer, auth=credentials(now=lambda: time[0]))
    rig.athena.ping()
    time[0] += timedelta(seconds=3539)
    rig.athena.ping()
    assert issuer.issued == 1
    time[0] += timedelta(seconds=1)
    rig.athena.ping()
    assert issuer.issued == 2


def test_a_revoked_token_is_replaced_once() -> None:
    issuer = Issuer()
    rig = Rig(issuer, auth=credentials())
    rig.athena.ping()
    issuer.refused.add("t1")
    assert rig.athena.ping()
    assert issuer.issued == 2


def test_a_token_that_is_never_accepted_ends_as_unauthorized() -> None:
    issuer = Issuer()
    issuer.refused |= {"t1", "t2", "t3"}
    with pytest.raises(Unauthorized):
        Rig(issuer, auth=credentials()).athena.ping()
    assert issuer.issued == 2


def test_missing_permission_does_not_cost_a_token() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return (
            issuer(request)
            if "oauth2" in request.url.path
            else answer({"error": "Incorrect permissions."}, 401)
        )

    issuer = Issuer()
    with pytest.raises(ConfigError):
        Rig(refuse, auth=credentials()).athena.ping()
    assert issuer.issued == 1


def test_eight_threads_ask_for_one_token() -> None:
    issuer = Issuer()
    rig = Rig(issuer, auth=credentials())
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: rig.athena.ping(), range(24)))
    assert issuer.issued == 1


def test_a_changed_secret_does_not_ride_on_the_old_token() -> None:
    issuer, tokens = Issuer(), MemoryTokens()
    Rig(issuer, auth=credentials("old", tokens)).athena.ping()
    Rig(issuer, auth=credentials("new", tokens)).athena.ping()
    assert issuer.issued == 2


def test_a_refused_credential_is_a_matter_of_configuration() -> None:
    denied = answer({"error": "access_denied", "detailedmessage": "Policy evaluation failed"}, 401)
    rig = Rig(denied, auth=credentials())
    with pytest.raises(ConfigError, match="client id, the secret or the scope"):
        rig.athena.ping()
    assert len(rig.asked) == 1


def test_too_many_token_calls_are_not_waited_out() -> None:
    rig = Rig(body("", 429, x_ratelimit_remaining="0"), auth=credentials())
    with pytest.raises(RateLimited) as limited:
        rig.athena.ping()
    assert 0 < (limited.value.retry_after or 0) <= 60
    assert len(rig.asked) == 1


@pytest.mark.parametrize(
    "grant",
    [
        {},
        {"access_token": None, "expires_in": "3600"},
        {"access_token": "a\r\nb", "expires_in": "3600"},
        {"access_token": "é", "expires_in": "3600"},
        {"access_token": "", "expires_in": "3600"},
        {"access_token": "t", "expires_in": "soon"},
        {"access_token": "t", "expires_in": "-1"},
        {"access_token": "t", "expires_in": "9" * 30},
        {"access_token": "t", "expires_in": 10**20},
        [],
    ],
)
def test_an_unusable_grant_is_an_invalid_response(grant: object) -> None:
    with pytest.raises(InvalidResponse):
        Rig(answer(grant), auth=credentials()).athena.ping()


def test_a_failed_renewal_lets_the_next_caller_try() -> None:
    issuer = Issuer()
    rig = Rig(body("<html>", 200), issuer, auth=credentials())
    with pytest.raises(InvalidResponse):
        rig.athena.ping()
    assert rig.athena.ping()


@pytest.mark.parametrize("missing", ["client_id", "client_secret", "scope"])
def test_a_blank_credential_is_refused_before_any_call(missing: str) -> None:
    given = {"client_id": "c", "client_secret": "s", "scope": "x", missing: " "}
    with pytest.raises(ConfigError, match="missing"):
        ClientCredentials(BASE, PRACTICE, given["client_id"], given["client_secret"], scope=given["scope"])


def test_neither_token_nor_secret_shows_in_a_repr() -> None:
    tokens = MemoryTokens()
    auth = credentials("hush", tokens)
    Rig(Issuer(), auth=auth).athena.ping()
    assert "hush" not in repr(auth)
    assert "t1" not in repr(tokens.get(auth.key))
