"""What every call meets around its handler: routing, budgets, headers, refusals, JSON's spelling."""

from __future__ import annotations

import json

import httpx
import msgspec
import pytest

from integrations.sandbox.server import Preset
from tests.sandbox.server import world
from tests.sandbox.server.conftest import FAST, Athena


@pytest.mark.parametrize("path", ["/", "/v2/195900/ping", "/v1/195900/visits/summary/1", "/fhir/r4/Claim"])
def test_an_unknown_path_is_a_plain_text_404_of_the_gateway(athena: Athena, path: str) -> None:
    answer = athena.http.get(path)
    assert (answer.status_code, answer.text) == (404, "Service not registered with API gateway.")


def test_an_unknown_practice_is_named_as_such(athena: Athena) -> None:
    answer = athena.http.get("/v1/999999/departments")
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "Invalid practice.",
        "detailedmessage": "The practice ID does not exist.",
    }


def test_a_refusal_starts_with_blank_lines(athena: Athena) -> None:
    answer = athena.get("/claims/999999")
    assert answer.status_code == 404
    assert answer.text.startswith("\n")
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "params", "field"),
    [
        ("/appointments/booked", {"startdate": "2026-01-01", "enddate": "01/02/2026"}, "startdate"),
        ("/departments", {"limit": "many"}, "limit"),
        ("/departments", {"limit": "0"}, "limit"),
        ("/departments", {"offset": "-1"}, "offset"),
        ("/chart/7/encounters", {"departmentid": "99"}, "departmentid"),
    ],
)
def test_an_unreadable_parameter_is_named(
    athena: Athena, path: str, params: dict[str, str], field: str
) -> None:
    answer = athena.get(path, **params)
    assert answer.status_code == 400
    assert answer.json()["invalidfields"] == [field]


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("/appointments/booked", ["startdate", "enddate"]),
        ("/chart/7/encounters", ["departmentid"]),
        ("/appointments/open", ["departmentid"]),
    ],
)
def test_a_missing_parameter_is_named(athena: Athena, path: str, missing: list[str]) -> None:
    answer = athena.get(path)
    assert answer.status_code == 400
    assert answer.json()["missingfields"] == missing


@pytest.mark.parametrize("text", ["%00", "%ff%fe", "a%00b", "☃", "' or 1=1 --", "9" * 5000])
def test_any_text_in_an_id_or_parameter_is_only_text(athena: Athena, text: str) -> None:
    for path in (f"/claims/{text}", f"/patients?lastname={text}", f"/claims?patientid={text}"):
        answer = athena.http.get(f"/v1/{world.PRACTICE}{path}")
        assert answer.status_code in {200, 404}
        assert "301" not in answer.text


def test_every_response_carries_its_own_request_id(athena: Athena) -> None:
    ids = {athena.get(path).headers["x-request-id"] for path in ("/ping", "/ping", "/claims/9", "/nowhere")}
    assert len(ids) == 4


def test_keys_come_in_another_order_every_time(athena: Athena) -> None:
    orders = {tuple(athena.get("/patients/7").json()[0]) for _ in range(5)}
    assert len(orders) > 1


class TestBudgets:
    @pytest.fixture
    def preset(self) -> Preset:
        return msgspec.structs.replace(FAST, calls_per_second=2, calls_per_day=5)

    def test_too_many_calls_in_a_second_are_429_until_the_next(self, athena: Athena) -> None:
        statuses = [athena.get("/ping").status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        athena.time.ticks += 1
        assert athena.get("/ping").status_code == 200

    def test_the_daily_budget_counts_down_and_turns_at_midnight_gmt(self, athena: Athena) -> None:
        answers = []
        for _ in range(6):
            athena.time.ticks += 1
            answers.append(athena.get("/ping"))
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == [
            "4",
            "3",
            "2",
            "1",
            "0",
            "0",
        ]
        athena.time.ticks += 86_400
        assert athena.get("/ping").status_code == 200

    def test_a_429_has_any_body_at_all(self, athena: Athena) -> None:
        athena.get("/ping"), athena.get("/ping")
        bodies = {kind_of(athena.get("/ping")) for _ in range(40)}
        assert bodies == {"empty", "html", "json"}

    def test_refused_calls_are_counted_by_practice(self, athena: Athena) -> None:
        for _ in range(3):
            athena.get("/ping")
        counted = athena.http.get("/_sandbox/calls").json()["practices"]
        assert counted == {world.PRACTICE: {"calls": 3, "limited": 1}}


def kind_of(answer: httpx.Response) -> str:
    if not answer.content:
        return "empty"
    try:
        return "json" if json.loads(answer.content) else "empty"
    except ValueError:
        return "html"


def test_a_key_without_proper_json_encoding_gets_text_for_numbers(athena: Athena) -> None:
    athena.http.delete(f"/v1/{world.PRACTICE}/misc/properjsonencoding").raise_for_status()
    row = athena.get("/appointments/500").json()[0]
    assert (row["duration"], row["chargeentrynotrequired"], row["copay"]) == ("15", "false", 20)
    athena.http.post(f"/v1/{world.PRACTICE}/misc/properjsonencoding").raise_for_status()
    assert athena.get("/appointments/500").json()[0]["duration"] == 15
