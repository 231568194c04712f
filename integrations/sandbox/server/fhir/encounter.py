"""FHIR Encounter: ambulatory `encounter-{n}` (n is v1's encounterid) and inpatient `stay-{n}`.

No appointment, account or billing element (real one, 2022). No ambulatory Encounter was ever seen: it gets
the shape of the stay with class AMB. FLOWSHEET encounters are charting only and stay in v1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.fhir.ids import (
    identifier,
    local,
    logical,
    practice_extensions,
    reference,
)
from integrations.sandbox.server.fhir.search import (
    BadParameterError,
    Resource,
    bundle,
    by_date,
    by_reference,
    not_found,
)
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.world import Encounter

AMBULATORY, INPATIENT = "encounter", "stay"
REQUIRED = (("patient",), ("_id",))
STATUSES = {
    "OPEN": "in-progress",
    "REVIEW": "in-progress",
    "CLOSED": "finished",
    "PEND": "planned",
    "DELETED": "entered-in-error",
}
CLASSES = {False: ("AMB", "ambulatory"), True: ("IMP", "inpatient encounter")}
IS_INPATIENT = "coalesce(json_extract(cast(doc as text), '$.inpatient'), 0) = ?"
IS_SHOWN = "coalesce(json_extract(cast(doc as text), '$.kind'), 'VISIT') <> 'FLOWSHEET'"


def read(call: Call) -> Resource:
    found = one(
        call.store,
        call.practice,
        Encounter,
        local(call.ids["id"], call.practice, AMBULATORY, INPATIENT) or "",
    )
    if found is None or found.kind == "FLOWSHEET" or logical_id(call.practice, found) != call.ids["id"]:
        raise not_found("Encounter")
    return render(call, found)


def search(call: Call) -> Resource:
    where = by_reference(call, Filter().matching(IS_SHOWN), "patient", "patient_id", "E")
    where = by_date(call, where, "_lastUpdated", "modified")
    where = by_date(call, where, "date", "day", days=True)
    where = by_reference(call, where, "practitioner", "$.provider_id", "Provider")
    where = by_reference(call, where, "location", "department_id", "Department")
    where = by_reference(call, where, "service-provider", "department_id", "Department")
    if wanted := call.query.texts("_id"):
        among_both_kinds(call, where, wanted)
    return bundle(call, "Encounter", Encounter, where, lambda found: [render(call, item) for item in found])


def among_both_kinds(call: Call, where: Filter, wanted: Sequence[str]) -> None:
    """`encounter-7` and `stay-7` share a number space: the kind in the id must agree with the encounter's."""
    clauses, args = [], []
    for text in wanted:
        for kind in (AMBULATORY, INPATIENT):
            if id := local(text, call.practice, kind):
                clauses.append(f"(id = ? and {IS_INPATIENT})")
                args += [id, int(kind == INPATIENT)]
    if not clauses and not any("a-" in text for text in wanted):
        raise BadParameterError("_id")
    where.matching(" or ".join(clauses) or "0", *args)


def logical_id(practice: str, encounter: Encounter) -> str:
    return logical(practice, INPATIENT if encounter.inpatient else AMBULATORY, encounter.id)


def render(call: Call, encounter: Encounter) -> Resource:
    practice, id = call.practice, logical_id(call.practice, encounter)
    code, display = CLASSES[encounter.inpatient]
    period = {"start": zulu(encounter.started_at)}
    if encounter.ended_at:
        period["end"] = zulu(encounter.ended_at)
    name = encounter.visit_name or encounter.kind
    resource: Resource = {
        "resourceType": "Encounter",
        "id": id,
        "meta": {"lastUpdated": zulu(encounter.modified)},
        "extension": practice_extensions(practice),
        "identifier": identifier("ah-stay" if encounter.inpatient else "ah-encounter", id),
        "status": STATUSES.get(encounter.status, "unknown"),
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": code,
            "display": display,
        },
        "type": [{"text": name}],
        "subject": reference("Patient", practice, "E", encounter.patient_id),
        "participant": [
            {
                "type": [
                    {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                "code": "ATND",
                                "display": "attender",
                            }
                        ]
                    }
                ],
                "period": {"start": period["start"]},
                "individual": reference("Practitioner", practice, "Provider", encounter.provider_id),
            }
        ],
        "period": period,
        "location": [{"location": reference("Location", practice, "Department", encounter.department_id)}],
        "serviceProvider": reference("Organization", practice, "Department", encounter.department_id),
    }
    if encounter.diagnoses:
        resource["reasonCode"] = [
            {
                "coding": [
                    {"system": "http://snomed.info/sct", "code": item.snomed, "display": item.description}
                ],
                "text": item.description,
            }
            for item in encounter.diagnoses
        ]
    return resource


def zulu(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
