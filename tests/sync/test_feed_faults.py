"""Feeds against an athena that misbehaves: what is said of it, and that it heals without a person where it can."""

from __future__ import annotations

import datetime as dt
from functools import partial

import httpx
import pytest

from athena_dash.records.models import Appointment, Claim, Encounter
from athena_dash.sync import feeds, pull, walks
from athena_dash.sync.models import Backfill, Feed, Run
from tests.sync.athena import CLIENT
from tests.sync.rig import contents, due_subjects, open_failures, pull_all, reachable_facts, settle

BOOKED = "/appointments/booked"


COVERED = "2025-01-01"


@pytest.fixture
def appointments(connected) -> Feed:
    """After an outage of more than a year: there are windows to walk."""
    Feed.objects.filter(resource="appointments").update(cursor={"covered_to": COVERED})
    return Feed.objects.get(resource="appointments")


def test_a_chart_whose_encounter_came_without_its_id_is_read_again_by_itself(connected, athena) -> None:
    athena.fault("corrupt_record", "/chart/.*/encounters", probability=0.2)
    pull_all(connected)
    nameless = open_failures(connected).filter(record_id="", stage="normalise")
    assert nameless.exists()
    charted = Encounter.objects.exclude(kind="").count()
    athena.heal()
    athena.time.passes(minutes=31)
    settle(connected), settle(connected)
    assert not nameless.exists()
    assert Encounter.objects.exclude(kind="").count() > charted


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("server_error", "transient"),
        ("dropped", "transient"),
        ("timeout_after", "transient"),
        ("rate_limited", "rate_limited"),
        ("html", "invalid"),
        ("malformed", "invalid"),
        ("truncated", "invalid"),
    ],
)
def test_a_window_that_could_not_be_read_fails_with_its_reason_and_is_read_by_the_next_run(
    connected, athena, appointments, kind: str, reason: str
) -> None:
    athena.fault(kind, BOOKED, params={"seconds": 0.01})
    run = pull.run_feed(appointments.pk)
    appointments.refresh_from_db()
    failure = open_failures(connected).get()
    assert (run.outcome, failure.reason, failure.subject_kind) == (Run.Outcome.FAILED, reason, "feed")
    assert run.message == failure.message
    assert appointments.failures_in_a_row == 1
    assert appointments.due_at > athena.time.now
    assert failure.next_try_at == appointments.due_at, "the feed's next run is its next try"
    assert appointments.cursor["covered_to"] == COVERED

    athena.heal()
    assert pull.run_feed(appointments.pk).outcome == Run.Outcome.DONE
    appointments.refresh_from_db()
    assert appointments.failures_in_a_row == 0
    assert not open_failures(connected).exists()


def test_a_feed_that_has_failed_for_weeks_still_comes_due_within_the_hour(
    connected, athena, appointments
) -> None:
    Feed.objects.filter(pk=appointments.pk).update(failures_in_a_row=5000)
    athena.fault("server_error", BOOKED)
    assert pull.run_feed(appointments.pk).outcome == Run.Outcome.FAILED
    appointments.refresh_from_db()
    assert appointments.due_at == athena.time.now + dt.timedelta(hours=1)


def test_a_spent_quota_puts_the_feed_off_until_athena_wants_to_hear_from_us(
    connected, athena, appointments
) -> None:
    athena.fault("rate_limited", BOOKED, params={"retry_after": 20_000})
    pull.run_feed(appointments.pk)
    appointments.refresh_from_db()
    assert appointments.due_at >= athena.time.now + dt.timedelta(seconds=20_000)


def test_windows_already_committed_are_not_walked_again_after_a_failure(
    connected, athena, appointments
) -> None:
    committed: list[Run] = []

    def break_later(run: Run) -> None:
        committed.append(run)
        if len(committed) == 8:
            athena.fault("server_error", BOOKED)

    pull.run_feed(appointments.pk, progress=break_later)
    appointments.refresh_from_db()
    covered = appointments.cursor["covered_to"]
    athena.heal()
    before = athena.calls()
    pull.run_feed(appointments.pk)
    assert athena.calls() - before < 17, "of sixteen windows the first were behind us"
    appointments.refresh_from_db()
    assert appointments.cursor["covered_to"] > covered


def test_a_token_athena_no_longer_takes_is_renewed_unnoticed(connected, athena) -> None:
    athena.fault("expired_token", "/departments", times=1)
    assert pull_all(connected, "departments")[0].outcome == Run.Outcome.DONE


def test_a_revoked_credential_is_said_once_and_everything_comes_in_after_it_is_restored(
    connected, athena
) -> None:
    pull_all(connected, "departments", "appointments")
    waiting = due_subjects(connected).count()
    assert waiting
    httpx.delete(f"{athena.url}/_sandbox/clients", params={"client_id": CLIENT}).raise_for_status()
    runs = pull_all(connected, "patients", "encounters")
    assert {run.outcome for run in runs} == {Run.Outcome.FAILED}
    assert set(open_failures(connected).values_list("reason", "subject_kind")) == {("auth", "feed")}
    assert due_subjects(connected).count() == waiting, "nobody was asked, so nobody is settled"
    connected.connection.refresh_from_db()
    assert connected.connection.credential_failed_at == athena.time.now

    athena.heal()
    athena.time.passes(minutes=1)
    pull_all(connected)
    connected.connection.refresh_from_db()
    assert connected.connection.credential_failed_at is None
    assert not open_failures(connected).exists()
    assert not due_subjects(connected).exists()
    assert Encounter.objects.filter(kind="VISIT").exists()


def test_one_call_this_app_may_not_make_does_not_condemn_the_credential(
    connected, athena, monkeypatch
) -> None:
    from athena_dash.sync.source import V1
    from integrations.athena.errors import Forbidden

    def forbidden(*_: object):
        raise Forbidden("this app has no permission for this call", status=401)

    pull_all(connected, "appointments")
    monkeypatch.setitem(V1, "insurances", forbidden)
    (run,) = pull_all(connected, "insurances")
    assert run.outcome == Run.Outcome.FAILED
    assert open_failures(connected).get().reason == "auth"
    connected.connection.refresh_from_db()
    assert connected.connection.credential_failed_at is None


def test_a_practice_without_a_connection_says_so(practice) -> None:
    feeds.create_feeds(practice)
    (run,) = pull_all(practice, "departments")
    assert run.outcome == Run.Outcome.FAILED
    assert "connection" in run.message
    assert open_failures(practice).get().reason == "config"


# -- rows that come twice, and a bad day ------------------------------------------------------------------


def test_rows_that_come_twice_are_one_record(connected, athena, pages_of_two) -> None:
    athena.fault("duplicated_rows", r"/claims$")
    runs = pull_all(connected, "claims")
    assert sum(run.records for run in runs) > Claim.objects.count() == athena.has("claim")


@pytest.mark.parametrize("feed", ["appointments", "claims"])
def test_a_row_that_slipped_between_two_pages_is_missed_and_the_window_read_again(
    connected, athena, pages_of_two, feed: str
) -> None:
    athena.fault("missing_rows", r"/(claims|appointments/booked)$", times=1)
    pull_all(connected, feed)
    held = Claim.objects.filter(gone_at=None).exclude(primary_status="", patient_status="").count()
    assert athena.fired("missing_rows") == 1
    if feed == "claims":
        assert held == athena.has("claim")
    else:
        booked = [one for one in athena.things("appointment") if one.patient_id]
        assert Appointment.objects.count() == len({one.id for one in booked})


def test_a_list_too_large_to_read_at_once_is_read_in_smaller_pages(connected, athena, monkeypatch) -> None:
    from athena_dash.sync import connections
    from integrations.athena.session import Session
    from integrations.athena.transport import Policy

    policy = Policy(attempts=1, first_wait=0, longest_wait=0, largest_body=30_000)
    monkeypatch.setattr(connections, "Session", partial(Session, policy=policy))
    monkeypatch.setattr(walks, "SMALLER_PAGES", (100, 5))
    (whole,) = Backfill.objects.filter(feed__resource="claims")
    whole.chunks.exclude(first=whole.first).delete()
    whole.chunks.update(last=whole.last)
    assert {run.outcome for run in pull_all(connected, "claims")} == {Run.Outcome.DONE}
    assert Claim.objects.count() == athena.has("claim")


def test_all_faults_at_once_and_then_none_end_with_the_same_records(connected, athena, world) -> None:
    """What a bad day leaves behind equals what a quiet one brings."""
    for number, (kind, path) in enumerate(
        [
            ("server_error", "/patients/"),
            ("dropped", "/chart/"),
            ("rate_limited", "/claimtransactions"),
            ("html", "/fhir/r4/Observation"),
            ("malformed", "/services"),
            ("timeout_after", "/fhir/r4/Condition"),
        ]
    ):
        athena.fault(kind, path, name=f"f{number}", probability=0.3, params={"seconds": 0.01})
    athena.fault(
        "corrupt_record", "/claims$", probability=0.3, params={"field": "claimcreateddate", "as": "text"}
    )
    pull_all(connected)
    assert open_failures(connected).count() > 3
    athena.heal()
    for _ in range(2):
        athena.time.passes(hours=25)
        settle(connected)
        pull_all(connected)
    assert not due_subjects(connected).exists()
    left = set(open_failures(connected).values_list("reason", "record_kind"))
    assert left <= {("invalid", "claim")}, "records that broke the contract wait for a person"
    bad_day = contents(connected)
    assert len(bad_day["Encounter"]) == athena.has("encounter")
    assert len(bad_day["ClinicalFact"]) == reachable_facts(athena)
    assert len(bad_day["ServiceLine"]) == athena.has("service")
