"""The token endpoint: what athena gives, what it refuses without saying why, and how tokens end."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest

from integrations.sandbox.server import Preset, create_app
from tests.sandbox.server import world
from tests.sandbox.server.conftest import CREDENTIALS, FAST, SCOPE, Athena, running


def ask(athena: Athena, auth: object = CREDENTIALS, **form: str) -> httpx.Response:
    given = {"grant_type": "client_credentials", "scope": SCOPE, **form}
    return athena.http.post("/oauth2/v1/token", data=given, auth=auth)  # type: ignore[arg-type]


def test_a_token_expires_in_a_string_of_seconds(athena: Athena) -> None:
    answer = ask(athena, scope=f"{SCOPE} system/Patient.read")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", "3600")
    assert body["scope"] == f"{SCOPE} system/Patient.read"


@pytest.mark.parametrize(
    ("auth", "form"),
    [
        (("sandbox-client", "wrong"), {}),
        (("nobody", "sandbox-secret"), {}),
        (CREDENTIALS, {"scope": ""}),
        (CREDENTIALS, {"scope": "everything"}),
        (CREDENTIALS, {"grant_type": "password"}),
        (None, {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}),
    ],
)
def test_every_wrong_token_call_gets_the_same_refusal(
    athena: Athena, auth: object, form: dict[str, str]
) -> None:
    del athena.http.headers["authorization"]
    answer = ask(athena, auth=auth, **form)
    assert answer.status_code == 401
    assert answer.json()["error"] == "access_denied"


class TestTokenBudget:
    @pytest.fixture
    def preset(self) -> Preset:
        return msgspec.structs.replace(FAST, tokens_per_minute=5)

    def test_the_rest_of_the_minute_is_429(self, athena: Athena) -> None:
        statuses = [ask(athena).status_code for _ in range(6)]  # the fixture has used one
        assert statuses == [200, 200, 200, 200, 429, 429]
        athena.time.ticks += 60
        answer = ask(athena)
        assert answer.status_code == 200
        assert answer.headers["x-ratelimit-limit"] == "5"
        assert answer.headers["x-ratelimit-remaining"] == "4"


def test_a_wrong_bearer_token_gets_the_recorded_body(athena: Athena) -> None:
    answer = athena.http.get(f"/v1/{world.PRACTICE}/ping", headers={"authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.json()["error"] == "Invalid Access Token."


def test_a_token_ends_after_an_hour(athena: Athena) -> None:
    athena.time.now += timedelta(minutes=59)
    assert athena.get("/ping").json() == {"pong": "true"}
    athena.time.now += timedelta(minutes=1)
    assert athena.get("/ping").status_code == 401


def test_a_revoked_token_is_refused(athena: Athena) -> None:
    token = athena.token()
    athena.http.post("/oauth2/v1/revoke", data={"token": token}, auth=CREDENTIALS).raise_for_status()
    answer = athena.http.get(f"/v1/{world.PRACTICE}/ping", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


def test_a_token_outlives_the_process_that_issued_it(athena: Athena) -> None:
    app = create_app(athena.path, preset=FAST, clock=lambda: athena.time.now)
    with running(app) as url:
        answer = httpx.get(f"{url}/v1/{world.PRACTICE}/ping", headers=athena.http.headers)
    assert answer.status_code == 200


def test_a_practices_own_client_cannot_reach_another_practice(athena: Athena) -> None:
    own = {"client_id": "own", "client_secret": "pass", "practices": [world.OTHER_PRACTICE]}
    athena.http.post("/_sandbox/clients", json=own).raise_for_status()
    headers = {"authorization": f"Bearer {athena.token(('own', 'pass'))}"}
    assert athena.http.get(f"/v1/{world.OTHER_PRACTICE}/ping", headers=headers).status_code == 200
    refused = athena.http.get(f"/v1/{world.PRACTICE}/ping", headers=headers)
    assert refused.status_code == 401
    assert refused.json() == {"error": "Incorrect permissions.", "detailedmessage": "Bad auth."}


def test_revoking_a_client_ends_its_tokens_and_its_secret(athena: Athena) -> None:
    gone = athena.http.delete("/_sandbox/clients", params={"client_id": "sandbox-client"})
    assert gone.json() == {"revoked": "sandbox-client"}
    assert athena.get("/ping").status_code == 401
    assert ask(athena).status_code == 401
