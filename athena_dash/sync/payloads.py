"""One record as athena sent it: its name, its bytes, and what makes two of them the same content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from athena_dash.sync.resources import Resource
from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.naming import record_ids
from integrations.athena.payloads.reading import parse


class Payload(msgspec.Struct, frozen=True, gc=False):
    """One record as it came: which it is, whom it was asked for, and its bytes."""

    external_id: str
    parent_id: str
    body: bytes
    digest: bytes


class Batch(msgspec.Struct, frozen=True):
    """Payloads of one answer."""

    resource: str
    payloads: Sequence[Payload]
    fetched_at: datetime
    request_id: str = ""


def identify(
    resource: Resource, id_field: str, bodies: Sequence[bytes], parent_id: str = ""
) -> list[Payload]:
    """Name and fingerprint records. Bytes that are not JSON, or name no usable id, are named by their content."""
    return [
        Payload(name or f"?{fingerprint(body, resource.volatile).hex()[:32]}", parent_id, body, digest(body))
        for name, body in zip(record_ids(bodies, id_field), bodies, strict=True)
    ]


def digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


def fingerprint(body: bytes, volatile: Iterable[str]) -> bytes:
    """Of the content: the same for another order of keys and for other stamps."""
    return digest(canonical(body, volatile))


def alike(one: bytes, other: bytes, volatile: Iterable[str]) -> bool:
    """Whether they say the same, in whatever order of keys and with whatever stamps.

    Python holds 1, 1.0 and true for equal, but they are not equally long: of bytes of one length the documents are
    compared as they are, at two thirds of the price of writing both out again.
    """
    if len(one) == len(other):
        first, second = parsed(one), parsed(other)
        if isinstance(first, dict) and isinstance(second, dict):
            for field in volatile:
                first.pop(field, None)
                second.pop(field, None)
            with suppress(RecursionError):
                return first == second
    return canonical(one, volatile) == canonical(other, volatile)


def canonical(body: bytes, volatile: Iterable[str]) -> bytes:
    """Keys sorted and volatile fields left out; the bytes themselves where they are no JSON object."""
    document = parsed(body)
    if not isinstance(document, dict):
        return body
    for field in volatile:
        document.pop(field, None)
    try:
        return msgspec.json.encode(document, order="deterministic")
    except (UnicodeEncodeError, RecursionError):  # half a surrogate pair somewhere: no UTF-8 holds it
        return body


def parsed(body: bytes) -> Any:
    """The document as far as any of our readers could make it out; None when it is no JSON."""
    try:
        return parse(body)
    except InvalidPayload:
        return None
