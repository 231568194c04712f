"""Pages of the connector → rows of the raw store, record by record, and the roster of a listing that is whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from athena_dash.core.collector import no_collector
from athena_dash.sync import lag, raw
from athena_dash.sync.payloads import Batch, Payload, digest, identify
from athena_dash.sync.resources import Resource
from athena_dash.sync.segments import Stored
from integrations.athena.endpoints import endpoint
from integrations.athena.page import Page

ROSTERED = frozenset({"services", "insurances"})  # one page lists all children of the parent
# read by their own id: no parent tells them apart
STANDING_ALONE = frozenset({"patients", "claims", "appointments"})


@dataclass(frozen=True, slots=True)
class Kept:
    """`rows` are those that were new or different; `nameless` counts records without a usable id."""

    rows: list[Stored]
    records: int
    nameless: int


@no_collector()
def keep_pages(
    practice_id: int, resource: Resource, pages: Iterable[tuple[Page, str]], run_id: int | None = None
) -> Kept:
    """Store (page, parent id) pairs in the caller's transaction."""
    batches: list[Batch] = []
    records = nameless = 0
    for page, parent in pages:
        found = payloads(resource, page, parent)
        records += len(found)
        nameless += sum(map(is_nameless, found))
        batches += (
            Batch(name, some, page.fetched_at, page.request_id or "")
            for name, some in (
                (resource.name, found),
                (f"{resource.name}.roster", roster(resource, page, found, parent)),
            )
            if some
        )
    rows = raw.keep_batches(practice_id, batches, run_id)
    lag.note(practice_id, resource.name, rows)
    return Kept(rows, records, nameless)


def payloads(resource: Resource, page: Page, parent: str) -> list[Payload]:
    """The page's records, each named and fingerprinted. One that stands alone but came without a usable id keeps
    whom it was asked for: else nobody could ask for it again."""
    found = identify(resource, id_field(resource), page.items, parent)
    if resource.name not in STANDING_ALONE or not parent:
        return found
    return [record if is_nameless(record) else replace(record, parent_id="") for record in found]


def id_field(resource: Resource) -> str:
    return "id" if resource.fhir else endpoint(resource.name).id_field


def roster(resource: Resource, page: Page, found: list[Payload], parent: str) -> list[Payload]:
    """The ids a whole listing named, as a payload of its own: how a deleted child becomes visible.

    Not when an id was unreadable, for it may be any of the stored ones; nor when the page is only a part.
    """
    whole = page.total in (None, len(page.items)) and page.next is None
    if resource.name not in ROSTERED or not whole or any(is_nameless(record) for record in found):
        return []
    body = msgspec.json.encode(sorted(record.external_id for record in found))
    return [Payload(parent, parent, body, digest(body))]


def is_nameless(record: Payload) -> bool:
    return record.external_id.startswith("?")
