"""The connector against the sandbox, over a real loopback socket: every resource, paging, faults, revocation."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from queue import Queue

import httpx
import pytest
from msgspec.structs import replace

from integrations.athena.auth import TOKEN_PATH, ClientCredentials
from integrations.athena.client import AthenaClient
from integrations.athena.errors import (
    Gone,
    InvalidResponse,
    RateLimited,
    SubscriptionMissing,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)
from integrations.athena.page import Page
from integrations.athena.payloads import Appointment, Claim, Patient, decode, read
from integrations.athena.session import Session
from integrations.athena.subscriptions import State
from integrations.athena.transport import Policy
from integrations.connection import Settings, Verdict, check
from integrations.fhir import payloads as fhir_payloads
from integrations.fhir.client import BY_PATIENT, FhirClient
from integrations.fhir.ids import encounter_id, patient_id, v1_id
from integrations.fhir.smart import discover
from integrations.fhir.validate import validate
from integrations.sandbox.population import populate
from integrations.sandbox.server import Preset, create_app, make_server
from integrations.sandbox.store import Store

NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
FIRST, LAST = date(2024, 6, 1), date(2026, 6, 30)
CLIENT, SECRET = "sandbox-client", "sandbox-secret"
PRACTICE = "195900"
PRESET = Preset(
    name="test",
    tokens_per_minute=1000,
    calls_per_second=10_000,
    calls_per_day=1_000_000,
    activation_lag=timedelta(minutes=5),
)


@dataclass
class Sandbox:
    url: str
    path: Path
    now: datetime = NOW

    def session(self, secret: str = SECRET, attempts: int = 3) -> Session:
        auth = ClientCredentials(self.url, PRACTICE, CLIENT, secret)
        policy = Policy(attempts=attempts, first_wait=0.0, longest_wait=0.0)
        return Session(self.url, PRACTICE, auth, policy=policy, now=lambda: datetime.now(UTC))

    def fault(self, kind: str, path: str, **more: object) -> None:
        fault = {"name": kind, "kind": kind, "match": {"path": path}, **more}
        httpx.post(f"{self.url}/_sandbox/faults", json=fault).raise_for_status()


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sandbox") / "state.sqlite"
    with Store(path) as store:
        populate(store, seed=7, practices=1, visits=60, as_of=NOW)
    return path


@pytest.fixture
def sandbox(population: Path, tmp_path: Path) -> Iterator[Sandbox]:
    path = tmp_path / "state.sqlite"
    path.write_bytes(population.read_bytes())
    running = Sandbox("", path)
    urls: Queue[str] = Queue()
    server = make_server(create_app(path, preset=PRESET, clock=lambda: running.now), ready=urls.put)
    threading.Thread(target=server.run, daemon=True).start()
    running.url = urls.get(timeout=10)
    yield running
    server.should_exit = True


@pytest.fixture
def athena(sandbox: Sandbox) -> Iterator[AthenaClient]:
    with sandbox.session() as session:
        yield AthenaClient(session)


def items(pages: Iterator[Page]) -> list[bytes]:
    return [item for page in pages for item in page.items]


def test_every_v1_resource_is_read_and_typed(athena: AthenaClient) -> None:
    appointments = [read(Appointment, raw) for raw in items(athena.appointments(FIRST, LAST))]
    claims = [read(Claim, raw) for raw in items(athena.claims_of_service(FIRST, LAST))]
    assert len(appointments) >= 60
    assert claims
    for raw in items(athena.departments()) + items(athena.providers()):
        assert raw.startswith(b"{")
    charted = next(a for a in appointments if a.encounterid and a.encounterstate == "CLOSED" and a.claims)
    assert charted.patientid
    assert charted.departmentid
    assert charted.encounterid
    claim = charted.claims[0].claimid
    children = {
        "insurances": athena.insurances(charted.patientid),
        "encounters": athena.encounters(charted.patientid, charted.departmentid),
        "services": athena.services(charted.encounterid),
        "claims": athena.claims_of_appointment(charted.appointmentid),
        "transactions": athena.transactions(claim),
        "claim_notes": athena.claim_notes(claim),
    }
    for resource, pages in children.items():
        found = [decode(resource, raw) for raw in items(pages)]
        assert found or resource == "claim_notes", resource
    singles = (
        ("patients", athena.patient(charted.patientid)),
        ("appointments", athena.appointment(charted.appointmentid)),
        ("encounters", athena.encounter(charted.encounterid)),
        ("claims", athena.claim(claim)),
    )
    for resource, page in singles:
        (raw,) = page.items
        assert decode(resource, raw)
        assert page.request_id
    with pytest.raises(Gone):
        athena.claim("99999999")


def test_small_pages_add_up_to_the_whole(athena: AthenaClient) -> None:
    whole = items(athena.appointments(FIRST, LAST))
    pages = list(athena.appointments(FIRST, LAST, limit=17))
    assert len(pages) == -(-len(whole) // 17)
    assert [read(Appointment, raw).appointmentid for page in pages for raw in page.items] == [
        read(Appointment, raw).appointmentid for raw in whole
    ]


def test_every_fhir_resource_is_read_typed_and_conforms(athena: AthenaClient) -> None:
    fhir = FhirClient(athena.session)
    claims = (read(Claim, raw) for raw in items(athena.claims_of_service(FIRST, LAST)))
    patients = {claim.patientid for claim in claims if claim.patientid}
    seen: dict[str, int] = {}
    for number in sorted(patients)[:12]:
        for kind in BY_PATIENT:
            for raw in items(fhir.of_patient(kind, patient_id(PRACTICE, number))):
                fhir_payloads.decode(kind, raw)
                assert validate(kind, raw) == ()
                seen[kind] = seen.get(kind, 0) + 1
        (raw,) = fhir.read("Patient", patient_id(PRACTICE, number)).items
        assert isinstance(fhir_payloads.decode("Patient", raw), fhir_payloads.Patient)
    assert {"Encounter", "Observation", "Condition"} <= set(seen)


def test_a_fhir_encounter_leads_to_its_v1_encounter_by_its_id(athena: AthenaClient) -> None:
    appointments = (read(Appointment, raw) for raw in items(athena.appointments(FIRST, LAST)))
    number = next(a.encounterid for a in appointments if a.encounterid and a.appointmentstatus == "4")
    (raw,) = FhirClient(athena.session).read("Encounter", encounter_id(PRACTICE, number)).items
    found = fhir_payloads.decode("Encounter", raw)
    assert v1_id(found.id, PRACTICE, "encounter") == number
    assert athena.encounter(number).items


def test_a_changed_feed_is_forbidden_until_its_subscription_is_active(
    sandbox: Sandbox, athena: AthenaClient
) -> None:
    with pytest.raises(SubscriptionMissing):
        list(athena.changed("patients"))
    athena.subscriptions.start("patients")
    with pytest.raises(SubscriptionMissing):
        list(athena.changed("patients"))
    sandbox.now += timedelta(minutes=6)
    assert athena.subscriptions.read("patients").state is State.ACTIVE
    assert list(athena.changed("patients")) == []


def touch_patients(sandbox: Sandbox, count: int) -> list[str]:
    """Change the first patients, as a desk would."""
    with Store(sandbox.path) as store:
        chosen = [replace(p, modified=sandbox.now) for p in islice(store.find(PRACTICE, "patient"), count)]
        with store.transaction():
            store.put(PRACTICE, "patient", chosen, event="UpdatePatient")
    return [patient.id for patient in chosen]


def test_rows_of_a_lost_answer_are_found_again_among_the_processed(
    sandbox: Sandbox, athena: AthenaClient
) -> None:
    athena.subscriptions.start("patients")
    sandbox.now += timedelta(minutes=6)
    touched = touch_patients(sandbox, 5)
    began = sandbox.now
    sandbox.fault("timeout_after", "/patients/changed", times=1, params={"seconds": 0})
    with pytest.raises(UnknownOutcome):
        list(athena.changed("patients"))
    assert list(athena.changed("patients")) == []
    window = (began - timedelta(minutes=1), sandbox.now + timedelta(minutes=1))
    again = items(athena.changed("patients", processed_between=window, limit=2))
    assert sorted(read(Patient, raw).patientid for raw in again) == sorted(touched)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limited", RateLimited),
        ("server_error", TransientError),
        ("html", InvalidResponse),
        ("malformed", InvalidResponse),
        ("truncated", InvalidResponse),
        ("dropped", TransientError),
        ("timeout_before", TransientError),
        ("expired_token", Unauthorized),
        ("revoked_credential", Unauthorized),
    ],
)
def test_a_lasting_fault_ends_as_its_own_kind_of_error(
    sandbox: Sandbox, athena: AthenaClient, kind: str, error: type[Exception]
) -> None:
    athena.ping()
    sandbox.fault(kind, "/departments", params={"seconds": 0})
    with pytest.raises(error):
        list(athena.departments())


def test_a_wrong_secret_fails_at_the_token(sandbox: Sandbox) -> None:
    settings = Settings(sandbox.url, PRACTICE, CLIENT, "wrong")
    report = check(settings)
    assert report.failure is not None
    assert report.failure.name == "token"


def test_a_right_connection_passes_and_a_wrong_practice_does_not(sandbox: Sandbox) -> None:
    right = check(Settings(sandbox.url, PRACTICE, CLIENT, SECRET))
    assert [step.verdict for step in right.steps] == [Verdict.OK] * 7, right.failure
    wrong = check(Settings(sandbox.url, "424242", CLIENT, SECRET))
    assert wrong.failure is not None
    assert wrong.failure.name == "practice"


def test_an_expired_token_is_renewed_without_notice(sandbox: Sandbox, athena: AthenaClient) -> None:
    athena.ping()
    sandbox.fault("expired_token", "/departments", times=1)
    assert list(athena.departments())


def test_no_log_line_holds_an_id(athena: AthenaClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Gone):
        athena.patient("987654321")
    assert "987654321" not in caplog.text


def test_the_server_is_discovered(athena: AthenaClient) -> None:
    assert discover(athena.session).token_endpoint.endswith(TOKEN_PATH)
