"""What Prometheus reads: guarded by a token, true, free of PHI, and cheap."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from athena_dash.core import clock
from athena_dash.core.metrics import Family, Sample, written
from athena_dash.practices.models import Practice
from athena_dash.sync import lag, raw
from athena_dash.sync.budget import shared
from athena_dash.sync.models import Audit, Feed, Run
from athena_dash.sync.payloads import Payload, digest
from tests.builders import a_feed, a_gap, a_practice, a_visit
from tests.recovery.failing import a_failure

TOKEN = "correct-horse"
LINE = re.compile(
    r'^(# (HELP|TYPE) athena_dash_\w+ .+|athena_dash_\w+(\{(\w+="[^"]*",?)*\})? ([+-]?Inf|[-+.e\d]+))$'
)


@pytest.fixture(autouse=True)
def _token(settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scrape(client: Client, token: str = TOKEN):
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def figures(client: Client) -> dict[str, str]:
    lines = scrape(client).content.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_without_a_configured_token_there_is_no_such_page(client: Client, practice, settings) -> None:
    settings.METRICS_TOKEN = ""
    assert scrape(client).status_code == 404
    assert scrape(client, "").status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer ü"},
    ],
)
def test_a_wrong_token_is_refused_and_learns_nothing(client: Client, practice, header) -> None:
    answer = client.get("/metrics", headers=header)
    assert answer.status_code == 401
    assert b"athena_dash" not in answer.content


def test_a_session_is_no_token(as_ada: Client) -> None:
    assert as_ada.get("/metrics").status_code == 401


def test_every_line_is_valid_exposition_text(client: Client, practice: Practice) -> None:
    a_failure(practice)
    a_gap(a_visit(practice))
    answer = scrape(client)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert [line for line in text.splitlines() if not LINE.match(line)] == []
    assert text.endswith("\n")


def test_a_feed_is_quiet_since_its_last_success(client: Client, practice: Practice) -> None:
    with clock.frozen(clock.now()):
        a_feed(practice, "claims", quiet_for=dt.timedelta(minutes=7))
        a_feed(practice, "patients", last_success_at=None)
        found = figures(client)
    assert found['athena_dash_feed_quiet_seconds{practice="riverside",feed="claims"}'] == "420"
    assert found['athena_dash_feed_quiet_seconds{practice="riverside",feed="patients"}'] == "+Inf"


def test_lags_are_a_histogram_and_what_is_undated_is_counted(client: Client, practice: Practice) -> None:
    shared().flushdb()
    pipeline = shared().pipeline()
    waits = [dt.timedelta(seconds=seconds) for seconds in (4, 40, 400)]
    lag.count((practice.pk, "appointments"), waits, 2, clock.now(), pipeline)
    pipeline.execute()
    found = figures(client)
    feed = 'practice="riverside",feed="appointments"'
    within = [
        found[f'athena_dash_feed_lag_seconds_bucket{{{feed},le="{le}"}}'] for le in (5, 60, 600, "+Inf")
    ]
    assert within == ["1", "2", "3", "3"]
    assert found[f"athena_dash_feed_lag_seconds_sum{{{feed}}}"] == "444"
    assert found[f"athena_dash_feed_undated_changes_total{{{feed}}}"] == "2"


def test_runs_of_the_last_hour_are_summed_and_older_ones_are_not(client: Client, practice: Practice) -> None:
    feed = Feed.objects.get(practice=practice, resource="claims")
    for minutes in (5, 50, 70):
        at = clock.now() - dt.timedelta(minutes=minutes)
        Run.objects.create(
            feed=feed, practice=practice, started_at=at, calls=3, records=10, rate_limited=1, bytes=500
        )
    found = figures(client)
    labels = '{practice="riverside",feed="claims"}'
    names = ("runs", "calls", "records", "rate_limited", "bytes")
    assert [found[f"athena_dash_feed_{name}_last_hour{labels}"] for name in names] == [
        "2",
        "6",
        "20",
        "2",
        "1000",
    ]


def test_open_failures_gaps_and_waiting_payloads_are_counted(client: Client, practice: Practice) -> None:
    a_failure(practice)
    a_failure(practice, resolved_at=clock.now())
    gap = a_gap(a_visit(practice))
    raw.keep(
        [Payload("1", "", b"{}", digest(b"{}"))],
        practice_id=practice.pk,
        resource="claims",
        fetched_at=clock.now(),
    )
    found = figures(client)
    assert found['athena_dash_failures_open{practice="riverside",stage="normalise",reason="invalid"}'] == "1"
    assert found[f'athena_dash_gaps_open{{practice="riverside",code="{gap.code}"}}'] == "1"
    assert found['athena_dash_raw_unprocessed{practice="riverside"}'] == "1"
    assert found['athena_dash_queue_jobs{queue="live"}'] == "0"
    assert found["athena_dash_queue_up"] == "1"


def an_audit(practice: Practice, **fields: object) -> Audit:
    now = clock.now()
    fields = {"kind": "claims", "window": "recent", "theirs": 500, "ours": 497, "healed": 2} | fields
    return Audit.objects.create(
        practice=practice,
        first_day=now.date(),
        last_day=now.date(),
        **{"started_at": now, "finished_at": now, **fields},
    )


def test_completeness_is_that_of_the_last_audit_over_its_windows(client: Client, practice: Practice) -> None:
    now = clock.now()
    an_audit(practice, ours=0, started_at=now - dt.timedelta(days=1))
    an_audit(practice, started_at=now)
    an_audit(practice, started_at=now, window="2026-01-05", ours=498)
    found = figures(client)
    labels = '{practice="riverside",kind="claims"}'
    assert found[f"athena_dash_completeness_ratio{labels}"] == "0.999"
    assert found[f"athena_dash_completeness_missing{labels}"] == "1"


def test_an_audit_that_failed_gives_no_ratio(client: Client, practice: Practice) -> None:
    an_audit(practice, problem="athena did not answer.")
    assert not [name for name in figures(client) if "completeness" in name]


def test_a_valkey_that_is_away_takes_only_its_own_figures_along(
    client: Client, practice, monkeypatch
) -> None:
    from redis import ConnectionError as Away

    from athena_dash.core import metrics

    def away(name: str) -> None:
        raise Away

    monkeypatch.setattr(metrics, "get_queue", away)
    found = figures(client)
    assert found["athena_dash_queue_up"] == "0"
    assert any(name.startswith("athena_dash_feed_quiet_seconds") for name in found)


def test_it_costs_the_same_queries_however_many_practices(
    client: Client, practice, django_assert_max_num_queries
) -> None:
    for number in range(5):
        other = a_practice(f"other-{number}")
        a_gap(a_visit(other))
        an_audit(other)
    with django_assert_max_num_queries(8):
        assert scrape(client).status_code == 200


def test_no_id_or_name_of_a_patient_is_in_it(client: Client, practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit)
    a_failure(practice, record_id="87654321", patient_id="7654321", message="claim 87654321")
    text = scrape(client).content.decode()
    for secret in ("Quill", "Mara", "87654321", "7654321", visit.patient_id, visit.anchor_id):
        assert f'"{secret}"' not in text


def test_labels_are_escaped() -> None:
    text = written([Family("x", "An x.", (Sample(1, {"label": 'a"b\\c\nd'}),))])
    assert text.splitlines()[-1] == r'athena_dash_x{label="a\"b\\c\nd"} 1'
