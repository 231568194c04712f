"""FHIR R4 of one practice: reads by logical id, searches as streams of Pages. Shares the v1 session.

No clinical resource can be searched across the practice, so FHIR enriches patients already known and
discovers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from integrations.athena.errors import AthenaError, Gone, InvalidResponse
from integrations.athena.page import Page
from integrations.athena.paging import by_cursor
from integrations.athena.session import Answer, Session
from integrations.athena.slices import MalformedJson, object_members
from integrations.athena.wire import filled

from .bundle import heed, read_searchset, resource_type
from .ids import practice_reference

ROOT = "/fhir/r4"
PAGE_SIZE = 1000

_EVERY_INTENT = "proposal,plan,order,original-order,reflex-order,filler-order,instance-order,option"

BY_PATIENT: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Encounter": {},
        "Observation": {},
        "Condition": {},
        "MedicationRequest": {"intent": _EVERY_INTENT},  # patient alone is no permitted combination
        "DocumentReference": {},
        "DiagnosticReport": {},
    }
)
"""What a search needs beside `patient` (ah-search-parameter-metadata of the CapabilityStatement)."""


class FhirClient:
    def __init__(self, session: Session) -> None:
        self.session = session

    def read(self, kind: str, logical_id: str) -> Page:
        """One resource; athenahealth routes a read by the practice inside the id."""
        call = self.session.call("GET", f"{ROOT}/{kind}/{{id}}")
        answer = self.session.get(call, filled(f"{ROOT}/{kind}/{{id}}", {"id": logical_id}))
        try:
            found = resource_type(object_members(answer.body))
        except MalformedJson as error:
            raise InvalidResponse(
                f"FHIR's answer is malformed JSON: {error}",
                request_id=answer.request_id,
                endpoint=call.endpoint,
            ) from None
        if found == "OperationOutcome":
            heed(answer.body)
            raise Gone("FHIR has no such record", request_id=answer.request_id, endpoint=call.endpoint)
        if found != kind:
            raise InvalidResponse(
                "FHIR answered with another kind of resource",
                request_id=answer.request_id,
                endpoint=call.endpoint,
            )
        return Page(kind, (answer.body,), 1, None, answer.request_id, answer.sent_at)

    def of_patient(self, kind: str, patient_logical_id: str, **params: str) -> Iterator[Page]:
        """Everything of one kind in one patient's chart."""
        return self.search(kind, patient=patient_logical_id, **{**BY_PATIENT[kind], **params})

    def search(self, kind: str, **params: str) -> Iterator[Page]:
        """`_lastUpdated` is written `_lastUpdated="ge2026-01-01"`; ah-practice and _count are added."""
        path = f"{ROOT}/{kind}"
        practice = practice_reference(self.session.practice_id)
        query = [*params.items(), ("ah-practice", practice), ("_count", str(PAGE_SIZE))]

        def follow(parameters: list[tuple[str, str]]) -> Page:
            for name, value in parameters:
                if name == "ah-practice" and value not in (practice, practice.removeprefix("Organization/")):
                    raise InvalidResponse("FHIR's link to the next page leads to another practice")
            others = [(name, value) for name, value in parameters if name != "ah-practice"]
            return self._page(kind, path, [*others, ("ah-practice", practice)])

        first = self._page(kind, path, query)
        return by_cursor(first, follow, self.session.base_url, path)

    def metadata(self) -> Page:
        """The CapabilityStatement; public."""
        call = self.session.call("GET", f"{ROOT}/metadata")
        answer = self.session.get(call, f"{ROOT}/metadata", public=True)
        return Page("CapabilityStatement", (answer.body,), 1, None, answer.request_id, answer.sent_at)

    def _page(self, kind: str, path: str, query: list[tuple[str, str]]) -> Page:
        call = self.session.call("GET", path)
        answer: Answer = self.session.get(call, path, query)
        try:
            found = read_searchset(answer.body)
        except AthenaError as error:
            error.request_id, error.endpoint = answer.request_id, call.endpoint
            raise
        return Page(
            resource=kind,
            items=found.resources,
            total=found.total,
            next=found.next,
            request_id=answer.request_id,
            fetched_at=answer.sent_at,
            warnings=found.warnings,
        )
