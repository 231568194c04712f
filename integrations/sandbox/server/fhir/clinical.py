"""The five clinical resources, all from `world.Clinical`: search by patient (or encounter), read by id.

Their times carry an offset where Encounter's are in Z: both stand in one real bundle.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.fhir.encounter import AMBULATORY, INPATIENT, logical_id, zulu
from integrations.sandbox.server.fhir.ids import (
    CLINICAL_KINDS,
    identifier,
    local,
    logical,
    practice_extensions,
    reference,
)
from integrations.sandbox.server.fhir.search import (
    Resource,
    bundle,
    by_date,
    by_logical_id,
    by_reference,
    not_found,
)
from integrations.sandbox.server.reads import Filter, by_id, one
from integrations.sandbox.server.wire import EASTERN
from integrations.sandbox.world import Clinical, Encounter

REQUIRED = {
    "Observation": (("patient",), ("_id",)),
    "Condition": (("encounter",), ("patient",), ("_id",)),
    "MedicationRequest": (("patient", "intent"), ("_id",)),
    "DocumentReference": (("patient",), ("_id",)),
    "DiagnosticReport": (("patient",), ("_id",)),
}
DATE_PARAMETERS = {"MedicationRequest": "authoredon", "Condition": "recorded-date"}
INTENT = "order"  # of every MedicationRequest here
TERMS = "http://terminology.hl7.org/CodeSystem"


def read(resource: str) -> Callable[[Call], Resource]:
    def read_one(call: Call) -> Resource:
        id = local(call.ids["id"], call.practice, CLINICAL_KINDS[resource])
        found = one(call.store, call.practice, Clinical, id or "")
        if found is None or found.resource != resource:
            raise not_found(resource)
        return render_all(call, [found])[0]

    return read_one


def search(resource: str) -> Callable[[Call], Resource]:
    def search_all(call: Call) -> Resource:
        where = by_logical_id(call, Filter().equal("$.resource", resource), CLINICAL_KINDS[resource])
        where = by_reference(call, where, "patient", "patient_id", "E")
        where = by_reference(call, where, "encounter", "$.encounter_id", AMBULATORY, INPATIENT)
        where = by_date(call, where, "_lastUpdated", "modified")
        where = by_date(call, where, DATE_PARAMETERS.get(resource, "date"), "$.at")
        where = where.among("$.category", call.query.texts("category"))
        where = where.among("$.code", [text.rpartition("|")[2] for text in call.query.texts("code")])
        intents = call.query.texts("intent")
        if resource == "MedicationRequest" and intents and INTENT not in intents:
            where.matching("0")
        return bundle(call, resource, Clinical, where, lambda found: render_all(call, found))

    return search_all


def render_all(call: Call, facts: list[Clinical]) -> list[Resource]:
    encounters = by_id(call.store, call.practice, Encounter, [fact.encounter_id for fact in facts])
    return [
        common(call, fact, encounters.get(fact.encounter_id or "")) | DETAILS[fact.resource](call, fact)
        for fact in facts
    ]


def common(call: Call, fact: Clinical, encounter: Encounter | None) -> Resource:
    id = logical(call.practice, CLINICAL_KINDS[fact.resource], fact.id)
    resource: Resource = {
        "resourceType": fact.resource,
        "id": id,
        "meta": {"lastUpdated": zulu(fact.modified)},
        "extension": practice_extensions(call.practice),
        "identifier": identifier(f"ah-{fact.resource.lower()}", id),
        "subject": reference("Patient", call.practice, "E", fact.patient_id),
    }
    if encounter is not None:
        about = {"reference": f"Encounter/{logical_id(call.practice, encounter)}"}
        in_context = fact.resource == "DocumentReference"
        resource["context" if in_context else "encounter"] = {"encounter": [about]} if in_context else about
    return resource


def observation(call: Call, fact: Clinical) -> Resource:
    detail: Resource = {
        "status": fact.status,
        "category": [concept(f"{TERMS}/observation-category", fact.category or "laboratory")],
        "code": coded(fact),
        "effectiveDateTime": with_offset(fact.at),
    }
    if fact.provider_id:
        detail["performer"] = [reference("Practitioner", call.practice, "Provider", fact.provider_id)]
    amount = quantity(fact)
    if amount is not None:
        detail["valueQuantity"] = amount
    elif fact.value is not None:
        detail["valueString"] = fact.value
    return detail


def condition(call: Call, fact: Clinical) -> Resource:
    clinical_status = fact.status if fact.status in {"active", "resolved", "inactive"} else "active"
    return {
        "clinicalStatus": concept(f"{TERMS}/condition-clinical", clinical_status),
        "verificationStatus": concept(f"{TERMS}/condition-ver-status", "confirmed"),
        "category": [concept(f"{TERMS}/condition-category", fact.category or "encounter-diagnosis")],
        "code": coded(fact),
        "onsetDateTime": fact.at.astimezone(EASTERN).date().isoformat(),
        "recordedDate": with_offset(fact.at),
    }


def medication_request(call: Call, fact: Clinical) -> Resource:
    detail: Resource = {
        "status": fact.status if fact.status in {"active", "completed", "stopped", "cancelled"} else "active",
        "intent": INTENT,
        "category": [concept(f"{TERMS}/medicationrequest-category", fact.category or "outpatient")],
        "reportedBoolean": False,
        "medicationCodeableConcept": coded(fact),
        "authoredOn": with_offset(fact.at),
    }
    if fact.provider_id:
        detail["requester"] = reference("Practitioner", call.practice, "Provider", fact.provider_id)
    return detail


def document_reference(call: Call, fact: Clinical) -> Resource:
    text = base64.b64encode((fact.value or fact.display).encode("utf-8", "replace")).decode()
    detail: Resource = {
        "status": "current",
        "docStatus": fact.status if fact.status in {"preliminary", "final", "amended"} else "final",
        "type": coded(fact),
        "category": [
            concept(
                "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note"
            )
        ],
        "date": zulu(fact.at),
        "content": [{"attachment": {"contentType": "text/plain", "data": text, "title": fact.display}}],
    }
    if fact.provider_id:
        detail["author"] = [reference("Practitioner", call.practice, "Provider", fact.provider_id)]
    return detail


def diagnostic_report(call: Call, fact: Clinical) -> Resource:
    detail: Resource = {
        "status": fact.status,
        "category": [concept("http://terminology.hl7.org/CodeSystem/v2-0074", fact.category or "LAB")],
        "code": coded(fact),
        "effectiveDateTime": with_offset(fact.at),
        "issued": fact.at.astimezone(EASTERN).isoformat(timespec="milliseconds"),
    }
    if fact.provider_id:
        detail["performer"] = [reference("Practitioner", call.practice, "Provider", fact.provider_id)]
    if fact.value is not None:
        detail["conclusion"] = fact.value
    return detail


DETAILS: dict[str, Callable[[Call, Clinical], Resource]] = {
    "Observation": observation,
    "Condition": condition,
    "MedicationRequest": medication_request,
    "DocumentReference": document_reference,
    "DiagnosticReport": diagnostic_report,
}


def concept(system: str, code: str) -> dict[str, object]:
    return {"coding": [{"system": system, "code": code}]}


def coded(fact: Clinical) -> dict[str, object]:
    """Lab codes are sometimes text only, as in the real bundle."""
    if not fact.code:
        return {"text": fact.display}
    return {
        "coding": [{"system": fact.code_system, "code": fact.code, "display": fact.display}],
        "text": fact.display,
    }


def quantity(fact: Clinical) -> dict[str, object] | None:
    if fact.value is None or not fact.unit:
        return None
    try:
        return {"value": float(fact.value), "unit": fact.unit}
    except ValueError:
        return None


def with_offset(at: datetime) -> str:
    return at.astimezone(EASTERN).isoformat(timespec="seconds")
