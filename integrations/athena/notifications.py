"""Turns the body of an event notification into its events: which record changed, in whose chart, and the bytes.

The body holds ids and no state (athena-api.md §5), so an event says only what to read again. Numbers of events are
relative to the bundle and say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from integrations.athena.errors import InvalidPayload, InvalidResponse
from integrations.athena.payloads.reading import parse
from integrations.athena.slices import MalformedJson, array_elements, object_members, trimmed
from integrations.fhir import ids

_IDENTIFIER = re.compile(r"urn:athenahealth:athenanet:(?:api:)?([A-Za-z]{1,60}?)s?:(\d{1,12})", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)
_STATUS = "SubscriptionStatus"
_PATIENT, _DEPARTMENT = "AuditEvent.patient", "ah-department"
"""The host before them differs between athena's description and its samples."""


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` is athena's own word ("appointment") or, where only FHIR names the record, its type ("Encounter").

    What athena left out is "". `practices` are all those that the event names: there should be one.
    """

    id: str
    kind: str
    number: str
    patient: str
    department: str
    practices: frozenset[str]
    body: bytes = field(repr=False)


def read_notification(body: bytes) -> tuple[Event, ...]:
    """Empty for a handshake or heartbeat. InvalidResponse when it is no notification, or an event has no id."""
    try:
        entries = [object_members(entry) for entry in array_elements(object_members(trimmed(body))["entry"])]
        parts = [(part, parse(part)) for entry in entries if (part := entry.get("resource"))]
        statuses = [part for part, document in parts if _text(document, "resourceType") == _STATUS]
        named = [event for status in statuses for event in array_elements(_events(status))]
        events = [(event, parse(event)) for event in named]
    except (MalformedJson, InvalidPayload, KeyError):
        raise InvalidResponse("The body is no FHIR Bundle of a notification.") from None
    if len(statuses) != 1:
        raise InvalidResponse("The Bundle holds no SubscriptionStatus, or several.")
    audits = {_text(document, "id"): (part, document) for part, document in parts}
    return tuple(_event(*audits.get(_text(event, "id"), (part, None)), event) for part, event in events)


def _events(status: bytes) -> bytes:
    return object_members(status).get("notificationEvent", b"[]")


def _event(body: bytes, audit: Any, event: Any) -> Event:
    """The AuditEvent is the fuller record and is kept; athena's own mock sends notifications without one."""
    event_id, focus = _text(event, "id"), _dict(event, "focus")
    if not _ID.fullmatch(event_id):
        raise InvalidResponse("An event of the notification has no usable id.")
    kind, number, practice = _identified(_dict(focus, "identifier"))
    reference = ids.read_reference(_text(focus, "reference"))
    logical = ids.read_id(reference.id) if reference else None
    if reference and logical and not kind:
        kind = reference.resource_type
        number = logical.number if logical.kind in (ids.PATIENT, ids.ENCOUNTER) else ""
    said = dict(_extensions(audit))
    patient, department = said.get(_PATIENT), said.get(_DEPARTMENT)
    observer = _text(_dict(_dict(audit, "source"), "observer"), "reference")
    practices = {one.practice for one in (logical, patient, department) if one}
    # an organization of pseudo-practice 1
    practices |= {
        practice,
        ids.v1_id(observer, "1", "Practice") or "",
    }
    return Event(
        id=event_id,
        kind=kind,
        number=number,
        patient=patient.number if patient and patient.kind == ids.PATIENT else "",
        department=department.number if department and department.kind == ids.DEPARTMENT else "",
        practices=frozenset(practices - {""}),
        body=body,
    )


def _identified(identifier: Any) -> tuple[str, str, str]:
    """(kind, number, practice) of athena's own identifier, the only name that appointments and claims have."""
    found, value = _IDENTIFIER.fullmatch(_text(identifier, "system")), _text(identifier, "value")
    if not found:
        return "", "", ""
    return found[1].lower(), value if _NUMBER.fullmatch(value) else "", found[2]


def _extensions(audit: Any) -> Iterator[tuple[str, ids.LogicalId | None]]:
    for extension in _list(audit, "extension"):
        name = _text(extension, "url").rpartition("extension-")[2].rpartition("/")[2]
        reference = ids.read_reference(_text(_dict(extension, "valueReference"), "reference"))
        yield name, ids.read_id(reference.id) if reference else None


def _dict(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, dict) else None


def _list(document: Any, name: str) -> list[Any]:
    value = _dict(document, name)
    return value if isinstance(value, list) else []


def _text(document: Any, name: str) -> str:
    value = _dict(document, name)
    return value if isinstance(value, str) else ""
