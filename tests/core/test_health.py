"""What a watcher of the process sees, and what every answer carries."""

from __future__ import annotations

import re

import pytest
from django.db import OperationalError
from django.test import Client

from athena_dash.accounts.models import User
from athena_dash.core import health


def test_healthz_needs_no_database(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_asks_the_database_and_redis(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (
        200,
        {"database": True, "redis": True, "workers": 0, "open_circuits": 0},
    )


@pytest.mark.django_db
def test_a_database_that_is_away_is_503_without_its_words(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("connection to 10.1.2.3 as athena_dash refused")

    monkeypatch.setattr(health.connection, "cursor", away)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, False)
    assert b"10.1.2.3" not in response.content


def test_every_answer_has_a_request_id_and_keeps_a_proxy_s(client: Client) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", client.get("/healthz").headers["X-Request-Id"])
    assert client.get("/healthz", headers={"X-Request-Id": "proxy-7"}).headers["X-Request-Id"] == "proxy-7"


def test_a_request_id_that_would_forge_a_log_line_is_replaced(client: Client) -> None:
    given = client.get("/healthz", headers={"X-Request-Id": 'x", "level": "info'}).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", given)


def test_the_policy_for_the_browser_allows_nothing_inline(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.django_db
def test_no_browser_or_proxy_keeps_a_signed_in_user_s_page(client: Client) -> None:
    assert "no-store" not in client.get("/healthz").headers.get("Cache-Control", "")
    client.force_login(User.objects.create(username="bella"))
    assert client.get("/healthz").headers["Cache-Control"] == "no-store"
