"""Connecting and running a practice: tested before it is saved, no lock-outs, policies that inherit."""

from __future__ import annotations

import pytest
from django.test import Client

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.operations import demo
from athena_dash.practices.models import Connection, Membership, Practice
from athena_dash.sync.connections import Step
from athena_dash.sync.models import Feed
from tests.builders import a_user

TYPED = {
    "name": "Mesa Multispecialty",
    "athena_id": "195903",
    "preset": "preview",
    "base_url": "http://127.0.0.1:9/",
    "client_id": "client",
    "client_secret": "a new secret",
}
WORKS = [Step("reach", True, "athenahealth's API answers"), Step("token", True, "the credential is accepted")]
FAILS = [
    Step("reach", True, "athenahealth's API answers"),
    Step("token", False, "athenahealth refused the secret"),
]


@pytest.fixture
def athena_says(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """What the probe finds; a test fills it."""
    steps: list[Step] = []
    for place in ("athena_dash.operations.views.connect", "athena_dash.operations.connecting"):
        monkeypatch.setattr(f"{place}.probe", lambda connection: list(steps))
    return steps


def connect(client: Client, action: str, **typed: str) -> object:
    return client.post("/practices/new", TYPED | typed | {"action": action})


def test_a_test_saves_nothing_and_shows_each_step(as_ada: Client, athena_says: list[Step]) -> None:
    athena_says += FAILS
    page = as_ada.post("/practices/new", TYPED | {"action": "test"})
    assert "athenahealth refused the secret" in page.content.decode()
    assert "Save paused" in page.content.decode()
    assert not Practice.objects.filter(athena_id="195903").exists()


def test_saving_a_connection_that_works_makes_feeds_that_are_due(
    as_ada: Client, ada: User, athena_says: list[Step]
) -> None:
    athena_says += WORKS
    answer = as_ada.post("/practices/new", TYPED | {"action": "save"})
    made = Practice.objects.get(athena_id="195903")
    assert answer.headers["Location"] == f"/practices/{made.slug}"
    assert (made.paused_at, made.connection.client_secret) == (None, "a new secret")
    assert made.connection.base_url == "http://127.0.0.1:9"
    assert Feed.objects.filter(practice=made, due_at__lte=clock.now()).count() > 10
    assert Membership.objects.get(practice=made).user == ada


def test_saving_one_that_fails_asks_first_and_then_saves_it_paused(
    as_ada: Client, athena_says: list[Step]
) -> None:
    athena_says += FAILS
    page = as_ada.post("/practices/new", TYPED | {"action": "save"})
    assert "Nothing was saved" in page.content.decode()
    assert not Practice.objects.filter(athena_id="195903").exists()
    as_ada.post("/practices/new", TYPED | {"action": "save-paused"})
    assert Practice.objects.get(athena_id="195903").paused_at


def test_the_wrong_url_is_named_for_what_it_is(as_ada: Client) -> None:
    """The real probe: nothing listens on port 9 of this machine."""
    page = as_ada.post("/practices/new", TYPED | {"action": "test"})
    assert "nothing accepts connections at this address" in page.content.decode()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://athena.example", "unencrypted"),
        ("athena.example", "starting with https://"),
        ("https://user:pass@athena.example", "Leave out user names"),
        ("https://athena.example/?x=1", "Leave out user names"),
        ("file:///etc/passwd", "starting with https://"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused_before_anything_is_sent(
    as_ada: Client, url: str, says: str
) -> None:
    page = as_ada.post("/practices/new", TYPED | {"base_url": url, "action": "test"})
    assert page.status_code == 422
    assert says in page.content.decode()


def test_the_same_practice_with_the_same_client_is_connected_once(
    as_ada: Client, athena_says: list[Step]
) -> None:
    athena_says += WORKS
    as_ada.post("/practices/new", TYPED | {"action": "save"})
    page = as_ada.post("/practices/new", TYPED | {"action": "save"})
    assert "connected already" in page.content.decode()


def test_namesakes_get_addresses_of_their_own(as_ada: Client, athena_says: list[Step]) -> None:
    athena_says += WORKS
    for athena_id in ("1", "2"):
        as_ada.post("/practices/new", TYPED | {"name": "New", "athena_id": athena_id, "action": "save"})
    assert set(Practice.objects.filter(name="New").values_list("slug", flat=True)) == {"new-2", "new-3"}


def test_the_secret_is_kept_when_left_empty_and_never_shown(as_ada: Client, practice: Practice) -> None:
    Connection.objects.filter(practice=practice).update(credential_failed_at=clock.now())
    typed = {
        "base_url": "https://athena.example",
        "client_id": "other",
        "calls_per_second": 5,
        "calls_per_day": 100,
    }
    as_ada.post("/practices/riverside", typed)
    stored = Connection.objects.get(practice=practice)
    assert (stored.client_id, stored.client_secret, stored.credential_failed_at) == ("other", "secret", None)
    as_ada.post("/practices/riverside", typed | {"client_secret": "fresh one"})
    assert Connection.objects.get(practice=practice).client_secret == "fresh one"
    assert "fresh one" not in as_ada.get("/practices/riverside").content.decode()


def test_each_practice_counts_all_its_members(as_ada: Client, practice: Practice) -> None:
    a_user(practice, role="billing")
    [row] = as_ada.get("/practices").context["rows"]
    assert row.practice.people == 2


def test_pausing_and_resuming_a_practice(as_ada: Client, practice: Practice) -> None:
    as_ada.post("/practices/riverside/pause")
    practice.refresh_from_db()
    assert practice.paused_at
    as_ada.post("/practices/riverside/resume")
    practice.refresh_from_db()
    assert practice.paused_at is None


def test_a_member_is_added_by_username_and_an_unknown_one_is_named(
    as_ada: Client, practice: Practice
) -> None:
    a_user(username="noor")
    as_ada.post("/practices/riverside/members", {"username": "Noor", "role": "support"})
    assert practice.memberships.filter(user__username="noor", role="support").exists()
    page = as_ada.post("/practices/riverside/members", {"username": "nobody", "role": "support"})
    assert page.status_code == 422
    assert "No active user has this username" in page.content.decode()


def test_an_admin_can_neither_remove_nor_demote_themselves(
    as_ada: Client, ada: User, practice: Practice
) -> None:
    own = practice.memberships.get(user=ada)
    for role in ("remove", "billing"):
        as_ada.post(f"/practices/riverside/members/{own.pk}", {"role": role})
    assert practice.memberships.get(user=ada).role == "admin"


def test_another_member_can_be_changed_and_removed(as_ada: Client, practice: Practice) -> None:
    member = a_user(practice, role="billing").memberships.get()
    as_ada.post(f"/practices/riverside/members/{member.pk}", {"role": "support"})
    member.refresh_from_db()
    assert member.role == "support"
    as_ada.post(f"/practices/riverside/members/{member.pk}", {"role": "remove"})
    assert not practice.memberships.filter(pk=member.pk).exists()


def test_the_demo_is_made_once_and_then_left_alone(db: None) -> None:
    first = demo.create("http://127.0.0.1:9")
    Membership.objects.filter(user__username="bella").update(role="support")
    second = demo.create("http://127.0.0.1:10")
    assert first == second
    assert Practice.objects.count() == 3
    assert set(Connection.objects.values_list("base_url", flat=True)) == {"http://127.0.0.1:10"}
    assert Membership.objects.filter(user__username="bella", role="support").count() == 3
    assert Membership.objects.filter(user__username="hugo").count() == 1
