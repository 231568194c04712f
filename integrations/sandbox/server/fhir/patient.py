"""FHIR Patient: `a-{practice}.E-{n}`, where n is v1's patientid."""

from __future__ import annotations

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.fhir.ids import CHART_SHARING_GROUP, identifier, local, logical
from integrations.sandbox.server.fhir.search import (
    BadParameterError,
    Resource,
    bundle,
    by_date,
    by_logical_id,
    not_found,
)
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.world import Patient

KIND = "E"
REQUIRED = (
    ("_id",),
    ("identifier",),
    ("name",),
    ("family", "birthdate"),
    ("family", "gender"),
    ("family", "given"),
)
GENDERS = {"M": "male", "F": "female"}
NAME = "json_extract(cast(doc as text), '$.{}') like ?"


def read(call: Call) -> Resource:
    found = one(call.store, call.practice, Patient, local(call.ids["id"], call.practice, KIND) or "")
    if found is None:
        raise not_found("Patient")
    return render(call, found)


def search(call: Call) -> Resource:
    query = call.query
    where = by_date(call, by_logical_id(call, Filter(), KIND), "_lastUpdated", "modified")
    if identifier := query.text("identifier"):
        where.equal("id", local(identifier.rpartition("|")[2], call.practice, KIND) or "")
    for name, field in (("family", "last_name"), ("given", "first_name")):
        if given := query.text(name):
            where.matching(NAME.format(field), prefix(given))
    if given := query.text("name"):
        where.matching(
            f"{NAME.format('last_name')} or {NAME.format('first_name')}", prefix(given), prefix(given)
        )
    if born := query.text("birthdate"):
        where.equal("$.dob", born.removeprefix("eq"))
    if gender := query.text("gender"):
        sexes = [sex for sex, name in GENDERS.items() if name == gender]
        if not sexes:
            raise BadParameterError("gender")
        where.among("$.sex", sexes)
    return bundle(call, "Patient", Patient, where, lambda found: [render(call, item) for item in found])


def prefix(text: str) -> str:
    return text.replace("%", "").replace("_", "") + "%"


def render(call: Call, patient: Patient) -> Resource:
    id = logical(call.practice, KIND, patient.id)
    base = "https://fhir.athena.io/StructureDefinition"
    resource: Resource = {
        "resourceType": "Patient",
        "id": id,
        "extension": [
            {
                "url": f"{base}/ah-chart-sharing-group",
                "valueReference": {"reference": f"Organization/a-{call.practice}.CSG-{CHART_SHARING_GROUP}"},
            },
            {
                "url": f"{base}/ah-provider-group",
                "valueReference": {"reference": f"Organization/a-{call.practice}.PG-1"},
            },
        ],
        "identifier": identifier("ah-patient", id),
        "active": patient.status == "active",
        "name": [{"use": "official", "family": patient.last_name, "given": [patient.first_name]}],
        "telecom": [{"system": "phone", "value": "555-555-0100", "use": "home"}],
        "gender": GENDERS.get(patient.sex, "unknown"),
        "birthDate": patient.dob.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [f"{patient.id} SANDBOX AVENUE"],
                "city": patient.city.upper() or "BOSTON",
                "state": patient.state or "MA",
                "postalCode": patient.zip or "00000",
                "country": "USA",
            }
        ],
    }
    if patient.merged_into:
        other = {"reference": f"Patient/{logical(call.practice, KIND, patient.merged_into)}"}
        resource["link"] = [{"other": other, "type": "replaced-by"}]
    return resource
