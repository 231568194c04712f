"""What a first load brought is compared with athena's own list at once, once, back to its first day."""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.core import clock
from athena_dash.correlation.models import Gap
from athena_dash.practices.models import Practice
from athena_dash.records.models import Claim
from athena_dash.sync import audit, backfill_audit, jobs
from athena_dash.sync.models import Audit, Backfill, RawRecord
from tests.sync.rig import Synced, contents

LOADED = ("appointments", "claims")


def to_the_end(practice: Practice) -> int:
    """Batches it took."""
    batches = 1
    while backfill_audit.take_next(practice):
        batches += 1
        assert batches < 100
    return batches


def audited(practice: Practice, kind: str) -> list[Audit]:
    return list(Audit.objects.filter(practice=practice, kind=kind).order_by("-last_day"))


def test_every_day_of_the_load_is_compared_once(synced) -> None:
    before = contents(synced.practice)
    assert backfill_audit.due() == [synced.practice.pk]
    to_the_end(synced.practice)
    for kind in LOADED:
        load = Backfill.objects.filter(feed__resource=kind).earliest("pk")
        rows = audited(synced.practice, kind)
        assert rows[0].window == Audit.RECENT
        for newer, older in zip(rows, rows[1:], strict=False):
            assert older.last_day == newer.first_day - dt.timedelta(days=1)
        assert rows[-1].first_day == load.first
    assert {row.kind for row in Audit.objects.all()} == set(LOADED)
    count = Audit.objects.count()
    assert backfill_audit.due() == []
    assert backfill_audit.take_next(synced.practice) is False
    assert Audit.objects.count() == count
    assert {**contents(synced.practice), "Gap": 0} == {**before, "Gap": 0}


def test_a_claim_that_the_load_missed_comes_in(synced) -> None:
    before = contents(synced.practice)["Claim"]
    lost = Claim.objects.exclude(created_date=None).earliest("created_date")
    RawRecord.objects.filter(resource="claims", external_id=lost.external_id).delete()
    lost.delete()
    to_the_end(synced.practice)
    assert contents(synced.practice)["Claim"] == before
    assert sum(row.healed for row in audited(synced.practice, "claims")) == 1


def test_an_absence_that_the_count_confirms_is_believed_without_a_night(synced) -> None:
    doubted = Gap.objects.filter(closed_at=None, verdict="unverified", visit__isnull=False)
    missing = doubted.filter(code__in=("G13", "G22", "G23")).values_list("pk", flat=True)
    ids = list(missing)
    assert ids
    to_the_end(synced.practice)
    assert set(Gap.objects.filter(pk__in=ids).values_list("verdict", flat=True)) == {"not_billed"}


def test_an_athena_that_cannot_be_asked_is_left_alone_for_an_hour(synced) -> None:
    synced.athena.fault("server_error", "/appointments")
    assert backfill_audit.take_next(synced.practice) is False
    assert backfill_audit.due() == []
    synced.athena.heal()
    synced.athena.time.passes(minutes=61)
    assert backfill_audit.due() == [synced.practice.pk]
    to_the_end(synced.practice)
    assert {row.first_day for row in Audit.objects.filter(problem="")} >= {
        Backfill.objects.filter(feed__resource=kind).earliest("pk").first for kind in LOADED
    }


def test_a_load_under_way_or_ended_early_is_not_compared(synced) -> None:
    for state in ("running", "paused", "cancelled"):
        Backfill.objects.update(state=state)
        assert backfill_audit.due() == []


def test_it_does_not_stand_for_the_audit_of_the_night(synced: Synced) -> None:
    synced.athena.time.now = clock.now().replace(hour=7)  # 3 in New York
    synced.athena.time.passes()
    to_the_end(synced.practice)
    assert audit.due(clock.now()) == [synced.practice.pk]


def test_the_tick_wakes_one_worker_and_it_rings_for_the_next_batch(
    synced, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, str]] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, *ids: rung.append((queue, work.__name__)) or True)
    jobs.enqueue_due()
    assert rung.count(("backfill", "audit_backfill")) == 1
    rung.clear()
    jobs.audit_backfill(synced.practice.pk)
    assert rung == [("backfill", "audit_backfill")]
