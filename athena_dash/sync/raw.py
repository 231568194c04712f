"""The raw store: keep a page's records byte for byte, adding rows only for content that is new; holds raw SQL."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from athena_dash.sync.models import RawRecord
from athena_dash.sync.resources import Resource
from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.naming import usable_id
from integrations.athena.payloads.reading import parse

VERSION = 1
"""Of normalise + upsert + correlate + gaps as a whole: raise it when stored payloads must be processed again."""


ABSENT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class Payload:
    """One record as it came: which it is, whom it was asked for, and its bytes."""

    external_id: str
    parent_id: str
    body: bytes
    hash: bytes


INSERT = """
insert into sync_rawrecord
    (practice_id, resource, external_id, parent_id, body, hash, size, fetched_at, request_id, run_id)
select %(practice)s, %(resource)s, p.external_id, p.parent_id, p.body, p.hash, p.size, %(fetched_at)s,
       %(request_id)s, %(run)s
from unnest(%(ids)s::text[], %(parents)s::text[], %(bodies)s::bytea[], %(hashes)s::bytea[], %(sizes)s::int[])
     with ordinality as p(external_id, parent_id, body, hash, size, position)
left join lateral (
    select r.hash, r.processed_version, r.fetched_at from sync_rawrecord r
    where r.practice_id = %(practice)s and r.resource = %(resource)s
      and r.external_id = p.external_id and r.parent_id = p.parent_id
    order by r.id desc limit 1
) newest on true
where (newest.hash is distinct from p.hash
       or (newest.processed_version is not null and newest.processed_version < %(version)s))
  and (newest.fetched_at is null or newest.fetched_at <= %(fetched_at)s)
order by p.position
returning id
"""


def keep(
    payloads: Sequence[Payload],
    *,
    practice_id: int,
    resource: str,
    fetched_at: datetime,
    request_id: str = "",
    run_id: int | None = None,
) -> list[int]:
    """Store what differs from the newest stored payload of the same record; return the new rows' ids.

    A payload equal to a stored one that still waits to be processed is left to that row (the sweeper finds it). One
    that was fetched before the newest stored one is no news: a backfill may commit what the live feed has overtaken.
    """
    newest = {
        (p.external_id, p.parent_id): p for p in payloads
    }  # a page may name a record twice: the last wins
    rows = list(newest.values())
    if not rows:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "practice": practice_id,
                "resource": resource,
                "fetched_at": fetched_at,
                "request_id": request_id,
                "run": run_id,
                "version": VERSION,
                "ids": [p.external_id for p in rows],
                "parents": [p.parent_id for p in rows],
                "bodies": [zlib.compress(p.body, 1) for p in rows],
                "hashes": [p.hash for p in rows],
                "sizes": [len(p.body) for p in rows],
            },
        )
        return [pk for (pk,) in cursor.fetchall()]


def keep_absence(practice_id: int, resource: str, external_id: str, at: datetime) -> int:
    """athena has no such record now. Should it come back as it was, its payload is new again beside this one."""
    absence: RawRecord = RawRecord.objects.create(
        practice_id=practice_id,
        resource=resource,
        external_id=external_id,
        body=b"",
        hash=ABSENT,
        size=0,
        fetched_at=at,
        processed_version=VERSION,
        purged_at=at,
    )
    return absence.pk


def read(raw: RawRecord) -> bytes:
    """The payload as received; empty once retention has purged it."""
    return zlib.decompress(bytes(raw.body)) if raw.body else b""


def payload(resource: Resource, id_field: str, body: bytes, parent_id: str = "") -> Payload:
    """Name and fingerprint one record. Bytes that are not JSON, or name no usable id, are named by their hash."""
    document = parsed(body)
    digest = fingerprint(document, body, resource.volatile)
    return Payload(usable_id(document, id_field) or f"?{digest.hex()[:32]}", parent_id, body, digest)


def parsed(body: bytes) -> Any:
    """The document as far as any of our readers could make it out; None when it is no JSON."""
    try:
        return parse(body)
    except InvalidPayload:
        return None


def fingerprint(document: Any, body: bytes, volatile: Iterable[str]) -> bytes:
    """SHA-256 with keys sorted and volatile fields left out: key order in athena's answers is random."""
    if not isinstance(document, dict):
        return hashlib.sha256(body).digest()
    steady = {key: value for key, value in document.items() if key not in volatile}
    try:
        return hashlib.sha256(msgspec.json.encode(steady, order="deterministic")).digest()
    except (UnicodeEncodeError, RecursionError):  # half a surrogate pair somewhere: no UTF-8 holds it
        return hashlib.sha256(body).digest()
