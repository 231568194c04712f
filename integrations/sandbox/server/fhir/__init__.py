"""FHIR R4 under `/fhir/r4`: read by id and search, one module per family of resources."""

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.fhir import clinical, encounter, metadata, patient, practitioner
from integrations.sandbox.server.fhir.search import searching

REQUIRED = {
    "Patient": patient.REQUIRED,
    "Practitioner": practitioner.REQUIRED,
    "Encounter": encounter.REQUIRED,
    **clinical.REQUIRED,
}
READS = {
    "Patient": patient.read,
    "Practitioner": practitioner.read,
    "Encounter": encounter.read,
    **{resource: clinical.read(resource) for resource in clinical.REQUIRED},
}
SEARCHES = {
    "Patient": patient.search,
    "Practitioner": practitioner.search,
    "Encounter": encounter.search,
    **{resource: clinical.search(resource) for resource in clinical.REQUIRED},
}


def capability_statement(call: Call) -> object:
    return metadata.capability_statement(call, REQUIRED)


PUBLIC = [
    Endpoint("GET", "/metadata", capability_statement),
    Endpoint("GET", "/.well-known/smart-configuration", metadata.smart_configuration),
]
ENDPOINTS = [
    endpoint
    for resource, required in REQUIRED.items()
    for endpoint in (
        Endpoint("GET", f"/{resource}", searching(required, SEARCHES[resource]), "id"),
        Endpoint("GET", f"/{resource}/{{id}}", READS[resource], "id"),
    )
]
