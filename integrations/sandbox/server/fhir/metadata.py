"""`/metadata` and SMART discovery, built from what this server really answers."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.sandbox.server.call import Call

REQUIREMENTS = "https://fhir.athena.io/StructureDefinition/ah-search-parameter-metadata"
Required = Mapping[str, tuple[tuple[str, ...], ...]]


def capability_statement(call: Call, required: Required) -> object:
    return {
        "resourceType": "CapabilityStatement",
        "id": "ah-r4-base",
        "url": "https://fhir.athena.io/CapabilityStatement/ah-r4-base",
        "version": "2.0.0",
        "name": "athenahealth_FHIR_R4_CapabilityStatement",
        "title": "athenahealth FHIR R4 CapabilityStatement",
        "status": "active",
        "experimental": False,
        "date": "2022-06-06",
        "publisher": "athenahealth sandbox",
        "kind": "instance",
        "software": {"name": "athenahealth FHIR Server"},
        "implementation": {
            "url": f"{call.origin}/fhir/r4",
            "description": "synthetic athenahealth R4 FHIR Server",
        },
        "fhirVersion": "4.0.1",
        "format": ["json", "application/json", "application/json+fhir", "application/fhir+json"],
        "rest": [{"mode": "server", "resource": [resource(name, names) for name, names in required.items()]}],
    }


def resource(name: str, required: tuple[tuple[str, ...], ...]) -> dict[str, object]:
    combinations = [{"url": "requiredAnySearchParams", "valueString": ", ".join(names)} for names in required]
    return {
        "type": name,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "extension": [{"url": REQUIREMENTS, "extension": combinations}],
    }


def smart_configuration(call: Call) -> object:
    base = f"{call.origin}/oauth2/v1"
    methods = ["client_secret_basic"]
    return {
        "issuer": base,
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["token"],
        "token_endpoint_auth_methods": methods,
        "token_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-symmetric", "permission-v1", "permission-v2"],
    }
