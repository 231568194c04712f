"""One patient among many cannot be read: nobody waits for it, it is tried again by itself, and it is never lost."""

from __future__ import annotations

import pytest

from athena_dash.records.models import Patient
from athena_dash.sync import sweep
from athena_dash.sync.models import Failure, Run, Subject
from athena_dash.sync.segments import Stored
from athena_dash.sync.unlanded import Unlanded
from tests.sync.rig import due_subjects, open_failures, pull_all, settle


@pytest.fixture
def patients(connected) -> list[str]:
    """Ids of the patients whom the patients' feed must ask about."""
    pull_all(connected, "departments", "appointments")
    return list(due_subjects(connected).filter(resource="patients").values_list("key", flat=True))


@pytest.mark.parametrize(
    ("kind", "reason"), [("server_error", "transient"), ("html", "invalid"), ("malformed", "invalid")]
)
def test_a_subject_that_fails_keeps_nobody_waiting_and_is_tried_again_by_itself(
    connected, athena, patients, kind: str, reason: str
) -> None:
    unlucky = patients[3]
    athena.fault(kind, rf"/patients/{unlucky}$")
    (run,) = pull_all(connected, "patients")
    assert (run.outcome, run.failed) == (Run.Outcome.DONE, 1)
    assert set(Patient.objects.values_list("external_id", flat=True)) >= set(patients) - {unlucky}
    failure = open_failures(connected).get()
    assert (failure.reason, failure.subject_kind, failure.patient_id) == (reason, "subject", unlucky)
    assert not due_subjects(connected).filter(resource="patients").exists(), "the failure brings its next try"

    sweep.retry_due(connected.pk)
    assert open_failures(connected).get().attempts == 1, "not before its time"
    athena.time.passes(minutes=5)
    sweep.retry_due(connected.pk)
    assert open_failures(connected).get().attempts == 2
    athena.heal()
    athena.time.passes(minutes=30)
    sweep.retry_due(connected.pk)
    assert not open_failures(connected).exists()
    assert Patient.objects.filter(external_id=unlucky).exists()
    assert list(Failure.objects.get().tries.order_by("pk").values_list("trigger", "outcome")) == [
        ("sync", "failed"),
        ("auto", "failed"),
        ("auto", "confirmed"),
    ]


def test_an_athena_that_is_down_ends_the_run_early(connected, athena, patients) -> None:
    athena.fault("server_error", r"/patients/\d+$")
    before = athena.calls()
    (run,) = pull_all(connected, "patients")
    assert run.outcome == Run.Outcome.FAILED
    assert athena.calls() - before <= 2 * 25 + 2, "no more than the first few, and the feed itself"


def test_a_patient_athena_no_longer_has_is_gone_and_no_failure(connected, athena, patients) -> None:
    pull_all(connected, "patients")
    athena.remove("patient", patients[0])
    Subject.objects.filter(resource="patients", key=patients[0]).update(due_at=athena.time.now)
    (run,) = pull_all(connected, "patients")
    assert (run.outcome, run.failed) == (Run.Outcome.DONE, 0)
    assert Patient.objects.get(external_id=patients[0]).gone_at
    assert not open_failures(connected).exists()
    assert not due_subjects(connected).filter(resource="patients").exists()


def test_a_subject_is_settled_with_its_step_or_not_at_all(connected, athena, patients, monkeypatch) -> None:
    """Killed between the commit of a step and whatever comes after it."""
    athena.fault("server_error", rf"/patients/{patients[0]}$")
    athena.remove("patient", patients[1])

    def killed(_: Unlanded, rows: list[Stored]) -> None:
        if rows:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Unlanded, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            pull_all(connected, "patients")
    assert open_failures(connected).get().patient_id == patients[0]
    assert patients[1] in due_subjects(connected).filter(resource="patients").values_list("key", flat=True)
    athena.heal()
    athena.time.passes(minutes=3)
    pull_all(connected, "patients")
    settle(connected)
    assert not due_subjects(connected).filter(resource="patients").exists()
    known = set(Patient.objects.filter(gone_at=None).values_list("external_id", flat=True))
    assert known & set(patients) == set(patients) - {patients[1]}
