"""`manage.py sync` and `manage.py ingest`: what they do, what they print, and what they say of a mistake."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from athena_dash.records.models import Appointment, Claim, ClinicalFact, Department, Encounter, Patient
from athena_dash.sync.models import Failure
from tests.sync.rig import contents

PATIENTS = {"patients": [{"patientid": "7", "firstname": "Ona"}, {"patientid": 8}], "totalcount": 2}


def run(name: str, *arguments: str | Path) -> str:
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def saved(tmp_path: Path):
    """A saved answer body, as a file."""

    def saved(body: object, name: str = "body.json") -> Path:
        path = tmp_path / name
        path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        return path

    return saved


def ingest(practice, resource: str, *files: Path, more: tuple[str, ...] = ()) -> dict:
    out = run("ingest", "--practice", practice.slug, "--resource", resource, *more, "--json", *files)
    summary: dict = json.loads(out)
    return summary


def counts(summary: dict) -> dict[str, int]:
    return {name: summary[name] for name in ("records", "new", "changed", "unchanged", "failed")}


# -- sync ----------------------------------------------------------------------------------------------


def test_sync_pulls_the_named_feeds_and_says_how_much(connected, athena) -> None:
    out = run("sync", "--practice", "riverside", "--feed", "departments", "--feed", "providers")
    assert "departments: 3 records" in out
    assert "0 feeds failed" in out
    assert Department.objects.count() == 3
    assert not Appointment.objects.exists()


def test_sync_says_which_feed_failed_and_why_and_exits_with_one(connected, athena) -> None:
    athena.fault("html", "/departments")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sync", "--practice", "riverside", "--feed", "departments", stdout=out, stderr=out)
    assert ended.value.code == 1
    assert "departments: athenahealth's address answered with a web page instead of JSON" in out.getvalue()


def test_sync_of_a_practice_nobody_knows_names_those_it_knows(practice) -> None:
    with pytest.raises(CommandError, match="There is no practice 'nowhere'. Known: riverside"):
        run("sync", "--practice", "nowhere")


def test_sync_says_which_feed_another_worker_holds(connected, athena) -> None:
    from athena_dash.sync.lease import take
    from athena_dash.sync.models import Feed

    take(Feed.objects.get(resource="departments").pk)
    out = run("sync", "--practice", "riverside", "--feed", "departments", "--feed", "providers")
    assert "departments: another worker has it" in out
    assert "5 records" in out


# -- ingest --------------------------------------------------------------------------------------------


def test_a_whole_page_comes_in_and_a_second_time_changes_nothing(practice, saved) -> None:
    page = saved(PATIENTS)
    assert counts(ingest(practice, "patients", page)) == {
        "records": 2,
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "failed": 0,
    }
    before = contents(practice)
    assert counts(ingest(practice, "patients", page)) == {
        "records": 2,
        "new": 0,
        "changed": 0,
        "unchanged": 2,
        "failed": 0,
    }
    assert contents(practice) == before


@pytest.mark.parametrize(
    "body",
    [
        PATIENTS["patients"],
        PATIENTS["patients"][0],
        b"\n\n \xef\xbb\xbf"[:3] + json.dumps(PATIENTS).encode(),
    ],
    ids=["an array", "one object", "blank lines before it"],
)
def test_an_array_or_a_single_object_does_as_well(practice, saved, body) -> None:
    assert ingest(practice, "patients", saved(body))["failed"] == 0
    assert Patient.objects.filter(external_id="7", first_name="Ona").exists()


def test_a_changed_record_counts_as_changed(practice, saved) -> None:
    ingest(practice, "patients", saved(PATIENTS))
    renamed = {"patients": [{"patientid": "7", "firstname": "Ona Maria"}, {"patientid": 8}]}
    assert counts(ingest(practice, "patients", saved(renamed))) == {
        "records": 2,
        "new": 0,
        "changed": 1,
        "unchanged": 1,
        "failed": 0,
    }


def test_several_files_are_one_ingest(practice, saved) -> None:
    files = [saved([{"patientid": n}], f"{n}.json") for n in (1, 2, 3)]
    assert ingest(practice, "patients", *files)["new"] == 3


def test_a_bad_record_in_a_file_fails_alone(practice, saved) -> None:
    summary = ingest(practice, "claims", saved([{"claimid": 1}, {"claimid": None}, {"claimid": 2}]))
    assert (summary["records"], summary["failed"], Claim.objects.count()) == (3, 1, 2)
    assert Failure.objects.get().reason == "invalid"


def test_an_encounter_belongs_to_whom_it_was_asked_for(practice, saved) -> None:
    ingest(practice, "encounters", saved([{"encounterid": 9, "status": "OPEN"}]), more=("--parent", "7/1"))
    assert Encounter.objects.get().patient_id == "7"


def test_a_fhir_bundle_comes_in(practice, saved) -> None:
    observation = {
        "resourceType": "Observation",
        "id": "a-195900.resultamb-1",
        "status": "final",
        "code": {"text": "Glucose"},
        "subject": {"reference": "Patient/a-195900.E-7"},
    }
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": observation, "search": {"mode": "match"}}],
    }
    assert ingest(practice, "observations", saved(bundle))["new"] == 1
    assert ingest(practice, "observations", saved(observation))["unchanged"] == 1
    assert ClinicalFact.objects.get().patient_id == "7"


def test_the_summary_for_people_has_the_same_numbers(practice, saved) -> None:
    out = run("ingest", "--practice", "riverside", "--resource", "patients", saved(PATIENTS))
    assert "2 records: 2 new, 0 changed, 0 unchanged, 0 failed" in out
    assert "open gaps: none" in out


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>We will be back shortly</html>", "malformed JSON"),
        (b'{"patients": [', "malformed JSON"),
        (b"", "malformed JSON"),
        (b"\x00\xff", "malformed JSON"),
    ],
    ids=["a web page", "cut off", "empty", "binary"],
)
def test_a_file_that_is_no_answer_of_athena_is_refused_whole(practice, saved, body, said) -> None:
    with pytest.raises(CommandError, match=said):
        ingest(practice, "patients", saved(PATIENTS, "good.json"), saved(body))
    assert not Patient.objects.exists()


def test_a_file_that_is_not_there_is_named(practice, tmp_path) -> None:
    with pytest.raises(CommandError, match="missing.json: No such file"):
        ingest(practice, "patients", tmp_path / "missing.json")


def test_an_unknown_practice_or_resource_is_named(practice, saved) -> None:
    with pytest.raises(CommandError, match="no practice 'nowhere'"):
        run("ingest", "--practice", "nowhere", "--resource", "patients", saved(PATIENTS))
    with pytest.raises(CommandError, match="invalid choice: 'horses'"):
        run("ingest", "--practice", "riverside", "--resource", "horses", saved(PATIENTS))
