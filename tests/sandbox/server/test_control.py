"""The sandbox's own endpoints: counts, and nobody from elsewhere."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from integrations.sandbox.server.control import is_loopback
from tests.sandbox.server import world
from tests.sandbox.server.conftest import Athena


def test_state_counts_what_exists(athena: Athena) -> None:
    state = athena.http.get("/_sandbox/state").json()
    assert state["as_of"] == "2026-03-10T15:30:00Z"
    assert state["activation_seconds"] == 300
    assert state["practices"][world.OTHER_PRACTICE] == {"practice": 1}
    assert state["practices"][world.PRACTICE]["clinical"] == 5


@pytest.mark.parametrize(
    ("address", "allowed"), [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False), ("2001:db8::1", False)]
)
def test_only_this_machine_may_control_the_sandbox(address: str, allowed: bool) -> None:
    request = Request({"type": "http", "client": (address, 5000), "headers": []})
    assert is_loopback(request) is allowed


def test_secrets_are_never_listed(athena: Athena) -> None:
    new = {"client_id": "own", "client_secret": "pass", "practices": [world.PRACTICE]}
    athena.http.post("/_sandbox/clients", json=new).raise_for_status()
    answer = athena.http.get("/_sandbox/clients")
    assert {item["client_id"] for item in answer.json()["clients"]} == {"sandbox-client", "own"}
    assert "pass" not in answer.text.replace("practices", "")
    refused = athena.http.post("/_sandbox/clients", json={**new, "client_id": "a:b"})
    assert (refused.status_code, "colon" in refused.json()["error"]) == (400, True)


def test_a_sandbox_made_by_hand_has_no_ledger_and_says_so(athena: Athena) -> None:
    answer = athena.http.get("/_sandbox/truth")
    assert answer.status_code == 400
    assert "no ground truth" in answer.json()["error"]
