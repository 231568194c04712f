"""Every recorded v1 answer this program would read, decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from integrations.athena.calls import Call
from integrations.athena.classify import classify
from integrations.athena.endpoints import ENDPOINTS
from integrations.athena.page import split
from integrations.athena.paging import next_offset
from integrations.athena.payloads import decode
from integrations.athena.webhook import is_signed
from tests.recordings import FOLDER, needs_recordings

pytestmark = needs_recordings

ALSO = {
    r"/appointments/booked/multipledepartment": "appointments",
    r"/patients/\d+/appointments": "appointments",
    r"/appointments/\d+/insurances": "insurances",
    r"/patients": "patients",
}
EDITED = {
    "ListClaims": "claims",
    "ListBookedAppointments": "appointments",
    "ListChangedAppointments": "appointments",
    "ListChangedPatients": "patients",
    "ListChangedProviders": "providers",
    "ListPatientInsurancePackages": "insurances",
    "GetAppointment": "appointments",
    "GetDepartment": "departments",
}


def resource_of(path: str) -> str | None:
    for name, endpoint in ENDPOINTS.items():
        for template in filter(None, (endpoint.path, endpoint.one, endpoint.feed)):
            if re.fullmatch(re.sub(r"{\w+}", r"\\d+", template), path):
                return name
    return next((name for pattern, name in ALSO.items() if re.fullmatch(pattern, path)), None)


def interactions() -> Iterator[tuple[str, str, httpx.Response]]:
    for file in sorted(FOLDER.glob("recorded/**/*.json")):
        for interaction in json.loads(file.read_text())["interactions"]:
            uri, recorded = interaction["request"]["uri"], interaction["response"]
            method, path = interaction["request"]["method"], re.sub(r"^.*?/v1/\d+|\?.*$", "", uri)
            text = json.dumps(recorded["json"]) if "json" in recorded else recorded.get("body") or ""
            yield method, path, httpx.Response(recorded["status"], content=text)


def test_every_recorded_record_in_scope_is_decoded() -> None:
    decoded: dict[str, int] = {}
    for method, path, response in interactions():
        resource = resource_of(path)
        if method == "GET" and response.status_code == 200 and resource:
            for item in split(response.content, ENDPOINTS[resource].envelope).items:
                decode(resource, item)
                decoded[resource] = decoded.get(resource, 0) + 1
    assert set(decoded) == set(ENDPOINTS) - {"services"}  # never recorded
    assert sum(decoded.values()) > 300


def test_every_recorded_success_is_one_and_every_recorded_error_is_one() -> None:
    call = Call("GET /x", "195900")
    now = datetime(2026, 3, 11, tzinfo=UTC)
    for _, _, response in interactions():
        error = classify(call, response.status_code, response.headers, response.content, now)
        assert (error is None) == response.is_success


def test_a_recorded_next_leads_on() -> None:
    followed = 0
    for _, path, response in interactions():
        if resource_of(path) and (
            link := split(response.content, ENDPOINTS[resource_of(path) or ""].envelope).next
        ):
            assert next_offset(link, f"/v1/195900{path}") == 1
            followed += 1
    assert followed


@pytest.mark.parametrize(("name", "resource"), EDITED.items())
def test_fixtures_of_another_client_are_decoded(name: str, resource: str) -> None:
    raw = (FOLDER / "edited-real" / f"{name}.json").read_bytes()
    for item in split(raw, ENDPOINTS[resource].envelope).items:
        decode(resource, item)


def test_the_signed_samples_verify() -> None:
    vectors = json.loads((FOLDER / "events/hmac-test-vectors.json").read_text())
    assert len(vectors) == 3
    for vector in vectors:
        raw = (FOLDER / "events" / vector["body_file"]).read_bytes()
        secret = vector["secret"].split()[0]
        assert is_signed(raw, vector["x_hub_signature"], secret)
        assert not is_signed(raw + b"\n", vector["x_hub_signature"], secret)
