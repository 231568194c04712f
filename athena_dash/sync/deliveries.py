"""A body pushed by an interface engine → the same raw store and pipeline as a pull, and what became of each record.

The answer speaks of records by their position in the body: engines log answers, and ids are PHI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync import pipeline, raw
from athena_dash.sync.ingest import records_in
from athena_dash.sync.models import Failure, RawRecord, Stage
from athena_dash.sync.pages import id_field
from athena_dash.sync.payloads import identify, parsed
from athena_dash.sync.resources import Resource
from integrations.athena.errors import AthenaError

STORED, UNCHANGED, FAILED, SUPERSEDED = "stored", "unchanged", "failed", "superseded"
NOT_READ = (Stage.NORMALISE, Stage.UPSERT)

Key = tuple[str, str]
"""(external id, parent id) of a record within its resource."""


class Unreadable(Exception):
    """The body is neither a page, an array, an object nor a Bundle."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """`message` is PHI-free. A stored record may have one, such as a status that nobody has mapped."""

    position: int
    outcome: str
    message: str = ""


def accept(practice: Practice, resource: Resource, body: bytes, parent: str = "") -> list[RecordResult]:
    """Keep and process all records of the body. A record that was sent before and still fails, fails again."""
    keys = []
    found = {}  # a body may name a record twice: the last wins
    for payload in identify(resource, id_field(resource), items_in(resource, body), parent):
        keys.append((payload.external_id, payload.parent_id))
        found[keys[-1]] = payload
    with transaction.atomic():
        kept = raw.keep(
            list(found.values()), practice_id=practice.pk, resource=resource.name, fetched_at=clock.now()
        )
    pipeline.process(practice.pk, kept)
    newest = newest_rows(practice, resource, list(found))
    problems = open_failures(practice, list(newest.values()))
    last = {key: position for position, key in enumerate(keys)}
    return [
        result(position, newest.get(key), set(kept), problems)
        if last[key] == position
        else RecordResult(position, SUPERSEDED, "A later record of this body has the same id.")
        for position, key in enumerate(keys)
    ]


def items_in(resource: Resource, body: bytes) -> Sequence[bytes]:
    """A single FHIR resource is not cut, so it is tried here."""
    try:
        items = records_in(resource, body)
    except AthenaError:  # an OperationOutcome in a Bundle raises what it says
        raise Unreadable from None
    if items == (body,) and not isinstance(parsed(body), dict):
        raise Unreadable
    return items


def newest_rows(practice: Practice, resource: Resource, keys: Sequence[Key]) -> dict[Key, int]:
    rows = (
        RawRecord.objects.for_practice(practice)
        .filter(resource=resource.name, external_id__in={external for external, _ in keys})
        .order_by("external_id", "parent_id", "-pk")
        .distinct("external_id", "parent_id")
    )
    return {
        (external, parent): pk for external, parent, pk in rows.values_list("external_id", "parent_id", "pk")
    }


def open_failures(practice: Practice, raw_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """{raw row: (stage, message)}; a record that was not read says so before anything else."""
    failing = Failure.objects.for_practice(practice).filter(
        subject_kind=Failure.SubjectKind.RAW,
        subject_id__in=[str(pk) for pk in raw_ids],
        resolved_at__isnull=True,
    )
    found: dict[int, tuple[str, str]] = {}
    for pk, stage, message in failing.order_by("pk").values_list("subject_id", "stage", "message"):
        if stage in NOT_READ or int(pk) not in found:
            found[int(pk)] = (stage, message)
    return found


def result(
    position: int, row: int | None, kept: set[int], problems: dict[int, tuple[str, str]]
) -> RecordResult:
    stage, message = problems.get(row or 0, ("", ""))
    if stage in NOT_READ:
        return RecordResult(position, FAILED, message)
    return RecordResult(position, STORED if row in kept else UNCHANGED, message)
