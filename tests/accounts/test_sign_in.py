"""Signing in tells nobody who exists, lets nobody guess for long, and sends people only to pages of ours."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from athena_dash.accounts import throttle
from athena_dash.accounts.forms import PAUSED, REFUSED
from athena_dash.accounts.models import User
from tests.builders import a_practice, a_user

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/failures?state=waiting"}


@pytest.fixture(autouse=True)
def _no_attempts_yet(db: None) -> None:
    cache.clear()


@pytest.fixture
def bella() -> User:
    return a_user(a_practice(), role="billing", username="bella")


def sign_in(client: Client, password: str = "correct horse", username: str = "bella", **more: str) -> object:
    return client.post("/sign-in", {"username": username, "password": password, **more})


@pytest.mark.parametrize(
    ("role", "home"), [("billing", "/today"), ("support", "/failures"), ("admin", "/practices")]
)
def test_each_role_comes_to_its_own_first_screen(client: Client, role: str, home: str) -> None:
    a_user(a_practice(), role=role, username="pat")
    answer = client.post("/sign-in", {"username": "pat", "password": "correct horse"})
    assert answer.headers["Location"] == home


def test_whoever_belongs_to_no_practice_is_told_what_to_do(client: Client) -> None:
    a_user(username="new")
    answer = client.post("/sign-in", {"username": "new", "password": "correct horse"}, follow=True)
    assert answer.redirect_chain == [("/no-practice", 302)]
    assert "Ask an admin" in answer.content.decode()


def test_a_superuser_without_a_practice_may_connect_the_first_one(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="correct horse"))
    assert "/practices/new" in client.get("/no-practice").content.decode()
    assert client.get("/practices/new").status_code == 200
    assert client.get("/practices").status_code == 403


def test_a_wrong_password_and_an_unknown_name_read_the_same(client: Client, bella: User) -> None:
    wrong = client.post("/sign-in", {"username": "bella", "password": "no"})
    unknown = client.post("/sign-in", {"username": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors() == [REFUSED]


def test_after_ten_wrong_passwords_even_the_right_one_waits(client: Client, bella: User) -> None:
    for _ in range(throttle.ALLOWED):
        sign_in(client, "wrong")
    answer = client.post("/sign-in", {"username": "bella", "password": "correct horse"})
    assert answer.context["form"].non_field_errors() == [PAUSED]
    elsewhere = Client(REMOTE_ADDR="10.0.0.9").post(
        "/sign-in", {"username": "bella", "password": "correct horse"}
    )
    assert elsewhere.status_code == 302


def test_an_unknown_name_is_paused_like_a_known_one(client: Client) -> None:
    for _ in range(throttle.ALLOWED):
        sign_in(client, "wrong", "nobody")
    answer = client.post("/sign-in", {"username": "Nobody ", "password": "wrong"})
    assert answer.context["form"].non_field_errors() == [PAUSED]


def test_a_good_sign_in_forgets_the_bad_ones(client: Client, bella: User) -> None:
    for _ in range(throttle.ALLOWED - 1):
        sign_in(client, "wrong")
    sign_in(client)
    client.post("/sign-out")
    sign_in(client, "wrong")
    assert client.post("/sign-in", {"username": "bella", "password": "correct horse"}).status_code == 302


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_nobody_is_sent_off_site(client: Client, bella: User, next_page: str) -> None:
    answer = client.post("/sign-in", {"username": "bella", "password": "correct horse", "next": next_page})
    assert answer.headers["Location"] == "/today"


def test_one_comes_back_to_the_page_one_asked_for(client: Client, bella: User) -> None:
    assert client.get("/feeds").headers["Location"] == "/sign-in?next=/feeds"
    answer = client.post("/sign-in", {"username": "bella", "password": "correct horse", "next": "/feeds"})
    assert answer.headers["Location"] == "/feeds"


def test_a_session_that_ended_is_said_so(client: Client, bella: User) -> None:
    client.force_login(bella)
    client.session.flush()
    page = client.get("/feeds", follow=True)
    assert "Your session has ended" in page.content.decode()
    assert "Your session has ended" not in Client().get("/sign-in").content.decode()


def test_a_fragment_asked_without_a_session_leaves_the_page_for_sign_in(client: Client) -> None:
    answer = client.get("/sign-in?next=/failures/7", headers=HTMX)
    assert answer.headers["HX-Redirect"] == "/sign-in?next=%2Ffailures%3Fstate%3Dwaiting"


def test_signing_out_takes_a_post(client: Client, bella: User) -> None:
    client.force_login(bella)
    assert client.get("/sign-out").status_code == 405
    client.post("/sign-out")
    assert client.get("/feeds").status_code == 302
