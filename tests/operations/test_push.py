"""What is pushed over HTTP: proved before anything is kept, answered at once, told record by record."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time as real_time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.test import Client

from athena_dash.core import queue
from athena_dash.operations import rate
from athena_dash.operations.views import push as views
from athena_dash.practices.models import Connection, Practice
from athena_dash.records.models import Claim
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Failure, RawRecord, Subject
from athena_dash.sync.resources import RESOURCES
from tests.recordings import FOLDER, needs_recordings
from tests.sync.notify import a_notification, an_event

SECRET, TOKEN = "practice secret", "engine token"
EVENTS_URL, CLAIMS_URL = "/push/riverside/athena", "/push/riverside/ingest/claims"


@pytest.fixture
def pushed(practice: Practice, client: Client, monkeypatch: pytest.MonkeyPatch) -> Practice:
    """A practice that both may push to, and a bell that nobody hears."""
    practice.athena_id = "195900"
    practice.save()
    Connection.objects.filter(practice=practice).update(push_secret=SECRET, push_token=TOKEN)
    monkeypatch.setattr(views, "wake", lambda *_: True)
    return practice


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def notify(body: bytes, signature: str | None = None, url: str = EVENTS_URL) -> Any:
    """As athena does it: no cookie, no CSRF token."""
    headers = {"X-Hub-Signature": signed(body) if signature is None else signature}
    machine = Client(enforce_csrf_checks=True, headers=headers)
    return machine.post(url, body, content_type="application/fhir+json")


def deliver(body: Any, *, url: str = CLAIMS_URL, proof: str = f"Bearer {TOKEN}", **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    machine = Client(enforce_csrf_checks=True, headers={"Authorization": proof, **headers})
    return machine.post(url, data, content_type="application/json")


def nothing_kept() -> bool:
    return not RawRecord.objects.exists() and not Subject.objects.exists()


def claim(number: int, **fields: Any) -> dict[str, Any]:
    return {"claimid": str(number), "patientid": "7", "claimcreateddate": "03/01/2026"} | fields


# -- events --------------------------------------------------------------------------------------------


def test_a_signed_event_is_kept_and_its_feed_woken(pushed: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    create_feeds(pushed)
    woken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(views, "wake", lambda *call: woken.append(call))
    answer = notify(a_notification(an_event("claim", "77")))
    assert (answer.status_code, answer.json()) == (200, {"new": 1, "repeated": 0})
    assert Subject.objects.get(resource="claims", key="77").due_at
    assert [(name, work.__name__) for name, work, _ in woken] == [("live", "pull_feed")]
    assert not answer.cookies


def test_the_answer_does_not_wait_for_a_queue_that_is_away(
    pushed: Practice, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    create_feeds(pushed)

    def away(name: str) -> Any:
        raise queue.RedisError

    monkeypatch.setattr(views, "wake", queue.wake)
    monkeypatch.setattr(queue, "get_queue", away)
    started = real_time.monotonic()
    assert notify(a_notification(an_event("claim", "77"))).status_code == 200
    assert real_time.monotonic() - started < 2
    assert Subject.objects.get(resource="claims").due_at


@pytest.mark.parametrize(
    "signature",
    ["", "sha256=", "sha256=é", "sha1=" + "0" * 40, signed(b"other"), signed(a_notification(), "wrong")],
)
def test_a_wrong_signature_is_refused_and_nothing_is_kept(pushed: Practice, signature: str) -> None:
    answer = notify(a_notification(an_event("claim", "77")), signature)
    assert answer.status_code == 401
    assert nothing_kept()


def test_a_practice_without_a_secret_and_one_that_is_not_there_refuse_alike(pushed: Practice) -> None:
    body = a_notification(an_event("claim", "77"))
    stranger = notify(body, url="/push/nowhere/athena")
    Connection.objects.update(push_secret=None)
    unset = notify(body, signed(body, ""))
    assert (stranger.status_code, stranger.content) == (unset.status_code, unset.content)
    assert stranger.status_code == 401
    assert nothing_kept()


def test_an_event_of_another_practice_is_refused(pushed: Practice) -> None:
    assert notify(a_notification(an_event("claim", "77", practice="195903"))).status_code == 403
    assert nothing_kept()


def test_a_signed_body_that_is_no_notification_is_unreadable(pushed: Practice) -> None:
    answer = notify(b"<html>a proxy's page</html>")
    assert answer.status_code == 422
    assert nothing_kept()


def test_a_notification_that_is_too_large_is_not_read(pushed: Practice) -> None:
    assert notify(b" " * (views.LARGEST_NOTIFICATION + 1)).status_code == 413


def test_after_too_many_pushes_in_a_minute_the_next_minute_is_named(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, as_of: Any
) -> None:
    monkeypatch.setattr(rate, "ALLOWED", 2)
    url = "/push/flooded/athena"
    assert [notify(b"{}", "", url).status_code for _ in range(3)] == [401, 401, 429]
    assert notify(b"{}", "", url).headers["Retry-After"] == "60"
    assert notify(b"{}", "", "/push/another/athena").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_an_event_delivered_eight_times_at_once_over_http_is_kept_once_and_answered_in_time(
    pushed: Practice, live_server: Any
) -> None:
    create_feeds(pushed)
    body = a_notification(*(an_event("claim", str(n)) for n in range(50)))

    def send(_: int) -> tuple[int, int, float]:
        started = real_time.monotonic()
        answer = httpx.post(
            f"{live_server.url}{EVENTS_URL}", content=body, headers={"X-Hub-Signature": signed(body)}
        )
        return answer.status_code, answer.json()["new"], real_time.monotonic() - started

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert [status for status, _, _ in answers] == [200] * 8
    assert sum(new for _, new, _ in answers) == RawRecord.objects.filter(resource="events").count() == 50
    assert max(seconds for _, _, seconds in answers) < 2  # what athena waits


@needs_recordings
def test_the_vendors_own_samples_are_accepted_with_the_vendors_secret(pushed: Practice) -> None:
    events = FOLDER / "events"
    for vector in json.loads((events / "hmac-test-vectors.json").read_bytes()):
        Connection.objects.update(push_secret=vector["secret"].partition(" ")[0])
        body = (events / vector["body_file"]).read_bytes()
        assert notify(body, vector["x_hub_signature"]).json() == {"new": 1, "repeated": 0}
        assert notify(body, vector["x_hub_signature"]).json() == {"new": 0, "repeated": 1}
        assert notify(body + b"\n", vector["x_hub_signature"]).status_code == 401
    assert set(Subject.objects.values_list("resource", "key")) == {
        ("appointments", "2"),
        ("patients", "1"),
        ("diagnostic_reports", "8269"),  # of an order's patient
        ("medication_requests", "8269"),
    }
    assert RawRecord.objects.filter(resource="events").count() == 3


# -- records -------------------------------------------------------------------------------------------


def test_each_record_is_told_what_became_of_it(pushed: Practice) -> None:
    page = {"claims": [claim(1), claim(2, claimcreateddate="not a date"), claim(3)], "totalcount": 3}
    answer = deliver(page)
    assert answer.status_code == 200
    assert [record["outcome"] for record in answer.json()["records"]] == ["stored", "failed", "stored"]
    assert answer.json()["counts"] == {"stored": 2, "failed": 1}
    assert "claimcreateddate" in answer.json()["records"][1]["message"]
    assert set(Claim.objects.values_list("external_id", flat=True)) == {"1", "3"}
    assert Failure.objects.get(resolved_at=None).record_id == "2"


def test_records_sent_again_are_unchanged_and_broken_ones_still_fail(pushed: Practice) -> None:
    page = [claim(1), claim(2, claimcreateddate="not a date")]
    deliver(page)
    assert [record["outcome"] for record in deliver(page).json()["records"]] == ["unchanged", "failed"]
    page[1] = claim(2)
    assert [record["outcome"] for record in deliver(page).json()["records"]] == ["unchanged", "stored"]
    assert not Failure.objects.filter(resolved_at=None).exists()


def test_of_a_record_named_twice_the_last_is_kept(pushed: Practice) -> None:
    answer = deliver([claim(1, patientid="8"), claim(1, patientid="9")])
    assert [record["outcome"] for record in answer.json()["records"]] == ["superseded", "stored"]
    assert Claim.objects.get().patient_id == "9"


def test_an_answer_repeats_no_value_of_a_record(pushed: Practice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = deliver([claim(424242, claimcreateddate="Mara Quill", patientid="515151")])
    said = answer.content.decode() + caplog.text
    assert not any(secret in said for secret in ("424242", "515151", "Mara", "Quill", TOKEN))


def test_a_fhir_bundle_lands_with_its_patient_from_the_header(pushed: Practice) -> None:
    condition = {"resourceType": "Condition", "id": "a-195900.problem-1", "recordedDate": "2026-03-01"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": condition}]}
    url = "/push/riverside/ingest/conditions"
    answer = deliver(bundle, url=url, **{views.PARENT: "7"})
    assert [record["outcome"] for record in answer.json()["records"]] == ["stored"]
    assert RawRecord.objects.get(resource="conditions").parent_id == "7"
    assert deliver(bundle, url=url, **{views.PARENT: "7/1/2"}).status_code == 422


@pytest.mark.parametrize(
    "proof", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", "Bearer \udc80"]
)
def test_without_the_token_nothing_is_kept(pushed: Practice, proof: str) -> None:
    assert deliver([claim(1)], proof=proof).status_code == 401
    assert nothing_kept()


def test_an_empty_token_opens_nothing(pushed: Practice) -> None:
    Connection.objects.update(push_token=None)
    assert deliver([claim(1)], proof="Bearer ").status_code == 401


@pytest.mark.parametrize("body", [b" ", b"<html>", b'{"claims": [', b'"text"', b"\x00", b"12", b"null"])
@pytest.mark.parametrize("resource", ["claims", "conditions"])
def test_an_unreadable_body_is_not_kept(pushed: Practice, resource: str, body: bytes) -> None:
    assert deliver(body, url=f"/push/riverside/ingest/{resource}").status_code == 422
    assert nothing_kept()


def test_a_body_that_is_too_large_is_not_read(pushed: Practice) -> None:
    assert deliver(b" " * (views.LARGEST_DELIVERY + 1)).status_code == 413


def test_a_resource_nobody_knows_is_not_found(pushed: Practice) -> None:
    assert deliver([], url="/push/riverside/ingest/events").status_code == 404


@pytest.mark.parametrize("resource", list(RESOURCES))
def test_every_feed_takes_a_broken_record_without_breaking(pushed: Practice, resource: str) -> None:
    answer = deliver({"nonsense": [None]}, url=f"/push/riverside/ingest/{resource}", **{views.PARENT: "7/1"})
    assert answer.status_code in (200, 422)


# -- the Push page -------------------------------------------------------------------------------------


def test_a_secret_is_shown_once_and_never_again(as_ada: Client, practice: Practice) -> None:
    made = as_ada.post("/practices/riverside/push", {"make": "secret"})
    secret = Connection.objects.get().push_secret
    assert secret
    assert secret in made.content.decode()
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in as_ada.get("/practices/riverside/push").content.decode()
    assert Connection.objects.get().push_token is None


def test_a_forgotten_token_is_refused(as_ada: Client, pushed: Practice) -> None:
    as_ada.post("/practices/riverside/push", {"forget": "token"})
    assert deliver([claim(1)]).status_code == 401
    assert Connection.objects.get().push_secret == SECRET
