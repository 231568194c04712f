"""The calls page, the metrics of calls, and what Feeds and readiness say of athena."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync import breaker, call_log
from athena_dash.sync.budget import shared
from athena_dash.sync.connections import key_name
from tests.builders import a_feed, a_practice
from tests.operations.test_metrics import figures
from tests.recovery.failing import a_connection
from tests.sync.calling import made


@pytest.fixture(autouse=True)
def fresh(settings) -> Iterator[None]:
    settings.METRICS_TOKEN = "correct-horse"
    shared().flushdb()
    yield
    shared().flushdb()


def open_circuit(practice: Practice) -> None:
    now = clock.now().timestamp()
    shared().hset(breaker.key_of(practice.connection.pk), mapping={"till": now + 30, "since": now})


def rows(page: str) -> int:
    return page.count('<th scope="row"')


def test_the_page_shows_each_call_with_what_athenas_support_asks_for(
    as_sam: Client, practice: Practice
) -> None:
    made(practice.connection, request_id="rrt-42-b-gea1")
    page = as_sam.get("/feeds/riverside/calls").content.decode()
    assert "GET /claims/{claimid}" in page
    assert '<code class="pick">rrt-42-b-gea1</code>' in page


def test_it_filters_by_feed_and_by_status(as_sam: Client, practice: Practice) -> None:
    made(practice.connection, "claims", times=2)
    made(practice.connection, "patients")
    made(practice.connection, "patients", status=None, outcome="retry", request_id=None)
    assert rows(as_sam.get("/feeds/riverside/calls").content.decode()) == 4
    assert rows(as_sam.get("/feeds/riverside/calls?feed=claims").content.decode()) == 2
    page = as_sam.get("/feeds/riverside/calls?feed=patients&status=none").content.decode()
    assert (rows(page), "No answer" in page) == (1, True)
    assert "No call fits" in as_sam.get("/feeds/riverside/calls?feed=claims&status=429").content.decode()


def test_an_empty_log_says_so(as_sam: Client, practice: Practice) -> None:
    assert "No call yet" in as_sam.get("/feeds/riverside/calls").content.decode()


def test_without_valkey_the_page_is_empty_and_not_broken(as_sam: Client, practice, monkeypatch) -> None:
    from redis import ConnectionError as Away

    def away(*_: object) -> None:
        raise Away

    monkeypatch.setattr(call_log, "latest", away)
    assert as_sam.get("/feeds/riverside/calls").status_code == 200


def test_another_practices_calls_are_not_shown(as_sam: Client) -> None:
    made(a_connection(a_practice("mesa")))
    assert as_sam.get("/feeds/mesa/calls").status_code == 404


def test_the_feeds_say_that_athena_is_left_alone_and_that_the_key_is_shared(
    as_sam: Client, practice: Practice
) -> None:
    a_feed(practice, "claims")
    assert "nobody calls it" not in as_sam.get("/feeds").content.decode()
    open_circuit(practice)
    name = f"budget:{key_name(practice.connection)}"
    shared().hset(name, mapping={"foreign_since": int(clock.now().timestamp()), "foreign": 77})
    page = as_sam.get("/feeds").content.decode()
    assert "nobody calls it; the next try is at" in page
    assert "77 calls that are not ours" in page


def test_metrics_count_calls_and_measure_them(client: Client, practice: Practice) -> None:
    made(practice.connection, milliseconds=40.0, times=3)
    made(practice.connection, milliseconds=900.0, status=429, outcome="rate_limited")
    open_circuit(practice)
    found = figures(client)
    of = 'practice="riverside",feed="claims"'
    assert found[f'athena_dash_calls_total{{{of},outcome="rate_limited"}}'] == "1"
    assert found[f'athena_dash_calls_by_share_total{{{of},share="live"}}'] == "4"
    assert found[f"athena_dash_call_bytes_total{{{of}}}"] == "4000"
    buckets = [
        found[f'athena_dash_call_duration_seconds_bucket{{{of},le="{le}"}}']
        for le in ("0.025", "0.05", "1", "+Inf")
    ]
    assert buckets == ["0", "3", "4", "4"], "each holds those before it"
    assert found[f"athena_dash_call_duration_seconds_count{{{of}}}"] == "4"
    assert float(found[f"athena_dash_call_duration_seconds_sum{{{of}}}"]) == pytest.approx(1.02)
    assert found['athena_dash_circuit_open{practice="riverside"}'] == "1"
    assert found['athena_dash_foreign_calls{practice="riverside"}'] == "0"


def test_readiness_counts_what_is_left_alone_without_being_unready(
    client: Client, practice: Practice
) -> None:
    open_circuit(practice)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["open_circuits"]) == (200, 1)
