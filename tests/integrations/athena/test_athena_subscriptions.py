from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs

import pytest

from integrations.athena.errors import InvalidResponse, RequestRejected, UnknownOutcome
from integrations.athena.subscriptions import State
from integrations.athena.webhook import is_signed
from tests.integrations.rig import Rig, answer, body

BODY = b'{"resourceType":"Bundle"}\n'


def test_a_subscription_says_whether_it_is_active_and_for_which_events() -> None:
    rig = Rig(
        answer({"status": "ACTIVE", "subscriptions": [{"eventname": "UpdateClaim"}], "departmentids": [1]})
    )
    found = rig.athena.subscriptions.read("claims")
    assert (found.state, found.events, found.department_ids) == (State.ACTIVE, ("UpdateClaim",), ("1",))
    assert rig.asked == ["/v1/195900/claims/changed/subscription"]


def test_an_unheard_of_state_is_unknown() -> None:
    assert Rig(answer({"status": "PAUSED"})).athena.subscriptions.read("claims").state is State.UNKNOWN


def test_subscribing_names_one_event_and_the_full_list_of_departments() -> None:
    rig = Rig(answer({"success": "true"}))
    rig.athena.subscriptions.start("appointments", event="CheckIn", department_ids=["1", "21"])
    (request,) = rig.script.requests
    assert request.method == "POST"
    assert parse_qs(request.content.decode()) == {"eventname": ["CheckIn"], "departmentids": ["1,21"]}


def test_unsubscribing_puts_the_event_into_the_query() -> None:
    rig = Rig(answer({"success": True}))
    rig.athena.subscriptions.stop("appointments", event="CheckIn")
    assert rig.asked == ["/v1/195900/appointments/changed/subscription?eventname=CheckIn"]


def test_a_success_that_is_none_is_a_rejection() -> None:
    with pytest.raises(RequestRejected):
        Rig(answer({"success": "false", "errormessage": "no"})).athena.subscriptions.start("claims")


def test_an_unreadable_answer_leaves_a_write_unknown_and_a_read_invalid() -> None:
    with pytest.raises(UnknownOutcome):
        Rig(answer([])).athena.subscriptions.start("claims")
    with pytest.raises(InvalidResponse):
        Rig(answer([])).athena.subscriptions.read("claims")
    with pytest.raises(InvalidResponse):
        Rig(body("<html>")).athena.subscriptions.read("claims")


def test_there_is_no_feed_of_encounters() -> None:
    with pytest.raises(ValueError, match="no changed feed"):
        Rig(answer({})).athena.subscriptions.start("encounters")


def test_a_notification_is_believed_only_with_its_exact_signature() -> None:

    signature = "sha256=" + hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()
    assert is_signed(BODY, signature, "secret")
    assert not is_signed(BODY.strip(), signature, "secret")
    assert not is_signed(BODY, signature, "other")
    assert not is_signed(BODY, signature.removeprefix("sha256="), "secret")
    assert not is_signed(BODY, "sha256=é", "secret")
    assert not is_signed(BODY, None, "secret")
    assert not is_signed(BODY, signature, "")
