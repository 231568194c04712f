"""Raw payloads through every stage: alone at fault means alone, and running again changes nothing."""

from __future__ import annotations

import json

import pytest

from athena_dash.core import clock
from athena_dash.correlation.models import Link, Visit
from athena_dash.practices.models import Policy
from athena_dash.records.models import Appointment, Claim, Patient
from athena_dash.sync import landing, pipeline, raw, replay, sweep, waiting
from athena_dash.sync.models import Failure, RawRecord, RawSegment, Subject, Touched
from athena_dash.sync.pages import id_field
from athena_dash.sync.payloads import identify
from athena_dash.sync.resources import RESOURCES
from tests.sync.athena import NOW
from tests.sync.rig import contents, open_failures, versions


def land(practice, resource: str, *bodies: dict | bytes, parent: str = "") -> list[int]:
    encoded = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
    found = identify(RESOURCES[resource], id_field(RESOURCES[resource]), encoded, parent)
    return raw.keep(found, practice_id=practice.pk, resource=resource, fetched_at=NOW)


def a_patient(number: int, **fields: object) -> dict:
    return {"patientid": str(number), "firstname": "Ona", "lastname": "Petrel"} | fields


def a_claim(number: int = 301, status: str = "BILLED", **fields: object) -> dict:
    return {
        "claimid": str(number),
        "patientid": 7,
        "billedservicedate": "03/09/2026",
        "primaryinsurancepayer": {"status": status},
        "procedures": [{"transactionid": number * 10, "chargeamount": "180"}],
    } | fields


def an_appointment(status: str = "3", **fields: object) -> dict:
    return {
        "appointmentid": "500",
        "patientid": "7",
        "departmentid": "1",
        "date": "03/02/2026",
        "starttime": "09:30",
        "appointmentstatus": status,
    } | fields


def test_a_run_that_goes_on_relates_once_enough_records_wait(practice, monkeypatch) -> None:
    monkeypatch.setattr(waiting, "BACKLOG", 3)
    waiting.add(practice.pk, {"claim": {"1", "2"}}, clock.now())
    assert not waiting.is_due(practice.pk)
    waiting.add(practice.pk, {"chargeline": {"1"}}, clock.now())
    assert waiting.is_due(practice.pk)


def test_running_it_twice_changes_nothing(practice) -> None:
    ids = land(practice, "appointments", an_appointment()) + land(practice, "claims", a_claim())
    pipeline.process(practice.pk, ids)
    before, rows = contents(practice), versions()
    assert before["Claim"]
    assert before["Link"]
    pipeline.process(practice.pk, ids)
    assert (contents(practice), versions()) == (before, rows)
    assert not Failure.objects.exists()


def test_a_closed_claim_and_the_line_it_was_paid_nothing_for_may_come_in_one_landing(practice) -> None:
    """As in a replay: the line has the claim's notes read although the claim was touched with it."""
    unpaid = {"transactionid": 3010, "claimid": "301", "charge": "180", "payments": "0", "adjustments": "180"}
    ids = land(practice, "claims", a_claim(status="CLOSED")) + land(
        practice, "transactions", unpaid, parent="301"
    )
    pipeline.process(practice.pk, ids)
    assert Subject.objects.filter(resource="claim_notes").values_list("key", flat=True).get() == "301"


def test_one_bad_record_never_stops_its_page(practice) -> None:
    ids = land(practice, "patients", *[a_patient(n) for n in range(1, 10)], a_patient(10, dob="soon"))
    outcome = pipeline.process(practice.pk, ids)
    assert len(outcome.failed) == 1
    assert Patient.objects.count() == 9
    failure = Failure.objects.get()
    assert (failure.stage, failure.reason, failure.field) == ("normalise", "invalid", "dob")
    assert (failure.record_kind, failure.record_id, failure.patient_id) == ("patient", "10", "10")
    assert "soon" not in failure.message
    assert not RawSegment.objects.filter(processed_version=None).exists()


@pytest.mark.parametrize("position", [0, 6, 12])
def test_a_batch_the_database_refuses_is_halved_until_the_culprit_stands_alone(practice, position) -> None:
    bodies = [a_claim(n) for n in range(301, 314)]
    bodies[position]["procedures"][0]["chargeamount"] = "99999999999"  # one digit more than the column holds
    outcome = pipeline.process(practice.pk, land(practice, "claims", *bodies))
    assert len(outcome.failed) == 1
    assert Claim.objects.count() == 12
    failure = Failure.objects.get()
    assert (failure.stage, failure.reason, failure.record_id) == ("upsert", "invalid", str(301 + position))


def test_a_fault_of_our_own_costs_one_record_and_is_called_by_its_name(practice, monkeypatch) -> None:
    upsert = landing.upsert

    def trip(practice_id, batch):
        if any(
            sourced.fact.external_id == "305" for sourced in batch if hasattr(sourced.fact, "external_id")
        ):
            raise ZeroDivisionError("patient 7, Mara Quill")
        return upsert(practice_id, batch)

    monkeypatch.setattr(landing, "upsert", trip)
    pipeline.process(practice.pk, land(practice, "patients", *[a_patient(n) for n in range(301, 309)]))
    assert Patient.objects.count() == 7
    failure = Failure.objects.get()
    assert (failure.reason, failure.code, failure.record_id) == ("bug", "ZeroDivisionError", "305")
    assert "Mara" not in failure.message


def test_an_older_payload_never_goes_over_a_newer_one(practice) -> None:
    old = land(practice, "patients", a_patient(7, firstname="Ona"))
    new = land(practice, "patients", a_patient(7, firstname="Ona Maria"))
    pipeline.process(practice.pk, new)
    pipeline.process(practice.pk, old)
    assert Patient.objects.get().first_name == "Ona Maria"
    pipeline.process(practice.pk, [*new, *old])
    assert Patient.objects.get().first_name == "Ona Maria"
    assert not RawSegment.objects.filter(processed_version=None).exists()


def test_a_newer_payload_that_comes_through_closes_the_failure_of_the_older(practice) -> None:
    pipeline.process(practice.pk, land(practice, "patients", a_patient(7, dob="soon")))
    pipeline.process(practice.pk, land(practice, "patients", a_patient(7, dob="01/02/1980")))
    assert Failure.objects.get().resolution == "superseded"


def test_a_record_that_stays_broken_in_another_way_has_one_open_failure_that_says_how(practice) -> None:
    pipeline.process(practice.pk, land(practice, "patients", a_patient(7, dob="soon")))
    pipeline.process(practice.pk, land(practice, "patients", a_patient(7, firstname=["Ona"])))
    assert open_failures(practice).get().field == "firstname"
    assert Failure.objects.count() == 2


def test_a_department_in_a_zone_nobody_knows_does_not_stop_its_practice(practice) -> None:
    departments = [
        {"departmentid": "1", "timezonename": "Mars/Olympus"},
        {"departmentid": "2", "timezonename": "America/Phoenix"},
    ]
    pipeline.process(practice.pk, land(practice, "departments", *departments))
    assert open_failures(practice).get().reason == "unmapped"
    assert not pipeline.process(practice.pk, land(practice, "appointments", an_appointment())).failed
    assert Appointment.objects.exists()


# -- codes nobody has mapped ---------------------------------------------------------------------------


def test_an_unknown_claim_status_is_stored_and_reported(practice) -> None:
    outcome = pipeline.process(practice.pk, land(practice, "claims", a_claim(status="ZHOLD")))
    assert not outcome.failed
    assert Claim.objects.get().primary_status == "ZHOLD"
    failure = Failure.objects.get()
    assert (failure.stage, failure.reason, failure.record_id) == ("gaps", "unmapped", "301")
    assert "'ZHOLD'" in failure.message


def test_the_report_of_an_unknown_status_is_one_row_however_often_it_is_processed(practice) -> None:
    ids = land(practice, "claims", a_claim(status="ZHOLD"))
    for _ in range(3):
        pipeline.process(practice.pk, ids)
    assert Failure.objects.get().attempts == 3


@pytest.mark.parametrize("by", ["athena", "the practice"])
def test_the_report_ends_when_the_status_is_corrected_or_mapped(practice, by: str) -> None:
    ids = land(practice, "claims", a_claim(status="ZHOLD"))
    pipeline.process(practice.pk, ids)
    if by == "athena":
        ids = land(practice, "claims", a_claim(status="HOLD"))
    else:
        Policy.objects.create(practice=practice, name="claim_status.ZHOLD", value="hold")
    pipeline.process(practice.pk, ids)
    assert not open_failures(practice).exists()


def test_an_unknown_appointment_status_fails_and_comes_in_once_it_is_corrected(practice) -> None:
    pipeline.process(practice.pk, land(practice, "appointments", an_appointment("q")))
    assert not Appointment.objects.exists()
    failure = open_failures(practice).get()
    assert (failure.reason, failure.appointment_id) == ("unmapped", "500")
    pipeline.process(practice.pk, land(practice, "appointments", an_appointment("2")))
    assert Appointment.objects.get().status == "2"
    assert not open_failures(practice).exists()


# -- gone, and back ------------------------------------------------------------------------------------


def test_a_record_athena_no_longer_has_is_gone_and_may_come_back_as_it_was(practice) -> None:
    pipeline.process(practice.pk, land(practice, "claims", a_claim()))
    pipeline.forget(practice.pk, RESOURCES["claims"], "301")
    assert Claim.objects.get().gone_at
    back = land(practice, "claims", a_claim())
    assert back, "the same content as before it was gone"
    pipeline.process(practice.pk, back)
    assert Claim.objects.get().gone_at is None


def test_what_failed_of_a_record_that_is_gone_is_over(practice) -> None:
    pipeline.process(practice.pk, land(practice, "patients", a_patient(7, dob="soon")))
    pipeline.forget(practice.pk, RESOURCES["patients"], "7")
    assert Failure.objects.get().resolution == "gone"


# -- what nobody waits for -----------------------------------------------------------------------------


def test_payloads_a_crash_left_behind_are_found_and_processed(practice, time) -> None:
    land(practice, "patients", a_patient(7))
    assert sweep.process_left_behind(practice.pk) == 0, "its own worker may still be at it"
    time.passes(minutes=1)
    assert practice.pk in sweep.practices_with_work()["left_behind"]
    assert sweep.process_left_behind(practice.pk) == 1
    assert Patient.objects.exists()
    assert practice.pk not in sweep.practices_with_work()["left_behind"]


def test_a_payload_retention_has_emptied_is_not_read_as_an_empty_one(practice) -> None:
    ids = land(practice, "patients", a_patient(7))
    pipeline.process(practice.pk, ids)
    RawRecord.objects.update(segment=None)
    RawSegment.objects.all().delete()
    assert not pipeline.process(practice.pk, ids).failed
    assert Patient.objects.get().first_name == "Ona"


def test_records_landed_and_not_related_are_drained_by_whoever_comes_next(practice, time) -> None:
    rows = raw.load(practice.pk, land(practice, "appointments", an_appointment()))
    landing.land(practice.pk, rows)
    assert not RawSegment.objects.filter(processed_version=None).exists()
    assert not Visit.objects.exists()
    time.passes(minutes=1)
    assert practice.pk in sweep.practices_with_work()["left_behind"]
    sweep.process_left_behind(practice.pk)
    assert Visit.objects.exists()
    assert not Touched.objects.exists()


def test_a_visit_touched_by_five_records_is_judged_once(practice, monkeypatch) -> None:
    claims = [a_claim(number, appointmentid="500") for number in range(301, 305)]
    for resource, bodies in (("appointments", [an_appointment()]), ("claims", claims)):
        landing.land(practice.pk, raw.load(practice.pk, land(practice, resource, *bodies)))
    judged = []
    judge = pipeline.correlation.judge_visits
    monkeypatch.setattr(
        pipeline.correlation,
        "judge_visits",
        lambda practice_id, visits, evidence: (judged.extend(visits), judge(practice_id, visits, evidence)),
    )
    (visit,) = pipeline.drain(practice.pk)
    assert judged == [visit]


def test_a_record_that_cannot_be_related_stands_alone_and_comes_in_once_it_can(practice, monkeypatch) -> None:
    tie = pipeline.tie

    def trip(practice_id, touched):
        if "303" in touched.get("claim", ()):
            raise ZeroDivisionError("patient 7, Mara Quill")
        return tie(practice_id, touched)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "tie", trip)
        ids = land(
            practice,
            "claims",
            *[a_claim(number, patientid=number, procedures=[]) for number in range(301, 306)],
        )
        pipeline.process(practice.pk, ids)
    linked = Link.objects.filter(kind="claim").values_list("record_id", flat=True)
    assert set(linked) == {"301", "302", "304", "305"}
    failure = Failure.objects.get()
    assert (failure.stage, failure.reason, failure.record_id) == ("correlate", "bug", "303")
    assert "Mara" not in failure.message
    assert not Touched.objects.exists()
    pipeline.process(practice.pk, [int(failure.subject_id)])
    assert Link.objects.filter(kind="claim", record_id="303").exists()
    assert not open_failures(practice).exists()


def test_a_visit_that_cannot_be_judged_stands_alone_and_is_replayed(practice, monkeypatch) -> None:
    judge = pipeline.correlation.judge_visits

    def trip(practice_id, visits, evidence):
        if Visit.objects.filter(pk__in=visits, anchor_id="501").exists():
            raise ZeroDivisionError
        return judge(practice_id, visits, evidence)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline.correlation, "judge_visits", trip)
        bodies = [an_appointment(appointmentid=str(number)) for number in (500, 501, 502)]
        landing.land(practice.pk, raw.load(practice.pk, land(practice, "appointments", *bodies)))
        pipeline.drain(practice.pk)
    failure = open_failures(practice).get()
    assert (failure.stage, failure.subject_kind) == ("gaps", "visit")
    assert not Touched.objects.exists()
    assert replay.retry(failure.pk, verb="reprocess", trigger="replay").outcome == "confirmed"
    assert not open_failures(practice).exists()
