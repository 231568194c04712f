"""How late a change is visible: from athena's own stamp, of what athena stamps, until it is judged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from athena_dash.core import clock
from athena_dash.sync import jobs, lag, landing, pipeline
from athena_dash.sync.budget import shared
from athena_dash.sync.dating import changed_at
from athena_dash.sync.lag import Lags
from athena_dash.sync.models import Arrival, Subject
from integrations.sandbox.world import Appointment, Clinical
from tests.sync.rig import Synced, pull_all


def seen(synced: Synced, feed: str = "appointments") -> Lags:
    return lag.lags([(synced.practice.pk, feed)], shared())[synced.practice.pk, feed]


def edit(synced: Synced, **fields: Any) -> Appointment:
    """Somebody at the desk changes an appointment, now."""
    athena = synced.athena
    found = [
        one for one in athena.things("appointment") if isinstance(one, Appointment) and one.status == "4"
    ]
    edited = msgspec.structs.replace(found[0], modified=athena.time.now, **fields)
    athena.change("appointment", edited)
    return edited


def test_a_change_counts_from_athenas_stamp_to_the_end_of_the_run_that_judged_it(synced: Synced) -> None:
    edit(synced, minutes=17)
    synced.pull("appointments", minutes=1.25)
    found = seen(synced)
    assert (found.dated, found.undated) == (1, 0)
    assert found.seconds == pytest.approx(75, abs=1)
    assert found.percentile(0.95) == timedelta(seconds=90)
    assert not Arrival.objects.exists()


def test_an_unchanged_pull_counts_nothing(synced: Synced) -> None:
    synced.pull()
    assert seen(synced) == Lags((0,) * (len(lag.BOUNDS) + 1))


def test_what_was_there_before_the_feed_listened_is_history(connected, athena) -> None:
    pull_all(connected, "departments", "appointments")
    pull_all(connected, "appointments")
    listening = dict(connected.feeds.values_list("resource", "listening_since"))
    assert listening["departments"] == athena.time.now
    assert listening["appointments"] is None, "nobody tells it of changes yet"
    assert not Arrival.objects.exists()
    assert not shared().keys("lag:*")


def test_a_change_that_moves_no_stamp_is_told_as_undated(synced: Synced) -> None:
    """As when a claim nested in the appointment changes."""
    edited = edit(synced, minutes=17)
    synced.pull("appointments")
    synced.athena.change("appointment", msgspec.structs.replace(edited, minutes=18))
    synced.pull("appointments")
    assert (seen(synced).dated, seen(synced).undated) == (1, 1)


def test_a_record_that_fails_is_not_visible_until_its_next_payload_is_understood(synced: Synced) -> None:
    synced.athena.fault("corrupt_record", "/appointments/changed", params={"field": "duration", "as": "text"})
    edited = edit(synced, minutes=17)
    synced.pull("appointments")
    assert seen(synced).dated == 0
    synced.athena.heal()
    synced.athena.change(
        "appointment", msgspec.structs.replace(edited, minutes=18, modified=synced.athena.time.now)
    )
    synced.pull("appointments", minutes=10)
    found = seen(synced)
    assert found.dated == 2, "the one that failed has waited for the other"
    assert found.seconds == pytest.approx(60 + 600 + 600, abs=2)


def test_a_row_is_counted_once_whoever_takes_it(synced: Synced) -> None:
    one = Arrival.objects.create(
        practice=synced.practice, resource="claims", raw_ids=[0], changed_at=[synced.athena.time.now]
    )
    lag.seen([one.pk])
    lag.seen([one.pk])
    assert seen(synced, "claims").dated == 1


def test_what_has_not_landed_is_not_visible_although_nothing_waits_to_be_related(
    synced: Synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(landing, "land", lambda *_: landing.Landed())
        edit(synced, minutes=17)
        synced.pull("appointments")
    assert not lag.landed(synced.practice.pk)
    pipeline.drain(synced.practice.pk)
    assert seen(synced).dated == 0


def test_a_chart_fact_counts_from_its_meta_last_updated(synced: Synced) -> None:
    [fact, *_] = [
        one
        for one in synced.athena.things("clinical")
        if isinstance(one, Clinical) and one.resource == "Condition"
    ]
    synced.athena.change(
        "clinical", msgspec.structs.replace(fact, status="resolved", modified=synced.athena.time.now)
    )
    Subject.objects.filter(resource="conditions", key=fact.patient_id).update(due_at=clock.now())
    synced.pull("conditions", minutes=2)
    assert seen(synced, "conditions").dated == 1
    assert seen(synced, "conditions").seconds == pytest.approx(120, abs=1)


def test_a_chart_follows_its_appointment_at_once(synced: Synced, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, pk: woken.append(pk))
    edited = edit(synced, minutes=17)
    synced.athena.time.passes(minutes=0.75)
    jobs.pull_feed(synced.feed("appointments").pk)
    asked = Subject.objects.filter(practice=synced.practice, resource="encounters", due_at__isnull=False)
    assert set(asked.values_list("key", flat=True)) == {edited.patient_id}
    assert synced.feed("encounters").pk in woken
    assert synced.feed("encounters").due_at <= clock.now()
    assert synced.feed("providers").pk not in woken


def test_a_bell_that_rang_during_a_run_does_not_run_it_again(synced: Synced) -> None:
    feed = synced.feed("appointments")
    jobs.pull_feed(feed.pk)
    before = feed.runs.count()
    jobs.pull_feed(feed.pk)
    assert feed.runs.count() == before


def test_a_run_that_brings_nothing_wakes_nobody(synced: Synced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "wake", lambda *_: pytest.fail("somebody was woken"))
    Subject.objects.filter(practice=synced.practice, resource="encounters").update(due_at=clock.now())
    jobs.pull_feed(synced.feed("appointments").pk)


@pytest.mark.parametrize(
    ("resource", "body", "said"),
    [
        ("appointments", b'{"lastmodified": "03/11/2026 11:00:05"}', "2026-03-11T15:00:05+00:00"),
        ("appointments", b'{"lastmodified": "03/11/2026"}', None),
        ("appointments", b'{"lastmodified": 5}', None),
        ("claims", b"{}", None),
        ("claims", b"[", None),
        (
            "conditions",
            b'{"meta": {"lastUpdated": "2026-03-11T11:00:05-04:00"}}',
            "2026-03-11T15:00:05+00:00",
        ),
        ("conditions", b'{"meta": "x"}', None),
    ],
)
def test_a_stamp_is_read_only_where_it_says_the_instant(resource: str, body: bytes, said: str | None) -> None:
    found = changed_at(resource, body)
    assert (found and found.isoformat()) == said
