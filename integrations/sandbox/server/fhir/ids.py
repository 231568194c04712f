"""Logical ids `a-{practice}.{Kind}-{n}` and references, both ways (athena-api.md section 3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from integrations.sandbox.server.query import Query

LOGICAL_ID = re.compile(r"(?:[A-Za-z]+/)?a-(?P<practice>\d+)\.(?P<kind>[A-Za-z]+)-(?P<id>\d+)")
CHART_SHARING_GROUP = 1

# The ambulatory kinds; DocumentReference's was never seen and is inferred from the others' style.
CLINICAL_KINDS = {
    "Observation": "resultamb",
    "Condition": "Problem",
    "MedicationRequest": "historicalmedrequest",
    "DocumentReference": "clinicaldocument",
    "DiagnosticReport": "resultlab",
}


def logical(practice: str, kind: str, id: str) -> str:
    return f"a-{practice}.{kind}-{id}"


def local(text: str, practice: str, *kinds: str) -> str | None:
    """The number inside a logical id or reference, if it is of this practice and one of these kinds."""
    found = LOGICAL_ID.fullmatch(text)
    if found is None or found["practice"] != practice or (kinds and found["kind"] not in kinds):
        return None
    return found["id"]


def reference(resource: str, practice: str, kind: str, id: str) -> dict[str, object]:
    return {"reference": f"{resource}/{logical(practice, kind, id)}"}


def practice_of(path: Mapping[str, str], query: Query) -> str:
    """Reads are routed by the id, searches by ah-practice; empty when neither says."""
    if "id" in path:
        found = LOGICAL_ID.fullmatch(path["id"])
        return found["practice"] if found else ""
    named = LOGICAL_ID.fullmatch(query.text("ah-practice") or "")
    return named["id"] if named and named["kind"] == "Practice" else ""


def practice_extensions(practice: str) -> list[dict[str, object]]:
    base = "https://fhir.athena.io/StructureDefinition"
    group = logical(practice, "CSG", str(CHART_SHARING_GROUP))
    return [
        {
            "url": f"{base}/ah-practice",
            "valueReference": {"reference": f"Organization/a-1.Practice-{practice}"},
        },
        {"url": f"{base}/ah-chart-sharing-group", "valueReference": {"reference": f"Organization/{group}"}},
    ]


def identifier(name: str, id: str) -> list[dict[str, object]]:
    return [{"system": f"https://fhir.athena.io/sid/{name}", "value": id}]
