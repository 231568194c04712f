"""Is everything here that athena has: what was lost is named and brought in; what stays missing opens a failure."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.records.models import Appointment, ChargeLine, Claim, Encounter
from athena_dash.sync import audit, census, completeness, jobs, replay
from athena_dash.sync.evidence import evidence_of
from athena_dash.sync.models import Audit, Failure, RawRecord
from tests.sync.rig import Synced, contents, open_failures

MONTH = audit.RECENT


@pytest.fixture(autouse=True)
def _of_all_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dozen visits are spread over 18 months; all claims are sampled."""
    monkeypatch.setattr(audit, "RECENT", dt.timedelta(days=540))
    monkeypatch.setattr(census, "SAMPLED_CLAIMS", 100)


def checked(synced: Synced, kind: str) -> Audit:
    """The practice audited now; its recent row of this kind."""
    synced.athena.time.passes(minutes=1)
    rows = audit.audit_practice(synced.practice)
    return next(row for row in rows if row.kind == kind and row.window == "recent")


def lose(synced: Synced, table, *ids: str, resource: str = "") -> None:
    """As if it had never come, or as if only the row had been lost."""
    table.objects.filter(practice=synced.practice, external_id__in=ids).delete()
    if resource:
        RawRecord.objects.filter(practice=synced.practice, resource=resource, external_id__in=ids).delete()


def audit_failures(synced: Synced) -> list[Failure]:
    return list(open_failures(synced.practice).filter(subject_kind="audit"))


def test_after_a_sync_everything_is_here(synced) -> None:
    before = contents(synced.practice)
    rows = audit.audit_practice(synced.practice)
    for row in rows:
        assert (row.ours, row.missing, row.unnamed, row.gone, row.problem) == (row.theirs, [], 0, 0, "")
    assert min(row.theirs for row in rows if row.window == "recent") > 10
    assert contents(synced.practice) == before
    assert audit_failures(synced) == []


@pytest.mark.parametrize("payloads_too", [True, False])
def test_a_claim_we_lost_is_counted_and_brought_in(synced, payloads_too) -> None:
    before = contents(synced.practice)
    lost = Claim.objects.exclude(created_date=None).order_by("pk")[0]
    lose(synced, Claim, lost.external_id, resource="claims" if payloads_too else "")
    row = checked(synced, "claims")
    assert (row.theirs - row.ours, row.healed, row.missing) == (1, 1, [])
    assert row.drift == {f"{lost.department_id} {lost.created_date:%m/%d/%Y}": 1}
    back = Claim.objects.get(external_id=lost.external_id)
    assert back.primary_status == lost.primary_status
    assert audit_failures(synced) == []
    assert contents(synced.practice)["Gap"] == before["Gap"]


def test_an_appointment_we_lost_comes_back_with_its_visit(synced) -> None:
    before = contents(synced.practice)
    lost = Appointment.objects.filter(status="4").order_by("pk")[0]
    lose(synced, Appointment, lost.external_id)
    assert checked(synced, "appointments").healed == 1
    assert contents(synced.practice)["Appointment"] == before["Appointment"]


def test_an_encounter_that_an_appointment_names_is_read_from_its_chart(synced) -> None:
    named = Appointment.objects.exclude(encounter_id="").order_by("pk")[0].encounter_id
    lose(synced, Encounter, named, resource="encounters")
    row = checked(synced, "encounters")
    assert (row.healed, row.missing) == (1, [])
    assert Encounter.objects.get(external_id=named).kind


def test_a_charge_line_we_lost_is_brought_in_from_its_claims_transactions(synced) -> None:
    line = ChargeLine.objects.filter(gone_at=None).exclude(posted_on=None).order_by("pk")[0]
    lose(synced, ChargeLine, line.external_id, resource="transactions")
    row = checked(synced, "transactions")
    assert (row.healed, row.missing) == (1, [])
    assert ChargeLine.objects.filter(external_id=line.external_id, claim_id=line.claim_id).exists()


def test_a_row_that_athenas_list_leaves_out_and_we_have_is_not_missing(synced, pages_of_two) -> None:
    synced.athena.fault("missing_rows", "/claims")
    row = checked(synced, "claims")
    assert (row.missing, row.unnamed, row.theirs) == ([], 0, row.ours)
    assert audit_failures(synced) == []


def test_a_claim_that_athena_counts_and_never_lists_is_a_failure_until_it_does(synced, pages_of_two) -> None:
    listed = list(Claim.objects.values_list("external_id", flat=True))
    for claim_id in listed:
        lose(synced, Claim, claim_id, resource="claims")
    synced.athena.fault("missing_rows", "/claims")
    row = checked(synced, "claims")
    assert row.unnamed > 0
    [failure] = audit_failures(synced)
    assert (failure.stage, failure.reason, failure.subject_id) == ("pull", "invalid", "claims/recent")
    assert f"athena counts {row.theirs} claims" in failure.message
    synced.athena.time.passes(minutes=1)
    assert replay.retry(failure.pk, verb="refetch", trigger="replay").outcome == "failed"
    synced.athena.heal()
    synced.athena.time.passes(minutes=1)
    assert replay.retry(failure.pk, verb="refetch", trigger="replay").outcome == "confirmed"
    assert audit_failures(synced) == []
    assert set(Claim.objects.values_list("external_id", flat=True)) >= set(listed)


def test_an_encounter_that_its_chart_does_not_list_is_a_failure_of_that_visit(synced) -> None:
    appointment = Appointment.objects.exclude(encounter_id="").order_by("pk")[0]
    lose(synced, Encounter, appointment.encounter_id, resource="encounters")
    [thing] = synced.athena.things("encounter", f"id = '{appointment.encounter_id}'")
    synced.athena.remove("encounter", appointment.encounter_id)
    row = checked(synced, "encounters")
    assert row.missing == [appointment.encounter_id]
    [failure] = audit_failures(synced)
    assert (failure.reason, failure.record_kind, failure.record_id) == (
        "gone",
        "encounter",
        appointment.encounter_id,
    )
    assert failure.appointment_id == appointment.external_id
    synced.athena.change("encounter", thing)
    assert checked(synced, "encounters").missing == []
    assert audit_failures(synced) == []


def test_a_chart_that_cannot_be_read_is_not_said_to_lack_the_encounter(synced) -> None:
    appointment = Appointment.objects.exclude(encounter_id="").order_by("pk")[0]
    lose(synced, Encounter, appointment.encounter_id, resource="encounters")
    synced.athena.fault("html", "/chart/")
    row = checked(synced, "encounters")
    assert (row.missing, row.problem) == ([appointment.encounter_id], "")
    [failure] = audit_failures(synced)
    assert failure.reason == "invalid"
    assert "cannot be read" in failure.message
    assert failure.next_try_at
    synced.athena.heal()
    synced.athena.time.passes(minutes=6)
    jobs.retry_failures(synced.practice.pk)
    assert audit_failures(synced) == []
    assert Encounter.objects.filter(external_id=appointment.encounter_id).exists()


def test_a_visit_whose_encounter_is_missing_is_judged_again_with_that_as_evidence(
    synced, monkeypatch
) -> None:
    judged: list[int] = []
    monkeypatch.setattr(audit.pipeline, "rejudge", lambda practice_id, ids: judged.extend(ids))
    appointment = Appointment.objects.exclude(encounter_id="").order_by("pk")[0]
    lose(synced, Encounter, appointment.encounter_id, resource="encounters")
    synced.athena.remove("encounter", appointment.encounter_id)
    checked(synced, "encounters")
    evidence = evidence_of(synced.practice.pk)
    assert ("encounter", appointment.encounter_id) in evidence.open_failures
    assert ("encounter", appointment.external_id) in evidence.by_appointment
    assert judged == [Visit.objects.get(anchor_id=appointment.external_id).pk]


def test_a_claim_that_came_without_its_id_is_no_evidence_once_it_has_come_under_it(synced) -> None:
    lost = Claim.objects.exclude(created_date=None).exclude(appointment_id="").order_by("pk")[0]
    now = clock.now()
    Failure.objects.create(
        practice=synced.practice,
        stage="normalise",
        subject_kind="raw",
        subject_id=str(RawRecord.objects.latest("pk").pk),
        record_kind="claim",
        appointment_id=lost.appointment_id,
        reason="invalid",
        first_seen=now,
        last_seen=now,
    )
    assert ("claim", lost.appointment_id) in evidence_of(synced.practice.pk).by_appointment
    lose(synced, Claim, lost.external_id, resource="claims")
    checked(synced, "claims")
    assert ("claim", lost.appointment_id) not in evidence_of(synced.practice.pk).by_appointment


def test_replaying_a_group_of_missing_records_asks_athena_once(synced) -> None:
    named = [a.encounter_id for a in Appointment.objects.exclude(encounter_id="").order_by("pk")[:3]]
    lose(synced, Encounter, *named, resource="encounters")
    for encounter_id in named:
        synced.athena.remove("encounter", encounter_id)
    checked(synced, "encounters")
    assert len({failure.fingerprint for failure in audit_failures(synced)}) == 1
    synced.athena.time.passes(minutes=1)
    asked = []
    for failure in audit_failures(synced):
        before = synced.athena.calls()
        assert replay.retry(failure.pk, verb="refetch", trigger="replay").outcome == "failed"
        asked.append(synced.athena.calls() - before)
    assert asked[0] > 0
    assert asked[1:] == [0, 0]


def test_a_payload_that_came_and_cannot_be_read_keeps_its_own_failure_only(synced) -> None:
    lost = Claim.objects.exclude(created_date=None).order_by("pk")[0]
    lose(synced, Claim, lost.external_id, resource="claims")
    synced.athena.fault(
        "corrupt_record",
        "/claims",
        record=lost.external_id,
        params={"field": "claimcreateddate", "as": "text"},
    )
    assert checked(synced, "claims").missing == [lost.external_id]
    assert open_failures(synced.practice).get(record_id=lost.external_id).stage == "normalise"
    assert audit_failures(synced) == []


def test_what_athena_has_no_more_is_marked_so(synced) -> None:
    claim = Claim.objects.exclude(created_date=None).order_by("pk")[0]
    synced.athena.remove("claim", claim.external_id)
    row = checked(synced, "claims")
    assert (row.gone, row.theirs, row.missing) == (1, row.ours, [])
    claim.refresh_from_db()
    assert claim.gone_at


def test_an_athena_that_does_not_answer_gives_no_figure_and_a_failure_that_a_later_audit_closes(
    synced,
) -> None:
    synced.athena.fault("server_error", "/claims")
    row = checked(synced, "claims")
    assert row.problem
    assert {failure.reason for failure in audit_failures(synced)} == {"transient"}
    assert [c.problem != "" for c in completeness.latest([synced.practice.pk]) if c.kind == "claims"] == [
        True
    ]
    synced.athena.heal()
    assert checked(synced, "claims").problem == ""
    assert audit_failures(synced) == []


def test_two_audits_of_a_practice_do_not_run_at_once(synced) -> None:
    audit.begin(synced.practice, [Audit.Kind.CLAIMS], [audit.recent(clock.now().date())])
    assert audit.audit_practice(synced.practice) == []
    synced.athena.time.passes(minutes=31)
    assert audit.audit_practice(synced.practice) != []


def test_a_count_nobody_can_believe_is_not_believed(synced, monkeypatch) -> None:
    from dataclasses import replace

    pages = census.walks.window

    def boasting(*arguments):
        for step in pages(*arguments):
            yield replace(step, pages=tuple((replace(p, total=10**30), parent) for p, parent in step.pages))

    monkeypatch.setattr(census.walks, "window", boasting)
    assert checked(synced, "claims").unnamed == 0


def test_at_night_each_practice_is_audited_once(synced) -> None:
    noon = clock.now()
    assert audit.due(noon) == []
    synced.athena.time.now = noon.replace(hour=7)  # 3 in New York
    synced.athena.time.passes()
    assert audit.due(clock.now()) == [synced.practice.pk]
    audit.audit_practice(synced.practice)
    assert audit.due(clock.now()) == []
    synced.practice.paused_at = clock.now()
    synced.practice.save()
    assert audit.due(clock.now() + dt.timedelta(days=1)) == []


def test_the_job_is_the_audit(synced) -> None:
    jobs.audit_practice(synced.practice.pk)
    assert Audit.objects.filter(practice=synced.practice, finished_at__isnull=False).count() == 8


def test_the_tick_asks_for_the_audits_that_are_due(synced, monkeypatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, *ids: not asked.append((queue, work, *ids)))
    synced.athena.time.now = clock.now().replace(hour=7)
    synced.athena.time.passes()
    jobs.enqueue_due()
    assert ("backfill", jobs.audit_practice, synced.practice.pk) in asked


def test_older_weeks_take_turns_until_each_has_been_looked_at(monkeypatch) -> None:
    monkeypatch.setattr(audit, "RECENT", MONTH)
    start = dt.date(2026, 3, 11)
    nights = [start + dt.timedelta(days=n) for n in range(audit.WEEKS)]
    weeks = [audit.older(night) for night in nights]
    assert len({week.name for week in weeks}) > audit.WEEKS * 0.85  # the oldest fall out of reach meanwhile
    for night, week in zip(nights, weeks, strict=True):
        assert week.first.weekday() == 0
        assert dt.timedelta(days=30) < night - week.last <= audit.HISTORY


def test_a_share_is_rounded_down_so_that_only_what_is_whole_reads_100() -> None:
    def percent(here: int, theirs: int) -> str:
        return completeness.Completeness(
            practice_id=1,
            kind=Audit.Kind.CLAIMS,
            at=clock.now(),
            theirs=theirs,
            here=here,
            healed=0,
            problem="",
        ).percent

    assert [percent(9_999, 10_000), percent(0, 0), percent(998, 1000)] == ["99.9 %", "100 %", "99.8 %"]


def run_command(*arguments: str) -> SimpleNamespace:
    out, code = StringIO(), 0
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as stopped:
        code = stopped.code
    return SimpleNamespace(out=out.getvalue(), code=code)


def test_the_command_says_what_was_brought_in_and_as_json(synced) -> None:
    lost = Claim.objects.exclude(created_date=None).order_by("pk")[0]
    lose(synced, Claim, lost.external_id)
    told = run_command("--practice", "synced")
    assert "here, 1 of them brought in now" in told.out
    assert told.code == 0
    figures = json.loads(run_command("--practice", "synced", "--json").out)
    assert {row["kind"] for row in figures} == set(Audit.Kind.values)


def test_the_command_exits_with_one_while_something_is_missing(synced) -> None:
    synced.athena.fault("server_error", "/claims")
    assert run_command("--practice", "synced").code == 1


@pytest.mark.django_db
def test_the_command_knows_no_such_practice() -> None:
    with pytest.raises(CommandError, match="no practice 'nowhere'"):
        run_command("--practice", "nowhere")
