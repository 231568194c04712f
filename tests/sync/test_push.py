"""Events of athena: what they make due, that repeating and reordering them changes nothing, and what they bring in."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace

from athena_dash.practices.models import Practice
from athena_dash.records.models import Appointment, Claim
from athena_dash.sync import push, sweep
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Feed, RawRecord, Subject
from integrations.athena.errors import InvalidResponse
from tests.sync.athena import NOW
from tests.sync.notify import a_notification, an_event
from tests.sync.rig import Synced


def due(practice: Practice) -> set[tuple[str, str, str]]:
    return set(
        Subject.objects.filter(practice=practice, due_at__isnull=False).values_list(
            "resource", "key", "scope"
        )
    )


def kept(practice: Practice) -> list[str]:
    rows = RawRecord.objects.filter(practice=practice, resource="events").order_by("pk")
    return list(rows.values_list("external_id", flat=True))


@pytest.mark.parametrize(
    ("event", "subjects"),
    [
        (an_event("appointment", "500"), {("appointments", "500", "")}),
        (an_event("claim", "77"), {("claims", "77", "")}),
        (an_event("patient", "7"), {("patients", "7", "")}),
        (an_event("Patient", "7"), {("patients", "7", "")}),
        (
            an_event("Encounter", "31", patient="7", department="1"),
            {("encounters", "7", "1"), ("fhir_encounters", "7", "")},
        ),
        (an_event("Encounter", "31", patient="7"), {("fhir_encounters", "7", "")}),
        (an_event("Encounter", "31"), set()),
        (an_event("DiagnosticReport", "9", patient="7"), {("diagnostic_reports", "7", "")}),
        (an_event("order", "157479"), set()),
        (an_event("somethingnew", "1"), set()),
        (an_event("claim", "no number", id="odd"), set()),
    ],
    ids=lambda value: value["id"] if isinstance(value, dict) else "",
)
def test_an_event_is_kept_and_makes_due_what_it_names(practice, event, subjects) -> None:
    received = push.receive(practice, a_notification(event))
    assert (received.new, kept(practice), due(practice)) == (1, [event["id"]], subjects)


def test_a_repeated_event_changes_nothing(practice, time) -> None:
    body = a_notification(an_event("claim", "77"))
    push.receive(practice, body)
    Subject.objects.update(due_at=None)
    time.passes(minutes=1)
    received = push.receive(practice, body)
    assert (received.new, received.repeated, received.feeds) == (0, 1, [])
    assert (len(kept(practice)), due(practice)) == (1, set())


def test_of_a_batch_only_the_new_events_count(practice) -> None:
    first, second = an_event("claim", "77"), an_event("claim", "78")
    push.receive(practice, a_notification(second))
    received = push.receive(practice, a_notification(first, second, first))
    assert (received.new, received.repeated, kept(practice)) == (1, 1, ["claim-78", "claim-77"])


def test_an_event_while_its_record_is_being_read_makes_it_due_again(practice, time) -> None:
    from athena_dash.sync import subjects

    push.receive(practice, a_notification(an_event("claim", "77", id="first")))
    taken = subjects.due(practice.pk, "claims", time.now, 10)
    time.passes(seconds=1)
    push.receive(practice, a_notification(an_event("claim", "77", id="second")))
    subjects.asked(taken, time.now)
    assert due(practice) == {("claims", "77", "")}


@pytest.mark.parametrize(
    ("kind", "resources"),
    [
        ("order", {"diagnostic_reports", "medication_requests"}),
        ("labresult", {"diagnostic_reports", "observations"}),
        ("DiagnosticReport", {"diagnostic_reports"}),
        ("clinicalencounterdiagnosis", {"conditions", "fhir_encounters"}),
    ],
)
def test_a_result_or_order_has_what_it_may_have_changed_in_its_patients_chart_read_again(
    practice, kind, resources
) -> None:
    push.receive(practice, a_notification(an_event(kind, "9", patient="7"), an_event(kind, "10")))
    assert due(practice) == {(resource, "7", "") for resource in resources}
    assert len(kept(practice)) == 2, "also the one that names no patient"


def test_a_notification_of_another_practice_is_refused_whole(practice) -> None:
    body = a_notification(an_event("claim", "77"), an_event("claim", "78", practice="195903"))
    with pytest.raises(push.ForeignPractice):
        push.receive(practice, body)
    assert (kept(practice), due(practice)) == ([], set())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"[]",
        b'{"entry":null}',
        b'{"entry":[{"resource":"SubscriptionStatus"}]}',
        b'{"entry":[{"resource":{"resourceType":"SubscriptionStatus","notificationEvent":null}}]}',
        b'{"entry":[{"resource":{"resourceType":"SubscriptionStatus","notificationEvent":[{"id":"\\u0000"}]}}]}',
        b'{"entry":[{"resource":{"resourceType":"SubscriptionStatus","notificationEvent":[{"id":null}]}}]}',
        b'{"entry":' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_notification_keeps_nothing(practice, body) -> None:
    with pytest.raises(InvalidResponse):
        push.receive(practice, body)
    assert kept(practice) == []


def test_a_handshake_is_welcome_and_holds_nothing(practice) -> None:
    assert push.receive(practice, a_notification()) == push.Received()


def test_half_a_surrogate_pair_in_an_event_does_no_harm(practice) -> None:
    body = a_notification(an_event("claim", "77") | {"purpose": "x"}).replace(b'"x"', b'"\\ud800"')
    assert push.receive(practice, body).new == 1
    assert due(practice) == {("claims", "77", "")}


def test_the_stages_have_nothing_to_do_with_events(practice, time) -> None:
    push.receive(practice, a_notification(an_event("somethingnew", "1")))
    time.passes(minutes=5)
    assert sweep.process_left_behind(practice.pk) == 0


def test_a_feed_is_hastened_but_not_faster_than_every_ten_seconds_nor_against_a_failure(
    practice, time
) -> None:
    create_feeds(practice)
    feed = Feed.objects.filter(practice=practice, resource="claims")
    later = NOW + dt.timedelta(seconds=50)

    def after(name: str, **fields: object) -> tuple[float, int]:
        feed.update(
            **{
                "due_at": later,
                "last_attempt_at": NOW - dt.timedelta(seconds=60),
                "failures_in_a_row": 0,
                **fields,
            }
        )
        woken = push.receive(practice, a_notification(an_event("claim", "77", id=name))).feeds
        return (feed.get().due_at - NOW).total_seconds(), len(woken)

    assert after("quiet") == (0, 1)
    assert after("just-ran", last_attempt_at=NOW - dt.timedelta(seconds=4)) == (6, 0)
    assert after("never-ran", last_attempt_at=None) == (0, 1)
    assert after("soon-anyway", due_at=NOW + dt.timedelta(seconds=2), last_attempt_at=NOW) == (2, 0)
    assert after("failing", failures_in_a_row=3) == (50, 0)
    assert after("paused", paused_at=NOW) == (50, 0)


def test_no_worker_is_woken_for_a_paused_practice(practice) -> None:
    create_feeds(practice)
    Practice.objects.filter(pk=practice.pk).update(paused_at=NOW)
    assert push.receive(practice, a_notification(an_event("claim", "77"))).feeds == []


def test_an_event_brings_in_an_appointment_that_no_feed_has_shown(synced: Synced) -> None:
    """By its id: its window is not walked again for a quarter of an hour, and the changed feed is silent."""
    theirs = synced.athena.things("appointment")[0]
    before = Appointment.objects.get(practice=synced.practice, external_id=theirs.id).status
    changed = "x" if before != "x" else "f"
    synced.athena.change("appointment", replace(theirs, status=changed), event="NothingWeSubscribeTo")
    synced.pull("appointments", minutes=0)
    assert Appointment.objects.get(practice=synced.practice, external_id=theirs.id).status == before
    push.receive(synced.practice, a_notification(an_event("appointment", theirs.id)))
    synced.pull("appointments")
    assert Appointment.objects.get(practice=synced.practice, external_id=theirs.id).status == changed


def test_an_event_of_a_deleted_claim_takes_it_away_and_is_no_failure(synced: Synced) -> None:
    claim = Claim.objects.filter(practice=synced.practice).first()
    assert claim
    synced.athena.remove("claim", claim.external_id)
    push.receive(synced.practice, a_notification(an_event("claim", claim.external_id)))
    runs = synced.pull("claims")
    assert [run.failed for run in runs] == [0] * len(runs)
    claim.refresh_from_db()
    assert claim.gone_at
