"""What we pull: one Resource per feed, as data. The table below is the whole list, in the order of a first sync.

A feed may have up to four ways to learn of records (sync.walks): a full list, windows by date, athena's changed feed,
and subjects: patients, encounters or claims it must be asked about one by one, and whatever an event named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`fresh_within` is the freshness objective: a feed without success for longer is stale."""

    name: str  # of the feed, of the raw store, and of the connector's endpoint
    record: str  # the records table its payloads mostly fill
    interval: timedelta
    fresh_within: timedelta
    listed: bool = False  # one full list, small
    windows: str = ""  # "service" or "created": which date its windows are cut by
    changed: bool = False  # athena has a changed feed for it
    subject: str = ""  # "patient", "encounter", "claim" or "appointment": asked one by one
    fhir: bool = False
    volatile: frozenset[str] = frozenset()  # fields that change without a change (athena-api.md §6.10)


STAMPS = frozenset({"lastmodified", "lastmodifiedby", "lastupdated", "lastupdatedby", "meta"})

RESOURCES: dict[str, Resource] = {
    r.name: r
    for r in (
        Resource(
            name="departments",
            record="department",
            interval=60 * MINUTE,
            fresh_within=180 * MINUTE,
            listed=True,
        ),
        Resource(
            name="providers", record="provider", interval=60 * MINUTE, fresh_within=180 * MINUTE, listed=True
        ),
        Resource(
            name="appointments",
            record="appointment",
            interval=MINUTE,
            fresh_within=10 * MINUTE,
            windows="service",
            changed=True,
            subject="appointment",
            volatile=STAMPS,
        ),
        Resource(
            name="claims",
            record="claim",
            interval=MINUTE,
            fresh_within=10 * MINUTE,
            windows="created",
            changed=True,
            subject="claim",
            volatile=STAMPS,
        ),
        Resource(
            name="patients",
            record="patient",
            interval=MINUTE,
            fresh_within=30 * MINUTE,
            changed=True,
            subject="patient",
            volatile=STAMPS,
        ),
        *(
            Resource(
                name=name,
                record=record,
                interval=MINUTE,
                fresh_within=30 * MINUTE,
                subject=subject,
                fhir=fhir,
                volatile=STAMPS,
            )
            for name, record, subject, fhir in (
                ("encounters", "encounter", "patient", False),
                ("transactions", "chargeline", "claim", False),
                ("services", "serviceline", "encounter", False),
                ("claim_notes", "claimnote", "claim", False),
                ("insurances", "insurance", "patient", False),
                ("fhir_encounters", "encounter", "patient", True),
                ("diagnostic_reports", "clinicalfact", "patient", True),
                ("observations", "clinicalfact", "patient", True),
                ("conditions", "clinicalfact", "patient", True),
                ("medication_requests", "clinicalfact", "patient", True),
                ("document_references", "clinicalfact", "patient", True),
                ("fhir_patients", "patient", "patient", True),
            )
        ),
    )
}


def spoken(resource: str) -> str:
    """A feed's name as people read it: fhir_encounters → FHIR encounters."""
    return resource.replace("_", " ").replace("fhir", "FHIR")
