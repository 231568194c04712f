"""Saved athena bodies → the same raw store and pipeline as a pull: for support, or a first look at an export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Link
from athena_dash.practices.models import Practice
from athena_dash.sync import pipeline, raw
from athena_dash.sync.models import RawRecord
from athena_dash.sync.pages import id_field
from athena_dash.sync.payloads import identify
from athena_dash.sync.resources import RESOURCES, Resource
from integrations.athena.endpoints import endpoint
from integrations.athena.page import split
from integrations.fhir.bundle import read_searchset


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`new` + `changed` + `unchanged` = records; `failed` of them became failures. Links and gaps as they now stand."""

    records: int
    new: int
    changed: int
    unchanged: int
    failed: int
    visits: int
    links: dict[str, int]
    gaps: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def records_in(resource: Resource, body: bytes) -> tuple[bytes, ...]:
    """A whole page, a bare array or a single record; a FHIR Bundle or resource. InvalidResponse if it is neither."""
    if not resource.fhir:
        return split(body, endpoint(resource.name).envelope).items
    return read_searchset(body).resources if b'"Bundle"' in body else (body,)


def ingest(practice: Practice, resource_name: str, bodies: Iterable[bytes], *, parent: str = "") -> Summary:
    """Keep and process every record of the bodies. `parent` is the patient, encounter or claim they were asked for."""
    resource = RESOURCES[resource_name]
    payloads = [
        payload
        for body in bodies
        for payload in identify(resource, id_field(resource), records_in(resource, body), parent)
    ]
    known = known_ids(practice, resource, [payload.external_id for payload in payloads])
    with transaction.atomic():
        kept = raw.keep(payloads, practice_id=practice.pk, resource=resource.name, fetched_at=clock.now())
    kept_ids = set(RawRecord.objects.filter(pk__in=kept).values_list("external_id", flat=True))
    outcome = pipeline.process(practice.pk, kept)
    return Summary(
        records=len(payloads),
        new=len(kept_ids - known),
        changed=len(kept_ids & known),
        unchanged=len(payloads) - len(kept_ids),
        failed=len(outcome.failed),
        visits=len(outcome.visits),
        links=counted(Link.objects.for_practice(practice), "state"),
        gaps=counted(Gap.objects.for_practice(practice).filter(closed_at__isnull=True), "code"),
    )


def known_ids(practice: Practice, resource: Resource, ids: list[str]) -> set[str]:
    stored = RawRecord.objects.for_practice(practice).filter(resource=resource.name, external_id__in=ids)
    return set(stored.values_list("external_id", flat=True))


def counted(rows: Any, column: str) -> dict[str, int]:
    return dict(rows.order_by(column).values_list(column).annotate(Count("pk")))
