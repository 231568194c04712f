"""Cuts a FHIR answer into raw resources, and turns an OperationOutcome in it into an error or a warning.

athenahealth answers 200 with nothing but an OperationOutcome inside a searchset (athena-api.md §3, §6.13),
so every entry is looked at before it counts as a record.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from integrations.athena.errors import (
    AthenaError,
    Forbidden,
    Gone,
    InvalidResponse,
    RateLimited,
    RequestRejected,
    TransientError,
    Unauthorized,
)
from integrations.athena.slices import MalformedJson, array_elements, object_members, trimmed

# http://hl7.org/fhir/R4/valueset-issue-type.html
_ISSUES: dict[str, tuple[type[AthenaError], str]] = {
    "security": (Forbidden, "FHIR forbids this call for this app and practice"),
    "login": (Unauthorized, "FHIR does not accept the access token"),
    "expired": (Unauthorized, "FHIR does not accept the access token"),
    "unknown": (Unauthorized, "FHIR does not accept the access token"),
    "suppressed": (Forbidden, "FHIR withholds this record"),
    "throttled": (RateLimited, "athenahealth's rate limit is reached"),
    "too-costly": (RequestRejected, "FHIR finds the search too costly"),
    "not-found": (Gone, "FHIR has no such record"),
    "deleted": (Gone, "FHIR has no such record any more"),
    "transient": (TransientError, "FHIR failed to answer"),
    "timeout": (TransientError, "FHIR failed to answer"),
    "exception": (TransientError, "FHIR failed to answer"),
    "lock-error": (TransientError, "FHIR failed to answer"),
    "no-store": (TransientError, "FHIR failed to answer"),
    "incomplete": (TransientError, "FHIR failed to answer"),
}
_REFUSED = (RequestRejected, "FHIR refused the search")
_OUTCOME = b"OperationOutcome"
_GRAVE = frozenset({"fatal", "error"})

_text = msgspec.json.Decoder(str)
_number = msgspec.json.Decoder(int)


class _Issue(msgspec.Struct, frozen=True):
    severity: str = "error"
    code: str = "processing"


class _Outcome(msgspec.Struct, frozen=True):
    issue: tuple[_Issue, ...] = ()


class _Link(msgspec.Struct, frozen=True):
    relation: str = ""
    url: str = ""


class _Entry(msgspec.Struct, frozen=True, gc=False):
    resource: msgspec.Raw


class _Bundle(msgspec.Struct, frozen=True, rename="camel"):
    resource_type: msgspec.Raw
    entry: list[_Entry] = []
    total: msgspec.Raw = msgspec.Raw()
    link: msgspec.Raw = msgspec.Raw()


_bundle = msgspec.json.Decoder(_Bundle)
_outcome = msgspec.json.Decoder(_Outcome)
_links = msgspec.json.Decoder(tuple[_Link, ...])


@dataclass(frozen=True, slots=True)
class Searchset:
    resources: tuple[bytes, ...] = field(repr=False)
    total: int | None
    next: str | None = field(repr=False)
    warnings: tuple[str, ...]


def read_searchset(body: bytes) -> Searchset:
    members, resources = _bundled(body) or _patiently_bundled(body)
    kind = resource_type(members)
    if kind == "OperationOutcome":
        return Searchset((), None, None, heed(body))
    if kind != "Bundle":
        raise InvalidResponse("FHIR answered a search with something other than a Bundle")
    warnings: list[str] = []
    if body.find(_OUTCOME) >= 0:
        looked = [(resource, _is_outcome(resource)) for resource in resources]
        resources = [resource for resource, is_outcome in looked if not is_outcome]
        warnings = [code for resource, is_outcome in looked if is_outcome for code in heed(resource)]
    return Searchset(tuple(resources), _total(members), _next(members), tuple(warnings))


def _bundled(body: bytes) -> tuple[dict[str, bytes], list[bytes]] | None:
    """The members and resources of a Bundle as it should be, in one pass; None for any other answer."""
    try:
        bundle = _bundle.decode(trimmed(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    members = {"resourceType": bundle.resource_type, "total": bundle.total, "link": bundle.link}
    return (
        {name: bytes(value) for name, value in members.items() if bytes(value)},
        [bytes(entry.resource) for entry in bundle.entry],
    )


def _patiently_bundled(body: bytes) -> tuple[dict[str, bytes], list[bytes]]:
    try:
        members = object_members(trimmed(body))
        is_bundle = resource_type(members) == "Bundle"
        entries = array_elements(members["entry"]) if is_bundle and "entry" in members else []
    except MalformedJson as error:
        raise InvalidResponse(f"FHIR's answer is malformed JSON: {error}") from None
    return members, [_entry_resource(entry) for entry in entries]


def heed(outcome: bytes) -> tuple[str, ...]:
    """Raise what a grave OperationOutcome means; hand back the codes of a mild one. Its text may hold PHI."""
    try:
        issues = _outcome.decode(outcome).issue
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidResponse("FHIR's OperationOutcome is unreadable") from None
    for issue in issues:
        if issue.severity in _GRAVE:
            error, message = _ISSUES.get(issue.code, _REFUSED)
            raise error(message, status=200)
    return tuple(f"{issue.severity}:{issue.code}"[:80] for issue in issues)


def resource_type(members: dict[str, bytes]) -> str | None:
    try:
        return _text.decode(members["resourceType"])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _entry_resource(entry: bytes) -> bytes:
    """The resource, or the entry itself when it has none: then its decoding fails, not the page."""
    try:
        return object_members(entry).get("resource", entry)
    except MalformedJson:
        return entry


def _is_outcome(resource: bytes) -> bool:
    if resource.find(_OUTCOME) < 0:
        return False
    try:
        return resource_type(object_members(resource)) == "OperationOutcome"
    except MalformedJson:
        return False


def _total(members: dict[str, bytes]) -> int | None:
    try:
        return _number.decode(members["total"])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _next(members: dict[str, bytes]) -> str | None:
    if "link" not in members:
        return None
    try:
        links = _links.decode(members["link"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidResponse("FHIR's links are unreadable") from None
    return next((link.url for link in links if link.relation == "next" and link.url), None)
