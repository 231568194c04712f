"""FHIR Practitioner: `a-{practice}.Provider-{n}`, where n is v1's providerid."""

from __future__ import annotations

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.fhir.ids import local, logical, practice_extensions
from integrations.sandbox.server.fhir.search import Resource, bundle, by_logical_id, not_found
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.world import Provider

KIND = "Provider"
REQUIRED = (("_id",), ("identifier", "ah-practice"))
DIRECTORY = "https://directory.athena.io/sid/provider"


def read(call: Call) -> Resource:
    found = one(call.store, call.practice, Provider, local(call.ids["id"], call.practice, KIND) or "")
    if found is None:
        raise not_found("Practitioner")
    return render(call, found)


def search(call: Call) -> Resource:
    where = by_logical_id(call, Filter(), KIND)
    if identifier := call.query.text("identifier"):
        system, _, value = identifier.rpartition("|")
        practice, _, id = value.partition(".")
        where.equal("id", id if practice == call.practice and system in ("", DIRECTORY) else "")
    return bundle(call, "Practitioner", Provider, where, lambda found: [render(call, item) for item in found])


def render(call: Call, provider: Provider) -> Resource:
    full_name = f"{provider.first_name} {provider.last_name}"
    return {
        "resourceType": "Practitioner",
        "id": logical(call.practice, KIND, provider.id),
        "extension": practice_extensions(call.practice)[:1],
        "identifier": [
            {"system": DIRECTORY, "value": f"{call.practice}.{provider.id}"},
            {"system": "http://hl7.org/fhir/sid/us-npi", "value": provider.npi},
        ],
        "active": True,
        "name": [{"text": full_name, "family": provider.last_name, "given": [provider.first_name]}],
    }
