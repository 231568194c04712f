"""Athena asked about one visit: what it says heals, confirms or fails in words, and a verdict leans on it no longer
than it holds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Verdict, Visit
from athena_dash.correlation.verdict import ANSWER_HOLDS
from athena_dash.records.models import Claim
from athena_dash.sync import live_plan, live_read, pipeline
from athena_dash.sync.evidence import evidence_of
from athena_dash.sync.models import Audit, Failure, LiveRead, RawRecord, Subject
from tests.builders import a_user
from tests.sync.athena import CLIENT
from tests.sync.rig import Synced


def open_gap(synced: Synced, anchor_id: str) -> Gap | None:
    gap: Gap | None = Gap.objects.filter(
        practice=synced.practice, visit__anchor_id=anchor_id, closed_at=None, primary=True
    ).first()
    return gap


def a_charged_appointment(synced: Synced) -> str:
    charged = {claim.appointment_id for claim in Claim.objects.exclude(appointment_id="")}
    found: str = next(
        one.id
        for one in synced.athena.things("appointment")
        if one.id in charged and one.status == "4" and one.checked_out_at
    )
    return found


def lose_claims(synced: Synced, appointment_id: str) -> None:
    """As if its claims had been made, and no feed had ever brought them."""
    claims = Claim.objects.filter(practice=synced.practice, appointment_id=appointment_id)
    ids = list(claims.values_list("external_id", flat=True))
    RawRecord.objects.filter(practice=synced.practice, resource="claims", external_id__in=ids).delete()
    Subject.objects.filter(practice=synced.practice, resource="claims", key__in=ids).delete()
    claims.delete()
    pipeline.relate(synced.practice.pk, {"claim": set(ids), "appointment": {appointment_id}})


def a_missing_slip(synced: Synced) -> Gap:
    gap: Gap = Gap.objects.filter(practice=synced.practice, code="G13", closed_at=None).earliest("pk")
    return gap


def read_now(synced: Synced, visit: Visit) -> LiveRead:
    read = live_read.ask(visit, a_user(synced.practice))
    live_read.run(read.pk)
    read.refresh_from_db()
    return read


def test_a_claim_that_athena_has_and_we_had_not_comes_in_and_closes_the_gap(synced: Synced) -> None:
    appointment = a_charged_appointment(synced)
    lose_claims(synced, appointment)
    gap = open_gap(synced, appointment)
    assert gap is not None
    assert gap.code == "G14"
    read = read_now(synced, gap.visit)
    assert (read.state, read.message) == ("done", "")
    assert read.gaps_closed == 1
    assert read.asked == read.planned
    assert Claim.objects.filter(appointment_id=appointment, gone_at=None).exclude(service_date=None).exists()
    gap.refresh_from_db()
    assert gap.closed_by == "live_read"


def test_what_athena_has_not_either_is_confirmed_as_of_that_instant_and_ages_out(synced: Synced) -> None:
    gap = a_missing_slip(synced)
    read = read_now(synced, gap.visit)
    assert (read.state, read.answered, read.gaps_closed) == ("done", ["claim"], 0)
    gap.refresh_from_db()
    assert (gap.verdict, gap.evidence[0]["signal"]) == (Verdict.NOT_BILLED, "D4")
    assert gap.evidence[0]["says"].endswith("UTC: has no claim of this visit")
    assert gap.asked_at == read.started_at
    gap.visit.refresh_from_db()
    assert gap.visit.reconsider_at is not None
    assert gap.visit.reconsider_at <= read.started_at + ANSWER_HOLDS

    synced.athena.time.passes(hours=ANSWER_HOLDS / timedelta(hours=1), minutes=1)
    pipeline.rejudge(synced.practice.pk, [gap.visit_id])
    gap.refresh_from_db()
    assert gap.evidence[0]["signal"] != "D4"
    assert gap.asked_at is None


@pytest.mark.parametrize(
    ("kind", "words"),
    [("server_error", "athenahealth"), ("revoked", "refused"), ("html", "web page"), ("budget", "used up")],
)
def test_a_read_that_fails_says_so_and_the_verdict_that_stood_stays(
    synced: Synced, kind: str, words: str
) -> None:
    gap = a_missing_slip(synced)
    if kind == "revoked":
        httpx.delete(f"{synced.athena.url}/_sandbox/clients", params={"client_id": CLIENT})
    elif kind == "budget":
        synced.practice.connection.calls_per_day = 0
        synced.practice.connection.save()
    else:
        synced.athena.fault(kind, "/appointments/")
    read = read_now(synced, gap.visit)
    assert (read.state, read.answered) == ("failed", [])
    assert read.finished_at
    assert words in read.message, read.message
    was = (gap.verdict, gap.evidence, gap.asked_at)
    gap.refresh_from_db()
    assert (gap.verdict, gap.evidence, gap.asked_at) == was


def test_a_copy_that_we_cannot_read_makes_the_gap_ours_not_the_desks(synced: Synced) -> None:
    appointment = a_charged_appointment(synced)
    lose_claims(synced, appointment)
    params = {"field": "billedservicedate", "as": "text"}
    synced.athena.fault("corrupt_record", "/claims", params=params)
    gap = open_gap(synced, appointment)
    assert gap is not None
    read_now(synced, gap.visit)
    gap.refresh_from_db()
    assert (gap.closed_at, gap.verdict) == (None, Verdict.NOT_SYNCED)


def test_two_clicks_are_one_question_and_the_next_must_wait(synced: Synced) -> None:
    visit, user = a_missing_slip(synced).visit, a_user(synced.practice)
    first = live_read.ask(visit, user)
    assert live_read.ask(visit, user).pk == first.pk
    live_read.run(first.pk)
    with pytest.raises(live_read.TooSoon):
        live_read.ask(visit, user)
    synced.athena.time.passes(minutes=live_read.PAUSE / timedelta(minutes=1))
    assert live_read.ask(visit, user).pk != first.pk


def test_a_read_whose_worker_was_killed_is_taken_over_and_its_ghost_writes_nothing(synced: Synced) -> None:
    visit = a_missing_slip(synced).visit
    read = live_read.ask(visit, a_user(synced.practice))
    ghost = live_read.take(read.pk)
    assert ghost is not None
    assert live_read.take(read.pk) is None, "another has it"
    synced.athena.time.passes(minutes=4)
    assert live_plan.waiting() == [(synced.practice.pk, "person")]
    live_plan.make(synced.practice.pk, "person")
    read.refresh_from_db()
    done = (read.state, read.finished_at, read.answered)
    assert done[0] == "done"
    live_read.settle(ghost, frozenset({"claim", "encounter"}), 7, set())
    read.refresh_from_db()
    assert (read.state, read.finished_at, read.answered) == done


def test_the_night_reads_a_tenth_of_the_gaps_dearest_doubts_first(synced: Synced, monkeypatch) -> None:
    monkeypatch.setattr(live_plan, "GAPS_PER_READ", 2)
    gaps = Gap.objects.filter(practice=synced.practice, closed_at=None, primary=True)
    gaps.update(verdict=Verdict.NOT_BILLED)
    doubtful = list(gaps.order_by("pk")[:3])
    for worth, gap in enumerate(doubtful):
        Gap.objects.filter(pk=gap.pk).update(verdict=Verdict.UNVERIFIED, at_risk=Decimal(worth))
    planned = live_plan.plan_night(synced.practice.pk)
    assert 0 < planned <= max(gaps.count() // 2, 1)
    reads = LiveRead.objects.order_by("pk").values_list("visit_id", flat=True)
    assert list(reads) == [gap.visit_id for gap in reversed(doubtful)][:planned]
    assert live_plan.plan_night(synced.practice.pk) == 0 or planned < gaps.count() // 2
    live_plan.make(synced.practice.pk, "night")
    assert not LiveRead.objects.exclude(state="done").exists()


def test_the_night_stops_at_the_first_read_that_fails(synced: Synced, monkeypatch) -> None:
    monkeypatch.setattr(live_plan, "GAPS_PER_READ", 1)
    Gap.objects.filter(practice=synced.practice).update(verdict=Verdict.UNVERIFIED)
    assert live_plan.plan_night(synced.practice.pk) > 1
    synced.athena.fault("server_error", "/appointments/")
    live_plan.make(synced.practice.pk, "night")
    assert list(LiveRead.objects.exclude(state="waiting").values_list("state", flat=True)) == ["failed"]


def test_an_open_failure_of_the_visit_outranks_what_athena_said(synced: Synced) -> None:
    gap = a_missing_slip(synced)
    read_now(synced, gap.visit)
    now = clock.now()
    Failure.objects.create(
        practice=synced.practice,
        stage="normalise",
        subject_kind="raw",
        subject_id="1",
        record_kind="claim",
        appointment_id=gap.visit.anchor_id,
        reason="invalid",
        first_seen=now,
        last_seen=now,
    )
    pipeline.rejudge(synced.practice.pk, [gap.visit_id])
    gap.refresh_from_db()
    assert gap.verdict == Verdict.NOT_SYNCED


def an_audit(synced: Synced, window: str, first: date, days: int, **fields: object) -> Audit:
    now = clock.now()
    made: Audit = Audit.objects.create(
        practice=synced.practice,
        kind=Audit.Kind.CLAIMS,
        window=window,
        first_day=first,
        last_day=first + timedelta(days=days),
        **{"started_at": now, "finished_at": now} | fields,
    )
    return made


def test_clean_audits_speak_for_every_day_they_cover_without_a_hole(synced: Synced) -> None:
    pk, recent, now = synced.practice.pk, date(2026, 2, 9), clock.now()
    assert evidence_of(pk).counted == {}
    an_audit(synced, Audit.RECENT, recent, 30)
    assert evidence_of(pk).counted == {"claim": (recent, now)}
    week, older, oldest = (recent - timedelta(days=7 * n) for n in (1, 2, 3))
    long_ago = now - timedelta(days=60)
    an_audit(synced, week.isoformat(), week, 6, started_at=long_ago)
    an_audit(synced, oldest.isoformat(), oldest, 6)
    assert evidence_of(pk).counted == {"claim": (week, now)}, "the week between was never counted"
    an_audit(synced, older.isoformat(), older, 6)
    assert evidence_of(pk).counted == {"claim": (oldest, now)}
    an_audit(synced, week.isoformat(), week, 6, missing=["40"])
    assert evidence_of(pk).counted == {"claim": (recent, now)}, "its newest count is what speaks for a week"
    an_audit(synced, Audit.RECENT, recent, 30, problem="athena could not be asked")
    assert evidence_of(pk).counted == {}


def test_after_an_audit_the_doubtful_gaps_are_weighed_again(synced: Synced) -> None:
    gap = a_missing_slip(synced)
    Gap.objects.filter(pk=gap.pk).update(verdict=Verdict.UNVERIFIED)
    an_audit(synced, Audit.RECENT, gap.visit.service_date - timedelta(days=9), 40)
    live_plan.weigh(synced.practice.pk)
    gap.refresh_from_db()
    assert (gap.verdict, gap.evidence[0]["signal"]) == (Verdict.NOT_BILLED, "D4")
