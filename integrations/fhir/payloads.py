"""The parts of FHIR resources this program reads, as frozen structs: `decode("Encounter", raw)`.

A hundredth of the cost of full validation (see `validate`), codes kept as they are. An element that nobody reads is not
here: it would cost time, and its faults would keep the whole resource out. Times stay text; `times` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.reading import parse

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_AT = re.compile(r" - at `(\$[^`]*)`$")


class Fhir(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Element names are FHIR's in Python spelling."""


class Reference(Fhir, frozen=True, kw_only=True):
    reference: str | None = None


class Coding(Fhir, frozen=True, kw_only=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Fhir, frozen=True, kw_only=True):
    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Period(Fhir, frozen=True, kw_only=True):
    start: str | None = None
    end: str | None = None


class Resource(Fhir, frozen=True, kw_only=True):
    resource_type: str
    id: str


class Patient(Resource, frozen=True, kw_only=True):
    active: bool | None = None


class Practitioner(Resource, frozen=True, kw_only=True):
    active: bool | None = None


class Encounter(Resource, frozen=True, kw_only=True):
    """No appointment, account or billing element exists; the v1 encounter id is in `id`."""

    status: str
    encounter_class: Coding | None = msgspec.field(name="class", default=None)
    subject: Reference | None = None
    period: Period | None = None


class Clinical(Resource, frozen=True, kw_only=True):
    """What is charted of a patient."""

    category: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None


class Quantity(Fhir, frozen=True, kw_only=True):
    value: int | float | None = None
    unit: str | None = None


class Observation(Clinical, frozen=True, kw_only=True):
    status: str
    code: CodeableConcept | None = None
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    performer: tuple[Reference, ...] = ()
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_codeable_concept: CodeableConcept | None = None


class Condition(Clinical, frozen=True, kw_only=True):
    clinical_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    encounter: Reference | None = None
    onset_date_time: str | None = None
    recorded_date: str | None = None
    recorder: Reference | None = None


class MedicationRequest(Clinical, frozen=True, kw_only=True):
    status: str
    medication_codeable_concept: CodeableConcept | None = None
    encounter: Reference | None = None
    authored_on: str | None = None
    requester: Reference | None = None


class DocumentContext(Fhir, frozen=True, kw_only=True):
    encounter: tuple[Reference, ...] = ()


class DocumentReference(Clinical, frozen=True, kw_only=True):
    status: str
    type: CodeableConcept | None = None
    date: str | None = None
    author: tuple[Reference, ...] = ()
    context: DocumentContext | None = None


class DiagnosticReport(Clinical, frozen=True, kw_only=True):
    status: str
    code: CodeableConcept | None = None
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_period: Period | None = None
    issued: str | None = None
    performer: tuple[Reference, ...] = ()


PAYLOADS: Mapping[str, type[Resource]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            Patient,
            Practitioner,
            Encounter,
            Observation,
            Condition,
            MedicationRequest,
            DocumentReference,
            DiagnosticReport,
        )
    }
)
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in PAYLOADS.items()}


def decode(kind: str, raw: bytes) -> Resource:
    """InvalidPayload names the element, never its value."""
    resource = _decoded(kind, raw)
    if resource.resource_type != kind:
        raise InvalidPayload("$.resourceType", f"is not {kind}")
    return resource


def _decoded(kind: str, raw: bytes) -> Resource:
    try:
        if raw.find(b"\\") < 0 or _SUSPECT.search(raw) is None:  # the first look takes a tenth of the second
            return _DECODERS[kind].decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return _patiently_decoded(kind, raw)


def _patiently_decoded(kind: str, raw: bytes) -> Resource:
    """For text that PostgreSQL cannot keep: refused if this program reads the element, else ignored."""
    try:
        resource = msgspec.convert(parse(raw), PAYLOADS[kind])
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    if path := _unstorable(msgspec.to_builtins(resource), "$"):
        raise InvalidPayload(path, "holds a NUL character or broken Unicode")
    return resource


def _unstorable(value: object, path: str) -> str | None:
    if isinstance(value, str):
        return path if _UNSTORABLE.search(value) else None
    parts: list[tuple[str, object]] = []
    if isinstance(value, dict):
        parts = [(f"{path}.{name}", part) for name, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    return next((found for at, part in parts if (found := _unstorable(part, at))), None)


def _invalid(error: msgspec.ValidationError) -> InvalidPayload:
    """msgspec names types and field names only, as long as no Literal or Enum is declared above."""
    message = str(error)
    at = _AT.search(message)
    return InvalidPayload(at[1] if at else "$", _AT.sub("", message))
