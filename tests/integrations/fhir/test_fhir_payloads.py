from __future__ import annotations

import contextlib
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena.errors import InvalidPayload
from integrations.athena.values import AthenaId
from integrations.fhir.ids import (
    LogicalId,
    Reference,
    encounter_id,
    practice_reference,
    read_id,
    read_reference,
    v1_id,
)
from integrations.fhir.payloads import PAYLOADS, Encounter, decode
from integrations.fhir.times import read_instant, read_when
from integrations.fhir.validate import Finding, validate
from tests.recordings import FOLDER, needs_recordings

VISIT = {
    "resourceType": "Encounter",
    "id": "a-195900.encounter-62014",
    "status": "finished",
    "class": {"code": "AMB"},
    "subject": {"reference": "Patient/a-195900.E-60178"},
    "period": {"start": "2026-03-09T10:12:00-04:00"},
}


def visit(**changes: object) -> bytes:
    return json.dumps({**VISIT, **changes}).encode()


def test_an_encounter_is_projected() -> None:
    found = decode("Encounter", visit(unheardOf=[1]))
    assert isinstance(found, Encounter)
    assert found.encounter_class is not None
    assert found.encounter_class.code == "AMB"
    assert found.period is not None
    assert read_instant(found.period.start) == datetime(2026, 3, 9, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (visit(status=7), "$.status"),
        (visit(subject={"reference": ["JANE"]}), "$.subject.reference"),
        (visit(resourceType="JANE"), "$.resourceType"),
        (visit(period={"start": "JANE\x00"}), "$.period.start"),
        (visit(period={"start": "JANE\ud83d"}), "$.period.start"),
        (b"JANE", "$"),
        (b"[1]", "$"),
    ],
)
def test_a_broken_resource_names_the_element_and_not_the_value(raw: bytes, path: str) -> None:
    with pytest.raises(InvalidPayload) as invalid:
        decode("Encounter", raw)
    assert invalid.value.path == path
    assert "JANE" not in str(invalid.value)


@given(st.binary(max_size=80), st.sampled_from(sorted(PAYLOADS)))
def test_any_bytes_are_refused_or_decoded(raw: bytes, kind: str) -> None:
    with pytest.raises(InvalidPayload):
        decode(kind, raw)


def test_broken_text_in_an_element_nobody_reads_does_no_harm() -> None:
    assert decode("Encounter", visit(text={"div": "\ud83d\x00"})).id == "a-195900.encounter-62014"


def test_a_conforming_resource_has_no_findings() -> None:
    assert validate("Encounter", visit()) == ()


def test_findings_name_structure_and_codes_without_values() -> None:
    found = validate("Encounter", visit(status="JANE", period={"start": "JANE"}, surprise="JANE"))
    assert set(found) == {
        Finding("Encounter.status", "unknown code"),
        Finding("Encounter.period.start", "value error"),
        Finding("Encounter.surprise", "extra forbidden"),
    }
    assert validate("Encounter", b"{") == (Finding("$", "is not JSON"),)
    assert validate("Encounter", b"[]")


@given(st.binary(max_size=60))
def test_validation_answers_any_bytes_with_findings(raw: bytes) -> None:
    assert validate("Observation", raw)


def test_logical_ids_carry_practice_kind_and_number() -> None:
    assert read_id("a-195900.encounter-62014") == LogicalId("195900", "encounter", AthenaId("62014"))
    assert str(read_id("a-1.Practice-195900")) == "a-1.Practice-195900"
    assert encounter_id("195900", "7") == "a-195900.encounter-7"
    assert practice_reference("195900") == "Organization/a-1.Practice-195900"
    assert read_id("encounter-7") is None
    assert read_id(None) is None


def test_references_are_read_in_every_form() -> None:
    expected = Reference("Patient", "a-195900.E-7")
    for form in (
        "Patient/a-195900.E-7",
        "https://api.platform.athenahealth.com/fhir/r4/Patient/a-195900.E-7",
        "Patient/a-195900.E-7/_history/3",
    ):
        assert read_reference(form) == expected
    for other in ("#contained", "urn:uuid:1", "", None, "Patient", "Patient/../x"):
        assert read_reference(other) is None


def test_only_an_ambulatory_encounter_of_the_practice_has_a_v1_id() -> None:
    assert v1_id("Encounter/a-195900.encounter-7", "195900", "encounter") == "7"
    assert v1_id("a-195900.encounter-7", "195900", "encounter") == "7"
    assert v1_id("Encounter/a-195900.stay-7", "195900", "encounter") is None
    assert v1_id("Encounter/a-195901.encounter-7", "195900", "encounter") is None
    assert v1_id("Practitioner/a-195900.User-7", "195900", "Provider") is None


def test_times_keep_the_precision_they_have() -> None:
    assert read_when("2026-03-09") == date(2026, 3, 9)
    assert read_when("2026-03") == date(2026, 3, 1)
    assert read_when("2026") == date(2026, 1, 1)
    assert read_when("2022-09-20T06:25:52.000-04:00") == datetime(2022, 9, 20, 10, 25, 52, tzinfo=UTC)
    assert read_when("2022-09-20T10:12:27Z") == datetime(2022, 9, 20, 10, 12, 27, tzinfo=UTC)
    assert read_instant("2026-03-09") is None
    assert read_when("") is None


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(read_when(text), date | None)


@needs_recordings
def test_real_resources_are_decoded_and_conform() -> None:
    bundle = json.loads((FOLDER / "fhir/eCRNow-athena-r4-bundle-with-Encounter.json").read_text())
    kinds = set()
    for entry in bundle["entry"]:
        kind, raw = entry["resource"]["resourceType"], json.dumps(entry["resource"]).encode()
        if kind in PAYLOADS:
            kinds.add(kind)
            decode(kind, raw)
            assert validate(kind, raw) == ()
    assert kinds == set(PAYLOADS) - {"DocumentReference"}
