"""Turns one answer into a Page: the records as the bytes received, untyped, plus what paging needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

import msgspec

from .errors import InvalidResponse
from .slices import MalformedJson, array_elements, object_members, trimmed

_counted = msgspec.json.Decoder(int | str | None)
_linked = msgspec.json.Decoder(str | None)


@dataclass(frozen=True, slots=True)
class Page:
    """`fetched_at` is when the request was sent: no record in the page is older than that.

    `total` is what athenahealth claims, `next` its word for where to go on (never followed as it stands).
    `warnings` are codes of FHIR OperationOutcome issues.
    """

    resource: str
    items: tuple[bytes, ...] = field(repr=False)
    total: int | None
    next: str | None = field(repr=False)
    request_id: str | None
    fetched_at: datetime
    warnings: tuple[str, ...] = ()


class Shape(Enum):
    ENVELOPE = "envelope"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Records:
    shape: Shape
    items: tuple[bytes, ...] = field(repr=False)
    total: int | None = None
    next: str | None = field(default=None, repr=False)


def split(body: bytes, envelope: str | None) -> Records:
    """Cut a v1 body: `{"claims": […], "totalcount": …, "next": …}`, a bare array, or one object."""
    text = trimmed(body)
    try:
        if text.startswith(b"["):
            return Records(Shape.ARRAY, tuple(array_elements(text)))
        found = _enveloped(text, envelope) if envelope is not None else None
        if found is None:
            members = object_members(text)
            if envelope is None or envelope not in members:
                if envelope is not None and _count(members.get("totalcount")) == 0:
                    return Records(Shape.ENVELOPE, (), 0)
                return Records(Shape.OBJECT, (text,))
            found = array_elements(members[envelope]), members.get("totalcount"), members.get("next")
        items, total, link = found
        return Records(Shape.ENVELOPE, tuple(items), _count(total), _link(link))
    except MalformedJson as error:
        raise InvalidResponse(f"athenahealth's answer is malformed JSON: {error}") from None


def _enveloped(text: bytes, envelope: str) -> tuple[list[bytes], bytes | None, bytes | None] | None:
    """Records, count and link in one pass over a page as it should be; None for any other."""
    try:
        found = _envelopes(envelope).decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if found.records is None:
        return None
    return list(map(bytes, found.records)), bytes(found.total) or None, bytes(found.next) or None


@cache
def _envelopes(envelope: str) -> msgspec.json.Decoder[Any]:
    nothing = msgspec.Raw()
    fields = [
        ("records", list[msgspec.Raw] | None, None),
        ("total", msgspec.Raw, nothing),
        ("next", msgspec.Raw, nothing),
    ]
    names = {"records": envelope, "total": "totalcount"}
    return msgspec.json.Decoder(msgspec.defstruct("Envelope", fields, rename=names))


def _count(raw: bytes | None) -> int | None:
    """A count is evidence, not contract: an unreadable one is no reason to refuse the records."""
    try:
        value = _counted.decode(raw) if raw is not None else None
        return int(value) if value is not None else None
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None


def _link(raw: bytes | None) -> str | None:
    """Unlike a count, an unreadable `next` would silently end the list early."""
    if raw is None:
        return None
    try:
        return _linked.decode(raw) or None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidResponse("athenahealth's link to the next page is unreadable") from None
