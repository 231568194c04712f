"""Event notifications as athena writes them: FHIR Bundles of ids, with an AuditEvent for each event."""

from __future__ import annotations

import json
from typing import Any


def an_event(kind: str, number: str, *, id: str = "", practice: str = "195900", **of: str) -> dict[str, Any]:
    """`kind` in lower case is athena's own identifier; a FHIR type is a reference. `of`: patient, department."""
    logical = {"Patient": "E", "Encounter": "encounter"}.get(kind, kind)
    focus: dict[str, Any] = {"reference": f"{kind}/a-{practice}.{logical}-{number}"}
    if kind.islower():
        system = f"urn:athenahealth:athenanet:{kind}:{practice}"
        focus = {"identifier": {"system": system, "value": number}}
    named = {
        "https://hl7.org/fhir/5.0/StructureDefinition/extension-AuditEvent.patient": (
            "patient",
            "Patient/a-{}.E-{}",
        ),
        "https://fhir.athena.io/StructureDefinition/ah-department": (
            "department",
            "Organization/a-{}.Department-{}",
        ),
    }
    return {
        "resourceType": "AuditEvent",
        "id": id or f"{kind}-{number}",
        "extension": [
            {"url": url, "valueReference": {"reference": shape.format(practice, of[name])}}
            for url, (name, shape) in named.items()
            if name in of
        ],
        "source": {"observer": {"reference": f"Organization/a-1.Practice-{practice}"}},
        "entity": [{"what": focus}],
    }


def a_notification(*events: dict[str, Any]) -> bytes:
    status = {
        "resourceType": "SubscriptionStatus",
        "type": "event-notification",
        "notificationEvent": [
            {"id": event["id"], "eventNumber": str(n), "focus": event["entity"][0]["what"]}
            for n, event in enumerate(events, 1)
        ],
    }
    entries = [{"resource": resource} for resource in (status, *events)]
    return json.dumps({"resourceType": "Bundle", "type": "history", "entry": entries}).encode()
