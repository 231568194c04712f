"""Alerts: one when something begins, one when it ends, told together, not at night, signed, and given up in the end."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from athena_dash.core import clock
from athena_dash.correlation.models import Gap
from athena_dash.operations.alerts import sending, transitions
from athena_dash.operations.models import Alert, AlertMessage, AlertRoute
from athena_dash.practices.models import Connection, Practice
from athena_dash.recovery.models import GroupState
from athena_dash.sync.models import Failure, Feed
from tests.builders import a_gap, a_visit
from tests.recovery.failing import a_failure

NOON = dt.datetime(2026, 3, 11, 16, tzinfo=dt.UTC)  # in New York
MINUTE = dt.timedelta(minutes=1)
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def at() -> Iterator[Any]:
    """Sets the clock to noon plus so many minutes."""
    with clock.frozen(NOON):

        def at(minutes: float) -> None:
            clock._frozen_at = NOON + minutes * MINUTE

        yield at


@pytest.fixture
def route(at: Any, practice: Practice) -> AlertRoute:
    Feed.objects.update(last_success_at=NOON)
    return AlertRoute.objects.create(practice=practice, email="desk@example.org")


@dataclass
class Receiver:
    """A webhook receiver on a real socket, answering `status`."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(receiver.status)
            self.send_header("location", receiver.url)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/alerts"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def look() -> list[str]:
    """A tick and a worker; the bodies of the mails sent so far."""
    transitions.evaluate()
    sending.send_due()
    return [str(message.body) for message in mail.outbox]


def test_a_feed_that_goes_stale_by_night_is_told_when_the_practice_opens(route: AlertRoute, at: Any) -> None:
    eight = 20 * 60  # the next morning in New York
    at(eight - 1)
    look()
    assert not Alert.objects.exists()
    at(eight)
    look()
    assert "feed:claims" in Alert.objects.values_list("key", flat=True)


def test_a_stale_feed_is_told_once_and_its_recovery_once(route: AlertRoute, at: Any) -> None:
    assert look() == []
    feed = Feed.objects.filter(resource="claims")
    Feed.objects.exclude(resource="claims").update(fresh_within=dt.timedelta(days=9))
    at(11)
    assert look() == ["Opened: The feed claims is stale.\n"]
    at(12)
    assert len(look()) == 1
    feed.update(last_success_at=NOON + 20 * MINUTE)
    at(20)
    assert look()[1:] == ["Closed: The feed claims is stale.\n"]
    assert Alert.objects.get().closed_at == NOON + 20 * MINUTE


def test_an_outage_of_every_feed_is_one_mail(route: AlertRoute, at: Any) -> None:
    at(60)
    assert len(look()) == 1
    assert mail.outbox[0].subject == "Riverside Primary Care: 4 alerts opened or closed"
    assert Alert.objects.filter(closed_at=None).count() == 4


def test_a_feed_that_comes_and_goes_is_told_every_five_minutes_at_most(route: AlertRoute, at: Any) -> None:
    for minute in range(10):
        at(minute)
        Connection.objects.update(credential_failed_at=None if minute % 2 else NOON)
        look()
    assert len(mail.outbox) == 2
    assert sum(len(message.transitions) for message in AlertMessage.objects.all()) == 10


def test_a_refused_credential_and_its_acceptance(route: AlertRoute, at: Any) -> None:
    Connection.objects.update(credential_failed_at=NOON)
    assert look() == ["Opened: athena refuses the credential.\n"]
    Connection.objects.update(credential_failed_at=None)
    at(6)
    assert look()[1] == "Closed: athena refuses the credential.\n"


def test_a_deadline_is_told_at_each_of_its_warnings_once(
    route: AlertRoute, practice: Practice, at: Any
) -> None:
    """30, 21, 14 and 7 days before; met late, by the nearest warning only."""
    Feed.objects.update(fresh_within=dt.timedelta(days=90))
    a_gap(a_visit(practice), filing_limit=NOON.date() + dt.timedelta(days=31))
    a_gap(a_visit(practice), filing_limit=NOON.date() + dt.timedelta(days=5))
    assert look() == ["Opened: By 16 Mar 2026 1 visit must reach the payer, $140 expected.\n"]
    told = []
    for day in range(1, 32):
        at(day * 24 * 60)
        told += [day] * transitions.evaluate()
    assert told == [1, 6, 10, 17, 24]  # on the sixth day the other's date has passed
    assert Alert.objects.filter(closed_at=None).count() == 4
    Gap.objects.update(closed_at=NOON)
    assert transitions.evaluate() == 4


def test_failures_are_told_when_they_wait_for_a_person_and_nobody_muted_them(
    route: AlertRoute, practice: Practice, at: Any
) -> None:
    failure = a_failure(practice, next_try_at=NOON + MINUTE)
    assert look() == []
    Failure.objects.update(next_try_at=None)
    muted = GroupState.objects.create(
        practice=practice, fingerprint=failure.fingerprint, muted_until=NOON + 30 * MINUTE
    )
    assert look() == []
    muted.delete()
    look()
    assert [alert.key for alert in Alert.objects.all()] == [f"group:{failure.fingerprint}"]
    a_failure(practice, next_try_at=None)
    look()
    assert len(mail.outbox) == 1


def test_a_paused_practice_neither_opens_nor_closes(route: AlertRoute, practice: Practice, at: Any) -> None:
    Connection.objects.update(credential_failed_at=NOON)
    look()
    Practice.objects.update(paused_at=NOON)
    Connection.objects.update(credential_failed_at=None)
    at(60)
    assert len(look()) == 1
    assert Alert.objects.get().closed_at is None


@pytest.mark.parametrize(
    ("start", "end", "hour", "told_at"),
    [
        ((22, 0), (7, 0), 23, (12, 7)),  # spans midnight
        ((22, 0), (7, 0), 6, (11, 7)),
        ((22, 0), (7, 0), 7, (11, 7)),
        ((12, 0), (13, 0), 12, (11, 13)),
        ((9, 0), (9, 0), 9, (11, 9)),
    ],
)
def test_quiet_hours_are_of_the_practices_own_day(
    route: AlertRoute, start: tuple[int, int], end: tuple[int, int], hour: int, told_at: tuple[int, int]
) -> None:
    route.quiet_from, route.quiet_to = dt.time(*start), dt.time(*end)
    local = dt.datetime(2026, 3, 11, hour, tzinfo=dt.timezone(-4 * 60 * MINUTE))
    due = transitions.after_quiet_hours(route, local).astimezone(local.tzinfo)
    assert (due.day, due.hour) == told_at


def test_what_happens_at_night_is_one_mail_in_the_morning(route: AlertRoute, at: Any) -> None:
    AlertRoute.objects.update(quiet_from=dt.time(11), quiet_to=dt.time(14))
    for minute, failed in ((1, NOON), (20, None), (40, NOON)):
        at(minute)
        Connection.objects.update(credential_failed_at=failed)
        Feed.objects.update(last_success_at=NOON + minute * MINUTE)
        assert look() == []
    at(120)
    Feed.objects.update(last_success_at=NOON + 120 * MINUTE)
    said = look()
    assert len(said) == 1
    assert said[0].count("credential") == 3


def test_the_webhook_is_signed_so_that_the_receiver_can_check_it(
    route: AlertRoute, receiver: Receiver, at: Any
) -> None:
    AlertRoute.objects.update(email="", webhook_url=receiver.url, webhook_secret=SECRET)
    Connection.objects.update(credential_failed_at=NOON)
    look()
    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(NOON.timestamp()))
    data = json.loads(body)["data"]
    assert data["practice"] == "riverside"
    assert [(one["type"], one["key"]) for one in data["transitions"]] == [("opened", "credential")]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_fails_is_tried_again_under_the_same_id_and_then_given_up(
    route: AlertRoute, receiver: Receiver, at: Any, status: int
) -> None:
    AlertRoute.objects.update(email="", webhook_url=receiver.url, webhook_secret=SECRET)
    Connection.objects.update(credential_failed_at=NOON)
    Feed.objects.update(fresh_within=dt.timedelta(days=9))
    receiver.status = status
    minute = 0
    for wait in (0, 1, 5, 15, 60, 240, 1000):
        minute += wait
        at(minute)
        look()
    message = AlertMessage.objects.get()
    assert len(receiver.got) == message.attempts == 6
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert (message.due_at, message.sent_at, message.problem) == (
        None,
        None,
        f"The webhook answered {status}.",
    )


def test_nobody_listening_is_a_problem_and_not_a_crash(route: AlertRoute, at: Any) -> None:
    AlertRoute.objects.update(email="", webhook_url="http://127.0.0.1:9/", webhook_secret=SECRET)
    Connection.objects.update(credential_failed_at=NOON)
    look()
    assert AlertMessage.objects.get().problem == "The webhook did not answer (ConnectError)."


def test_the_page_shows_the_webhooks_secret_once(as_ada: Client, practice: Practice) -> None:
    url = "/practices/riverside/alerts"
    answer = as_ada.post(url, {"email": "", "webhook_url": "https://example.org/hook"})
    secret = AlertRoute.objects.get().webhook_secret
    assert secret
    assert secret in answer.content.decode()
    assert secret not in as_ada.get(url).content.decode()
    as_ada.post(url, {"email": "desk@example.org", "webhook_url": "https://example.org/hook"})
    assert AlertRoute.objects.get().webhook_secret == secret


@pytest.mark.parametrize(
    "typed", [{"webhook_url": "http://example.org/"}, {"quiet_from": "22:00"}, {"email": "no address"}]
)
def test_a_route_that_cannot_work_is_not_saved(
    as_ada: Client, practice: Practice, typed: dict[str, str]
) -> None:
    assert as_ada.post("/practices/riverside/alerts", typed).status_code == 422
    assert not AlertRoute.objects.exists()


# -- what becomes of the connection ------------------------------------------------------------------------


def said(practice: Practice) -> list[str]:
    return sorted(Alert.objects.filter(practice=practice, closed_at=None).values_list("key", flat=True))


def test_a_circuit_that_opens_and_closes_is_told_twice(at: Any, route: AlertRoute) -> None:
    from athena_dash.sync import breaker
    from athena_dash.sync.budget import shared

    name = breaker.key_of(route.practice.connection.pk)
    shared().hset(name, mapping={"till": NOON.timestamp() + 30, "since": NOON.timestamp()})
    assert (transitions.evaluate(), transitions.evaluate()) == (1, 0)
    assert said(route.practice) == ["circuit"]
    shared().delete(name)
    assert (transitions.evaluate(), said(route.practice)) == (1, [])


def test_a_key_that_somebody_else_uses_is_told_of(at: Any, route: AlertRoute) -> None:
    from athena_dash.sync.budget import shared
    from athena_dash.sync.connections import key_name

    name = f"budget:{key_name(route.practice.connection)}"
    shared().hset(name, mapping={"foreign_since": int(NOON.timestamp()), "foreign": 60})
    transitions.evaluate()
    assert said(route.practice) == ["key"]
    assert "60 calls that are not ours" in Alert.objects.get().sentence
    shared().delete(name)


@pytest.mark.parametrize(
    ("days", "warnings"), [(15, 0), (14, 1), (8, 1), (7, 2), (2, 2), (1, 3), (0, 3), (-3, 3)]
)
def test_a_secret_to_be_replaced_is_told_of_14_7_and_1_days_before(
    at: Any, route: AlertRoute, days: int, warnings: int
) -> None:
    Connection.objects.update(rotate_by=NOON.date() + dt.timedelta(days=days))
    assert transitions.evaluate() == warnings
    assert all("must be replaced by" in alert.sentence for alert in Alert.objects.all())
    Connection.objects.update(rotate_by=NOON.date() + dt.timedelta(days=90))
    transitions.evaluate()
    assert said(route.practice) == []
