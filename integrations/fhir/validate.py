"""Says where a resource breaks FHIR R4 or a code binding this program depends on, without any value.

fhir.resources (R4B, the nearest to R4 it has) is the authority on structure but accepts any code, so the
bindings that correlation and gaps rest on are checked here. It is slow: validate by policy, not always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType

from pydantic import BaseModel, ValidationError

from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.reading import parse

from .payloads import PAYLOADS

Codes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """`problem` is "unknown code" for a broken binding, else fhir.resources' name of the error."""

    path: str
    problem: str


def _codes(words: str) -> Codes:
    return frozenset(words.split())


_EVENT = "registered preliminary final amended corrected cancelled entered-in-error unknown"
_ORDER = "active on-hold cancelled completed entered-in-error stopped draft unknown"

BINDINGS: Mapping[str, Mapping[str, Codes]] = MappingProxyType(
    {
        "Patient": {"gender": _codes("male female other unknown")},
        "Encounter": {
            "status": _codes(
                "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
            ),
            "class.code": _codes("AMB EMER FLD HH IMP ACUTE NONAC OBSENC PRENC SS VR"),
        },
        "Observation": {"status": _codes(_EVENT)},
        "DiagnosticReport": {"status": _codes(f"{_EVENT} partial appended")},
        "Condition": {
            "clinicalStatus.coding.code": _codes("active recurrence relapse inactive remission resolved"),
            "verificationStatus.coding.code": _codes(
                "unconfirmed provisional differential confirmed refuted entered-in-error"
            ),
        },
        "MedicationRequest": {
            "status": _codes(_ORDER),
            "intent": _codes(
                "proposal plan order original-order reflex-order filler-order instance-order option"
            ),
        },
        "DocumentReference": {"status": _codes("current superseded entered-in-error")},
    }
)


def validate(kind: str, raw: bytes) -> tuple[Finding, ...]:
    """All findings, structure first; empty for a conforming resource."""
    try:
        resource = parse(raw)
    except InvalidPayload as error:
        return (Finding(error.path, error.why),)
    return (*_structure(kind, resource), *_bindings(kind, resource))


def load_models() -> None:
    """Those of every kind, read now: the first takes 120 ms of CPU, all of them 200 and 16 MB."""
    for kind in PAYLOADS:
        _model(kind)


def _structure(kind: str, resource: object) -> Iterator[Finding]:
    try:
        _model(kind).model_validate(resource)
    except ValidationError as error:
        # include_input and messages would carry values; the error type and the place do not
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join(str(step) for step in problem["loc"])
            yield Finding(f"{kind}.{path}" if path else kind, problem["type"].replace("_", " "))
    except (RecursionError, UnicodeError):
        yield Finding(kind, "unreadable")


def _bindings(kind: str, resource: object) -> Iterator[Finding]:
    for path, codes in BINDINGS.get(kind, {}).items():
        if any(code not in codes for code in _values(resource, path.split("."))):
            yield Finding(f"{kind}.{path}", "unknown code")


def _values(value: object, steps: list[str]) -> Iterator[object]:
    """The values at a path, walking into every element of a list."""
    if isinstance(value, list):
        for element in value:
            yield from _values(element, steps)
    elif not steps:
        if value is not None:
            yield str(value)
    elif isinstance(value, dict) and steps[0] in value:
        yield from _values(value[steps[0]], steps[1:])


@cache
def _model(kind: str) -> type[BaseModel]:
    if kind not in PAYLOADS:
        raise ValueError(f"no such FHIR resource here: {kind}")
    model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    assert isinstance(model, type)  # noqa: S101 - narrows Any
    assert issubclass(model, BaseModel)  # noqa: S101
    return model
