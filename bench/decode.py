"""CPU microseconds a record on the way from a page's bytes to facts, beside msgspec reading the same bytes untyped.

`cut` is page → record bytes; the other cases are `normalise` of one record. `patient` is the share of records that the
quick reader leaves to the patient one. Records are those of the sync benchmark, and a nesting appointment and a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from athena_dash.sync.normalise import Context, normalise
from bench.sync import corpus, visit
from integrations.athena.page import split
from integrations.athena.payloads import PAYLOADS
from integrations.athena.payloads.compiled import quick
from integrations.fhir.bundle import read_searchset

RECORDS, ROUNDS = 1000, 15
CONTEXT = Context(
    visit.PRACTICE,
    "7",
    {key: ZoneInfo(zone) for key, zone in visit.DEPARTMENTS.items()},
    ZoneInfo("America/New_York"),
)


def run() -> Iterator[dict[str, object]]:
    for feed, (_, envelope) in corpus.LISTS.items():
        body = next(corpus.pages(RECORDS, feed, 1))
        cut = read_searchset if feed == "fhir_encounters" else lambda page, key=envelope: split(page, key)
        yield figure(f"cut {feed}", cut, [body], of=RECORDS)
    for resource, bodies in samples().items():
        found = figure(
            f"facts {resource}", lambda body, name=resource: normalise(name, body, CONTEXT), bodies
        )
        if resource in PAYLOADS:
            left = sum(quick(PAYLOADS[resource], body) is None for body in bodies)
            found["patient"] = f"{left / len(bodies):.1%}"
        yield found


def figure(
    case: str, work: Callable[[bytes], Any], bodies: Sequence[bytes], of: int = 1
) -> dict[str, object]:
    ours, untyped = cpu(work, bodies) / of, cpu(msgspec.json.decode, bodies) / of
    return {
        "case": case.replace(" ", "_"),
        "bytes": sum(map(len, bodies)) // len(bodies) // of,
        "us": round(ours, 2),
        "untyped_us": round(untyped, 2),
        "ratio": round(ours / untyped, 2),
    }


def cpu(work: Callable[[bytes], Any], bodies: Sequence[bytes]) -> float:
    """Microseconds a body, best round: the noise of a shared machine only ever adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for body in bodies:
            work(body)
        best = min(best, time.process_time() - began)
    return best / len(bodies) * 1e6


def samples() -> dict[str, list[bytes]]:
    made = {feed: list(islice(corpus.records(RECORDS, feed, 1), RECORDS)) for feed in corpus.LISTS}
    nesting = [
        appointment | {"claims": [nested(claim)]}
        for appointment, claim in zip(made["appointments"], made["claims"], strict=True)
    ]
    made |= {"appointments": nesting, "observations": [observation(n) for n in range(RECORDS)]}
    return {
        resource: [msgspec.json.encode(record) for record in records] for resource, records in made.items()
    }


def nested(claim: visit.Record) -> visit.Record:
    """As an appointment shows it: without the ids that are the appointment's."""
    return {
        key: value
        for key, value in claim.items()
        if key not in ("appointmentid", "patientid", "departmentid")
    }


def observation(number: int) -> visit.Record:
    concept = {
        "coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic"}],
        "text": "Systolic",
    }
    return {
        "resourceType": "Observation",
        "id": f"a-{visit.PRACTICE}.vitals-{number}",
        "meta": {"lastUpdated": "2026-08-04T17:51:00Z"},
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": concept,
        "subject": {"reference": f"Patient/a-{visit.PRACTICE}.E-{visit.patient(number)}"},
        "encounter": {"reference": f"Encounter/a-{visit.PRACTICE}.encounter-{2_000_000 + number}"},
        "effectiveDateTime": f"2026-08-04T10:{number % 60:02}:00-04:00",
        "performer": [{"reference": f"Practitioner/a-{visit.PRACTICE}.Provider-{71 + number % 40}"}],
        "valueQuantity": {"value": 100 + number % 60, "unit": "mmHg"},
        "text": {"status": "generated", "div": "<div>" + "a result in words " * 30 + "</div>"},
    }
