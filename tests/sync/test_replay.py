"""A failure of every reason, injected over there, seen here, healed over there and replayed here: exactly once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx
import msgspec
import pytest

from athena_dash.correlation.models import Gap
from athena_dash.practices.models import Policy
from athena_dash.records.models import Appointment, Claim, Patient
from athena_dash.sync import pull, replay
from athena_dash.sync.models import Attempt, Failure, Feed, RawRecord, Subject
from integrations.sandbox.world import Claim as AthenaClaim
from tests.sync.athena import CLIENT
from tests.sync.rig import Synced, open_failures


def retry(failure: Failure, verb: str = "") -> replay.RetryResult:
    failure.refresh_from_db()
    return replay.retry(failure.pk, verb=verb or replay.suggest(failure).verb, trigger="replay")


def attempts(failure: Failure) -> list[tuple[str, str]]:
    return list(failure.tries.order_by("pk").values_list("trigger", "outcome"))


@pytest.fixture
def touch(synced: Synced) -> Callable[[str, str], None]:
    """That record is edited over there, so that the changed feed brings it again."""

    def touch(kind: str, record_id: str) -> None:
        (thing,) = synced.athena.things(kind, f"id = '{record_id}'")
        if isinstance(thing, AthenaClaim):
            thing = msgspec.structs.replace(thing, diagnoses=())
        synced.athena.change(kind, msgspec.structs.replace(thing, modified=synced.athena.time.now))

    return touch


def break_feed(synced: Synced, kind: str) -> Failure:
    """The departments' feed meets this fault."""
    if kind == "revoked":
        httpx.delete(f"{synced.athena.url}/_sandbox/clients", params={"client_id": CLIENT})
    else:
        synced.athena.fault(kind, "/departments")
    synced.pull("departments")
    failure: Failure = open_failures(synced.practice).get()
    return failure


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("server_error", "transient"),
        ("rate_limited", "rate_limited"),
        ("revoked", "auth"),
        ("html", "invalid"),
    ],
)
def test_a_feed_that_failed_is_confirmed_once_its_cause_is_gone(synced, kind: str, reason: str) -> None:
    failure = break_feed(synced, kind)
    assert failure.reason == reason
    assert replay.suggest(failure).verb == "refetch"
    still = retry(failure)
    assert still.outcome == "failed"
    failure.refresh_from_db()
    assert (failure.reason, still.message, failure.attempts) == (reason, failure.message, 2)

    synced.athena.heal()
    assert retry(failure).outcome == "confirmed"
    failure.refresh_from_db()
    assert failure.resolved_at
    assert attempts(failure) == [("sync", "failed"), ("replay", "failed"), ("replay", "confirmed")]
    synced.practice.connection.refresh_from_db()
    assert synced.practice.connection.credential_failed_at is None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "corrupt_record", "params": {"field": "billedservicedate", "as": "text"}}, "invalid"),
        ({"kind": "corrupt_record", "params": {"field": "claimcreateddate", "as": "nul"}}, "invalid"),
        ({"kind": "unknown_code"}, "unmapped"),
    ],
)
def test_a_broken_claim_is_confirmed_once_athena_has_corrected_it(synced, touch, fault, reason) -> None:
    claim = Claim.objects.filter(gone_at=None).exclude(primary_status="").first()
    synced.athena.fault(fault["kind"], "/claims", record=claim.external_id, params=fault.get("params", {}))
    touch("claim", claim.external_id)
    synced.pull("claims")
    failure = open_failures(synced.practice).get()
    assert (failure.reason, failure.record_kind, failure.record_id) == (reason, "claim", claim.external_id)

    still = retry(failure)
    assert still.outcome == "failed"
    failure.refresh_from_db()
    assert (failure.reason, failure.resolved_at, failure.claimed_until) == (reason, None, None)

    synced.athena.heal()
    result = retry(failure)
    assert result.outcome == "confirmed"
    assert not open_failures(synced.practice).exists()
    assert attempts(failure) == [("sync", "failed"), ("replay", "failed"), ("replay", "confirmed")]
    claim.refresh_from_db()
    assert claim.diagnosis_codes == [], "the edit came in"


def test_a_claim_that_could_not_be_taken_in_leaves_a_gap_that_its_replay_closes(synced) -> None:
    """The whole promise: the visit says that we have not synced it, and the replay says what it closed."""
    charged = {claim.appointment_id for claim in Claim.objects.exclude(appointment_id="")}
    appointment = next(
        one
        for one in synced.athena.things("appointment")
        if one.id in charged and one.status == "4" and one.checked_out_at
    )
    ids = list(Claim.objects.filter(appointment_id=appointment.id).values_list("external_id", flat=True))
    unlearn(synced, ids)
    for claim_id in ids:
        params = {"field": "billedservicedate", "as": "text"}
        synced.athena.fault("corrupt_record", "/claims", name=claim_id, record=claim_id, params=params)
    synced.pull("claims")
    gap = Gap.objects.get(practice=synced.practice, visit__anchor_id=appointment.id, closed_at=None)
    assert (gap.code, gap.verdict) == ("G14", "not_synced")
    assert len(gap.evidence) >= 1

    synced.athena.heal()
    results = [retry(failure) for failure in open_failures(synced.practice)]
    assert {result.outcome for result in results} == {"confirmed"}
    assert sum(result.gaps_closed for result in results) == 1
    assert any("closed 1 gap" in result.message for result in results)
    gap.refresh_from_db()
    assert gap.closed_at


def unlearn(synced: Synced, ids: list[str]) -> None:
    """As if these claims had never reached us: their window is walked afresh."""
    RawRecord.objects.filter(practice=synced.practice, resource="claims", external_id__in=ids).delete()
    Claim.objects.filter(practice=synced.practice, external_id__in=ids).delete()
    Subject.objects.filter(practice=synced.practice, resource="claims", key__in=ids).delete()
    from athena_dash.sync import pipeline

    pipeline.relate(synced.practice.pk, {"claim": set(ids)})
    feed = synced.feed("claims")
    Feed.objects.filter(pk=feed.pk).update(cursor={**feed.cursor, "covered_to": "2024-09-01"})


# -- the subject of a feed -----------------------------------------------------------------------------


@pytest.fixture
def patient_failure(synced) -> Failure:
    patient = Patient.objects.first()
    synced.athena.fault("server_error", rf"/patients/{patient.external_id}$")
    Subject.objects.filter(resource="patients", key=patient.external_id).update(due_at=synced.athena.time.now)
    synced.pull("patients")
    failure: Failure = open_failures(synced.practice).get()
    return failure


def test_one_patient_is_asked_about_again_and_nobody_else(synced, patient_failure) -> None:
    synced.athena.heal()
    before = synced.athena.calls()
    assert retry(patient_failure).outcome == "confirmed"
    assert synced.athena.calls() - before == 1


def test_a_patient_athena_no_longer_has_ends_its_failure_as_gone(synced, patient_failure) -> None:
    synced.athena.heal()
    synced.athena.remove("patient", patient_failure.patient_id)
    assert retry(patient_failure).outcome == "gone"
    patient_failure.refresh_from_db()
    assert patient_failure.resolution == "gone"
    assert Patient.objects.get(external_id=patient_failure.patient_id).gone_at


# -- exactly once --------------------------------------------------------------------------------------


def test_what_is_resolved_is_not_run_again(synced, patient_failure) -> None:
    synced.athena.heal()
    retry(patient_failure)
    before = synced.athena.calls()
    assert retry(patient_failure).outcome == "already"
    assert synced.athena.calls() == before
    assert len(attempts(patient_failure)) == 2


def test_two_clicks_are_one_run(synced, patient_failure, monkeypatch) -> None:
    synced.athena.heal()
    refetch, outcomes = replay.refetch, []

    def click_again(failure: Failure) -> set[int]:
        outcomes.append(retry(patient_failure).outcome)
        return refetch(failure)

    monkeypatch.setattr(replay, "refetch", click_again)
    outcomes.append(retry(patient_failure).outcome)
    assert outcomes == ["busy", "confirmed"]
    assert len(attempts(patient_failure)) == 2


def test_a_retry_whose_worker_was_killed_can_be_made_again_after_its_claim_ran_out(
    synced, patient_failure
) -> None:
    synced.athena.heal()
    assert replay.claim(patient_failure.pk)
    assert retry(patient_failure).outcome == "busy"
    synced.athena.time.passes(minutes=6)
    assert retry(patient_failure).outcome == "confirmed"


def test_a_feed_in_work_is_left_alone_and_that_was_no_attempt(synced) -> None:
    failure = break_feed(synced, "server_error")
    synced.athena.heal()
    lease = pull.take(synced.feed("departments").pk)
    assert retry(failure).outcome == "busy"
    assert attempts(failure) == [("sync", "failed")]
    lease.release()
    assert retry(failure).outcome == "confirmed"


# -- the verb ------------------------------------------------------------------------------------------


def test_a_status_the_practice_has_mapped_since_is_confirmed_by_either_verb(synced, touch) -> None:
    first, second = Claim.objects.filter(gone_at=None).exclude(primary_status="")[:2]
    for claim in (first, second):
        synced.athena.fault("unknown_code", "/claims", name=claim.external_id, record=claim.external_id)
        touch("claim", claim.external_id)
    synced.pull("claims")
    one, two = open_failures(synced.practice).order_by("pk")
    assert retry(one, "reprocess").outcome == "failed"
    Policy.objects.create(practice=synced.practice, name="claim_status.ZHOLD", value="hold")
    assert retry(one, "reprocess").outcome == "confirmed"
    assert retry(two, "refetch").outcome == "confirmed"
    assert not open_failures(synced.practice).exists()


@pytest.mark.parametrize(
    ("stage", "reason", "verb"),
    [
        ("pull", "transient", "refetch"),
        ("normalise", "invalid", "refetch"),
        ("gaps", "unmapped", "refetch"),
        ("upsert", "bug", "reprocess"),
        ("upsert", "conflict", "reprocess"),
    ],
)
def test_the_reason_suggests_the_verb_and_says_why(stage: str, reason: str, verb: str) -> None:
    suggestion = replay.suggest(Failure(stage=stage, reason=reason))
    assert suggestion.verb == verb
    assert suggestion.why.endswith(".")


def test_a_payload_retention_has_emptied_says_what_can_still_be_done(synced, touch) -> None:
    claim = Claim.objects.filter(gone_at=None).exclude(primary_status="").first()
    params = {"field": "billedservicedate", "as": "text"}
    synced.athena.fault("corrupt_record", "/claims", record=claim.external_id, params=params)
    touch("claim", claim.external_id)
    synced.pull("claims")
    failure = open_failures(synced.practice).get()
    RawRecord.objects.filter(pk=failure.subject_id).update(segment=None)
    assert retry(failure, "reprocess").outcome == "failed"
    synced.athena.heal()
    assert retry(failure, "refetch").outcome == "confirmed"


@pytest.mark.django_db(transaction=True)
def test_two_workers_cannot_claim_one_failure(practice) -> None:
    from django.db import connection

    from athena_dash.sync import failures
    from integrations.athena.errors import TransientError

    subject = failures.Subject(practice_id=practice.pk, kind="subject", id="1")
    failure = failures.record("pull", subject, TransientError("down"))
    together, claimed = threading.Barrier(3), []

    def claim() -> None:
        try:
            together.wait(5)
            claimed.append(replay.claim(failure.pk))
        finally:
            connection.close()

    workers = [threading.Thread(target=claim) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
    assert len([one for one in claimed if one]) == 1
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("kind", ["patients", "claims", "appointments"])
def test_a_record_asked_for_by_id_that_came_without_it_is_asked_for_again_by_that_id(
    synced: Synced, kind: str
) -> None:
    table = {"patients": Patient, "claims": Claim, "appointments": Appointment}[kind]
    record_id = table.objects.values_list("external_id", flat=True).latest("pk")
    table.objects.filter(external_id=record_id).delete()
    RawRecord.objects.filter(resource=kind, external_id=record_id).delete()  # as if it had never come
    Subject.objects.update_or_create(
        practice=synced.practice, resource=kind, key=record_id, defaults={"due_at": synced.athena.time.now}
    )
    synced.athena.fault("corrupt_record", f"/{kind}/{record_id}$", params={"as": "wrong_type"})
    synced.pull(kind)
    assert not table.objects.filter(external_id=record_id).exists()
    failure = open_failures(synced.practice).get()
    assert retry(failure).outcome == "failed"

    synced.athena.heal()
    assert retry(failure).outcome == "confirmed"
    assert table.objects.filter(external_id=record_id).exists()
    assert not open_failures(synced.practice).exists()


@pytest.mark.parametrize(
    ("kind", "edit", "column", "says"),
    [
        ("patients", {"first_name": "Quill"}, "first_name", "Quill"),
        ("appointments", {"minutes": 55}, "minutes", 55),
        ("claims", {"diagnoses": ()}, "diagnosis_codes", []),
    ],
)
def test_a_changed_record_that_names_neither_itself_nor_an_owner_is_found_again(
    synced: Synced, kind: str, edit: dict[str, object], column: str, says: object
) -> None:
    table = {"patients": Patient, "claims": Claim, "appointments": Appointment}[kind]
    ours = set(table.objects.values_list("external_id", flat=True))
    thing = next(one for one in synced.athena.things(kind.removesuffix("s")) if one.id in ours)
    changed = msgspec.structs.replace(thing, modified=synced.athena.time.now, **edit)
    synced.athena.change(kind.removesuffix("s"), changed)
    synced.athena.fault("corrupt_record", f"/{kind}/changed$", params={"as": "wrong_type"})
    if kind == "claims":  # nor the visit it is of
        hidden = {"field": "appointmentid", "as": "null"}
        synced.athena.fault("corrupt_record", f"/{kind}/changed$", name="visit", params=hidden)
    synced.pull(kind)
    failure = open_failures(synced.practice).get()
    assert failure.record_id == ""

    synced.athena.heal()
    assert retry(failure).outcome == "confirmed"
    assert getattr(table.objects.get(external_id=thing.id), column) == says
    assert not open_failures(synced.practice).exists()
