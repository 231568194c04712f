"""Both halves of athena as one source: a feed's resource → the connector call that answers for it.

Single reads, lists by parent and FHIR searches look the same to a walk: a stream of Pages about one subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from integrations.athena.ahead import Fetchers
from integrations.athena.client import AthenaClient
from integrations.athena.page import Page
from integrations.athena.session import Session
from integrations.athena.wire import Parameter
from integrations.fhir import ids
from integrations.fhir.client import FhirClient

FHIR_TYPES = {
    "fhir_patients": "Patient",
    "fhir_encounters": "Encounter",
    "observations": "Observation",
    "conditions": "Condition",
    "medication_requests": "MedicationRequest",
    "document_references": "DocumentReference",
    "diagnostic_reports": "DiagnosticReport",
}

WIDTH = 8  # calls of one run at once; more would only wait for the committing thread


class Source:
    """One practice's athenaOne and FHIR over one session; `with Source(session) as source`. Thread-safe, but for
    `pages` and `ahead`: they wait for the fetching threads, who therefore must not call them."""

    def __init__(self, session: Session, width: int = WIDTH) -> None:
        self.session = session
        self.fetchers = Fetchers(width)
        self.ahead = self.fetchers.ahead
        self.v1 = AthenaClient(session)
        self.fhir = FhirClient(session)

    def pages(self, resource: str, **params: Parameter) -> Iterator[Page]:
        """A list of v1, a few pages ahead of whoever commits them."""
        return self.v1.pages(resource, self.ahead, **params)

    def about(self, resource: str, key: str, scope: str) -> Iterator[Page]:
        """Everything athena says of one subject for this resource. Gone when it has no such record."""
        if resource in FHIR_TYPES:
            return self.clinical(FHIR_TYPES[resource], key)
        return V1[resource](self.v1, key, scope)

    def clinical(self, kind: str, patient_id: str) -> Iterator[Page]:
        logical_id = ids.patient_id(self.session.practice_id, patient_id)
        if kind == "Patient":
            return iter([self.fhir.read(kind, logical_id)])
        return self.fhir.of_patient(kind, logical_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fetchers.close()
        self.session.close()


V1: dict[str, Callable[[AthenaClient, str, str], Iterator[Page]]] = {
    "patients": lambda v1, key, _: iter([v1.patient(key)]),
    "claims": lambda v1, key, _: iter([v1.claim(key)]),
    "appointments": lambda v1, key, _: iter([v1.appointment(key)]),
    "insurances": lambda v1, key, _: v1.insurances(key),
    "encounters": lambda v1, key, scope: v1.encounters(key, scope),
    "services": lambda v1, key, _: v1.services(key),
    "transactions": lambda v1, key, _: v1.transactions(key),
    "claim_notes": lambda v1, key, _: v1.claim_notes(key),
}
