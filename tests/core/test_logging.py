"""What a log line may say: nothing of a patient, whoever wrote it."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Any

import httpx
import pytest
from django.db import DataError, connection
from django.test import Client

from athena_dash.core.logging import JsonLines

PATIENT = "Eleanor Vance"


class Vouched(Exception):
    safe_message = "the payload has no appointment id"


def line(name: str, message: str, *args: object, extra: dict[str, Any] | None = None) -> dict[str, Any]:
    error = sys.exc_info() if sys.exc_info()[0] else None
    record = logging.getLogger(name).makeRecord(
        name, logging.ERROR, __file__, 1, message, args, error, extra=extra
    )
    return dict(json.loads(JsonLines().format(record)))


def test_our_own_message_and_its_extras_are_written() -> None:
    written = line("athena_dash.sync.pull", "page stored", extra={"feed": 7, "records": 100})
    assert (written["event"], written["feed"], written["records"]) == ("page stored", 7, 100)


def test_what_fills_another_library_s_message_is_not_written() -> None:
    written = line("django.request", "Not Found: %s", f"/visits/{PATIENT}", extra={"status_code": 404})
    assert written["event"] == "Not Found: %s"
    assert PATIENT not in json.dumps(written)


def test_an_exception_is_told_by_type_and_place_without_its_words() -> None:
    try:
        raise ValueError(f"cannot parse {PATIENT}")
    except ValueError:
        written = line("athena_dash.sync.normalise", "record failed")
    assert written["error"]["type"] == "builtins.ValueError"
    assert "test_logging.py" in written["error"]["at"][-1]
    assert PATIENT not in json.dumps(written)


def test_words_that_the_exception_vouches_for_are_written() -> None:
    try:
        raise Vouched(PATIENT) from ValueError(PATIENT)
    except Vouched:
        written = line("athena_dash.sync.normalise", "record failed")
    assert written["error"]["message"] == "the payload has no appointment id"
    assert written["error"]["from"] == "builtins.ValueError"
    assert PATIENT not in json.dumps(written)


@pytest.mark.django_db(transaction=True)
def test_a_database_error_that_quotes_a_row_is_not_quoted_on() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select %s::int", [PATIENT])
    except DataError:
        written = line("athena_dash.records", "upsert failed")
        quoted = traceback.format_exc()
    assert PATIENT in quoted
    assert PATIENT not in json.dumps(written)


def test_a_url_that_httpx_calls_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    with caplog.at_level(logging.NOTSET, logger=""), httpx.Client(transport=transport) as client:
        client.get("https://athena.invalid/patients", params={"lastname": "Vance"})
    assert "Vance" not in caplog.text


@pytest.mark.django_db
def test_a_page_that_is_not_there_leaves_no_address_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonLines())
    Client().get("/no-such-page/Vance", {"q": PATIENT})
    assert '"status_code": 404' in caplog.text
    assert "Vance" not in caplog.text
