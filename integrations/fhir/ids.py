"""Reads and writes athenahealth's logical ids `a-{practice}.{Kind}-{n}` and the references that hold them.

The number is v1's own id for patients (`E`), encounters, providers and departments (athena-api.md §4); there
is no other way from a FHIR Encounter to its appointment.
"""

from __future__ import annotations

import re

import msgspec

from integrations.athena.values import AthenaId

PATIENT = "E"
ENCOUNTER = "encounter"
STAY = "stay"  # an inpatient Encounter; unknown to v1's chart
PROVIDER = "Provider"
DEPARTMENT = "Department"

_LOGICAL_TEXT = r"a-([0-9]{1,12})\.([A-Za-z]{1,24})-([0-9]{1,20})"
_TYPE_TEXT = r"(?:https?://[^/\s]+/fhir/r4/)?([A-Z][A-Za-z]{1,40})/"
_VERSION_TEXT = r"(?:/_history/[A-Za-z0-9.-]{1,64})?"
_LOGICAL = re.compile(_LOGICAL_TEXT)
_REFERENCE = re.compile(f"{_TYPE_TEXT}([A-Za-z0-9.-]{{1,64}}){_VERSION_TEXT}")
_REFERRED = re.compile(f"{_TYPE_TEXT}{_LOGICAL_TEXT}{_VERSION_TEXT}")


class LogicalId(msgspec.Struct, frozen=True):
    practice: str
    kind: str
    number: AthenaId

    def __str__(self) -> str:
        return f"a-{self.practice}.{self.kind}-{self.number}"


class Reference(msgspec.Struct, frozen=True):
    resource_type: str
    id: str


def read_id(text: str | None) -> LogicalId | None:
    """None for anything that is not one of athenahealth's ids."""
    match = _LOGICAL.fullmatch(text or "")
    return LogicalId(match[1], match[2], AthenaId(match[3])) if match else None


def read_reference(text: str | None) -> Reference | None:
    """A relative or absolute reference; None for contained (`#x`), `urn:` and unreadable ones."""
    match = _REFERENCE.fullmatch(text or "")
    return Reference(match[1], match[2]) if match else None


def read_referred(text: str | None) -> LogicalId | None:
    """The logical id behind a reference, or the bare logical id itself."""
    if match := _REFERRED.fullmatch(text or ""):
        return LogicalId(match[2], match[3], AthenaId(match[4]))
    return read_id(text)


def v1_id(reference: str | None, practice: str, kind: str) -> AthenaId | None:
    """The v1 id behind a reference or a bare logical id, if it is of this practice and kind.

    `a-195900.stay-7` is no v1 encounter, and `Practitioner/a-195900.User-9` is no v1 provider: both None.
    """
    logical = read_referred(reference)
    if logical is None or logical.practice != practice or logical.kind != kind:
        return None
    return logical.number


def patient_id(practice: str, number: str) -> str:
    return f"a-{practice}.{PATIENT}-{number}"


def encounter_id(practice: str, number: str) -> str:
    return f"a-{practice}.{ENCOUNTER}-{number}"


def practice_reference(practice: str) -> str:
    """The value of `ah-practice`: practices are organizations of the pseudo-practice 1."""
    return f"Organization/{LogicalId('1', 'Practice', AthenaId(practice))}"
