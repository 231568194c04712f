"""FHIR R4: required parameters, routing by practice, cursors, outcomes inside 200, and resources that validate."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.server import world
from tests.sandbox.server.conftest import Athena

PATIENT = f"a-{world.PRACTICE}.E-7"
BY_PATIENT = {
    "Encounter": {"patient": PATIENT},
    "Observation": {"patient": PATIENT},
    "Condition": {"patient": PATIENT},
    "MedicationRequest": {"patient": PATIENT, "intent": "order"},
    "DocumentReference": {"patient": PATIENT},
    "DiagnosticReport": {"patient": PATIENT},
    "Patient": {"_id": PATIENT},
    "Practitioner": {"identifier": f"https://directory.athena.io/sid/provider|{world.PRACTICE}.21"},
}


def resources(answer: Any) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in answer.json()["entry"]]


@pytest.mark.parametrize("resource", sorted(BY_PATIENT))
def test_every_resource_is_valid_r4_and_reads_back_by_its_id(athena: Athena, resource: str) -> None:
    module = importlib.import_module(f"fhir.resources.R4B.{resource.lower()}")
    [found] = resources(athena.fhir(f"/{resource}", **BY_PATIENT[resource]))
    validated = getattr(module, resource).model_validate(found)
    assert validated.id == found["id"]
    # A read is routed by the id alone.
    assert athena.http.get(f"/fhir/r4/{resource}/{found['id']}").json() == found


def test_bundles_and_the_capability_statement_are_valid_r4(athena: Athena) -> None:
    bundle = importlib.import_module("fhir.resources.R4B.bundle").Bundle
    bundle.model_validate(athena.fhir("/Encounter", patient=PATIENT).json())
    statement = importlib.import_module("fhir.resources.R4B.capabilitystatement").CapabilityStatement
    body = athena.http.get("/fhir/r4/metadata", headers={"authorization": ""}).json()
    assert {item.type for item in statement.model_validate(body).rest[0].resource} == set(BY_PATIENT)


def test_smart_configuration_names_this_servers_token_endpoint(athena: Athena) -> None:
    body = athena.http.get("/fhir/r4/.well-known/smart-configuration").json()
    assert body["token_endpoint"] == f"{athena.http.base_url}/oauth2/v1/token".replace("//o", "/o")


def test_an_ambulatory_encounter_bridges_to_v1_only_by_its_id(athena: Athena) -> None:
    [encounter] = resources(athena.fhir("/Encounter", patient=f"Patient/{PATIENT}"))
    assert encounter["id"] == f"a-{world.PRACTICE}.encounter-900"
    assert encounter["class"]["code"] == "AMB"
    assert encounter["status"] == "finished"
    assert "appointment" not in encounter
    assert "account" not in encounter


def test_an_inpatient_encounter_is_a_stay(athena: Athena) -> None:
    with athena.store() as store, store.transaction():
        stay = world.encounter("901", inpatient=True, appointment_id=None)
        store.put(world.PRACTICE, "encounter", [stay])
        fact = world.clinical("9", "Observation", encounter_id="901")
        store.put(world.PRACTICE, "clinical", [fact])
    id = f"a-{world.PRACTICE}.stay-901"
    [found] = resources(athena.fhir("/Encounter", _id=id))
    assert (found["id"], found["class"]["code"]) == (id, "IMP")
    assert athena.http.get(f"/fhir/r4/Encounter/a-{world.PRACTICE}.encounter-901").status_code == 404
    [observation] = resources(athena.fhir("/Observation", _id=f"a-{world.PRACTICE}.resultamb-9"))
    assert observation["encounter"]["reference"] == f"Encounter/{id}"


def test_times_are_in_zulu_and_with_an_offset_side_by_side(athena: Athena) -> None:
    [encounter] = resources(athena.fhir("/Encounter", patient=PATIENT))
    [observation] = resources(athena.fhir("/Observation", patient=PATIENT))
    assert encounter["period"]["start"] == "2026-03-09T13:30:00Z"
    assert observation["effectiveDateTime"] == "2026-03-09T09:45:00-04:00"


def test_a_search_without_a_practice_cannot_be_routed(athena: Athena) -> None:
    answer = athena.http.get("/fhir/r4/Encounter", params={"patient": PATIENT})
    assert answer.status_code == 400
    assert "ah-practice" in answer.json()["details"]


@pytest.mark.parametrize("practice", ["a-1.Practice-195900", "Organization/a-1.Practice-195900"])
def test_the_practice_may_be_given_with_or_without_its_type(athena: Athena, practice: str) -> None:
    answer = athena.fhir("/Encounter", patient=PATIENT, **{"ah-practice": practice})
    assert answer.json()["total"] == 1


@pytest.mark.parametrize(
    ("resource", "params"),
    [
        ("Encounter", {"date": "2026-03-09"}),
        ("Observation", {"encounter": "a-195900.encounter-900"}),
        ("MedicationRequest", {"patient": PATIENT}),
        ("Patient", {"family": "Petrel"}),
        ("Practitioner", {}),
    ],
)
def test_a_missing_combination_is_a_fatal_outcome(
    athena: Athena, resource: str, params: dict[str, str]
) -> None:
    answer = athena.fhir(f"/{resource}", **params)
    assert answer.status_code == 400
    [issue] = answer.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("fatal", "forbidden")
    assert "required parameter combinations" in issue["details"]["text"]


@pytest.mark.parametrize(
    "params",
    [{"date": "yesterday"}, {"_count": "many"}, {"cursor": "%%%"}, {"_lastUpdated": "xx2026-01-01"}],
)
def test_a_malformed_parameter_hides_its_outcome_in_a_200(athena: Athena, params: dict[str, str]) -> None:
    answer = athena.fhir("/Encounter", patient=PATIENT, **params)
    assert answer.status_code == 200
    [entry] = answer.json()["entry"]
    assert entry["search"]["mode"] == "outcome"
    assert entry["resource"]["resourceType"] == "OperationOutcome"


def test_pages_follow_the_next_link_to_the_end(athena: Athena) -> None:
    with athena.store() as store, store.transaction():
        more = [world.encounter(str(901 + n), appointment_id=None) for n in range(4)]
        store.put(world.PRACTICE, "encounter", more)
    seen, answer = [], athena.fhir("/Encounter", patient=PATIENT, _count=2)
    for _ in range(5):
        seen += [resource["id"] for resource in resources(answer)]
        following = [link["url"] for link in answer.json()["link"] if link["relation"] == "next"]
        if not following:
            break
        answer = athena.http.get(following[0])
    assert seen == [f"a-{world.PRACTICE}.encounter-{900 + n}" for n in range(5)]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ge2026-03-07", 1),
        ("gt2026-03-07", 0),
        ("2026-03-07", 1),
        ("lt2026-03-07", 0),
        ("le2026-03-07T15:30:00Z", 1),
        ("ge2026-03-07T11:30:01-04:00", 0),
    ],
)
def test_last_updated_narrows_a_search(athena: Athena, value: str, found: int) -> None:
    assert athena.fhir("/Encounter", patient=PATIENT, _lastUpdated=value).json()["total"] == found


def test_an_encounter_is_found_by_its_local_day(athena: Athena) -> None:
    late = world.NOW - timedelta(days=1)
    assert athena.fhir("/Encounter", patient=PATIENT, date=f"{late:%Y-%m-%d}").json()["total"] == 1
    window = {"patient": PATIENT, "date": "ge2026-03-10"}
    assert athena.fhir("/Encounter", **window).json()["total"] == 0


@pytest.mark.parametrize(("intent", "found"), [("order", 1), ("plan,order", 1), ("plan", 0)])
def test_medication_requests_are_found_by_any_of_several_intents(
    athena: Athena, intent: str, found: int
) -> None:
    assert athena.fhir("/MedicationRequest", patient=PATIENT, intent=intent).json()["total"] == found


def test_an_orphan_result_has_no_encounter(athena: Athena) -> None:
    [report] = resources(athena.fhir("/DiagnosticReport", patient=PATIENT))
    assert "encounter" not in report


def test_another_practices_patient_is_not_found(athena: Athena) -> None:
    other = {"ah-practice": f"a-1.Practice-{world.OTHER_PRACTICE}", "patient": PATIENT}
    assert athena.fhir("/Encounter", **other).json()["total"] == 0
    assert athena.http.get(f"/fhir/r4/Patient/a-{world.OTHER_PRACTICE}.E-7").status_code == 404
    assert athena.http.get("/fhir/r4/Patient/nonsense").status_code == 404
