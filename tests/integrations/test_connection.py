"""What the Practices screen says for each way a connection can be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from integrations.connection import STEPS, Settings, Verdict, check
from tests.integrations.rig import BASE, Script, answer, body

TYPED = Settings(BASE, "195900", "client", "secret", "v1 fhir")


def serve(**wrong: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    right = {
        "/fhir/r4/.well-known/smart-configuration": ("reach", answer({"token_endpoint": "x"})),
        "/oauth2/v1/token": (
            "token",
            answer({"access_token": "t", "expires_in": "3600", "scope": "v1 fhir"}),
        ),
        "/v1/195900/ping": ("ping", answer({"pong": "true"})),
        "/v1/195900/departments": (
            "departments",
            answer({"departments": [{"departmentid": "1"}], "totalcount": 12}),
        ),
        "/fhir/r4/metadata": ("fhir", answer({"fhirVersion": "4.0.1"})),
    }

    def handle(request: httpx.Request) -> httpx.Response:
        name, response = right[request.url.path]
        return wrong.get(name, response)

    return handle


def test_a_working_connection_passes_every_step() -> None:
    report = check(TYPED, Script(serve()))
    assert report.ok
    assert [step.name for step in report.steps] == list(STEPS)
    assert report.steps[5].message == "12 departments"


@pytest.mark.parametrize(
    ("settings", "wrong", "step", "says"),
    [
        (replace(TYPED, base_url="api.platform.athenahealth.com"), {}, "address", "no scheme"),
        (replace(TYPED, base_url=BASE + "/v1"), {}, "address", "leave /v1 out"),
        (replace(TYPED, practice_id="abc"), {}, "address", "practice id is a number"),
        (replace(TYPED, client_secret=""), {}, "address", "client secret is missing"),
        (TYPED, {"reach": body("<html>hello")}, "reach", "web page.*production is https"),
        (TYPED, {"reach": body("nothing here", 404)}, "reach", "not athenahealth's API"),
        (TYPED, {"reach": body("", 301)}, "reach", "redirects"),
        (
            TYPED,
            {"token": answer({"error": "access_denied"}, 401)},
            "token",
            "client id, the secret or the scope",
        ),
        (TYPED, {"token": body("", 429)}, "token", "too many token requests"),
        (
            TYPED,
            {"token": answer({"access_token": "t", "expires_in": "3600", "scope": "v1"})},
            "scope",
            "did not grant fhir",
        ),
        (TYPED, {"ping": answer({"error": "Invalid practice."}, 404)}, "practice", "knows no practice"),
        (TYPED, {"ping": answer({"error": "no"}, 404)}, "practice", "knows no practice"),
        (TYPED, {"ping": answer({"hello": 1})}, "practice", "ping was not answered"),
        (
            TYPED,
            {"departments": answer({"departments": [], "totalcount": 0})},
            "departments",
            "no department",
        ),
        (TYPED, {"departments": body("<html>", 403)}, "departments", "forbids"),
        (TYPED, {"fhir": answer({"fhirVersion": "3.0.2"})}, "fhir", "does not speak R4"),
    ],
)
def test_the_first_failing_step_says_what_is_wrong(
    settings: Settings, wrong: dict[str, httpx.Response], step: str, says: str
) -> None:
    report = check(settings, Script(serve(**wrong)))
    assert report.failure is not None
    assert report.failure.name == step
    assert re.search(says, report.failure.message)
    after = report.steps[STEPS.index(step) + 1 :]
    assert all(skipped.verdict is Verdict.SKIPPED for skipped in after)
    assert len(report.steps) == len(STEPS)


def test_a_closed_port_is_named_as_such() -> None:
    report = check(replace(TYPED, base_url="http://127.0.0.1:9"))
    assert report.failure is not None
    assert report.failure.message == "nothing accepts connections at this address"
    assert "secret" not in repr(TYPED)
