"""The id a record names itself by, read without reading the rest of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec

from integrations.athena.errors import InvalidPayload

from .reading import parse

LONGEST_ID = 200


def record_ids(bodies: Sequence[bytes], field: str) -> list[str]:
    """`record_id` of each. Mostly all are text that a key can hold, as one look at them together says."""
    try:
        found = list(map(attrgetter(field), map(_named(field).decode, bodies)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [record_id(body, field) for body in bodies]
    as_text = set(map(type, found)) == {str}
    if as_text and max(map(len, found)) <= LONGEST_ID and "".join(found).isprintable():
        return found
    return list(map(_usable, found))


def record_id(body: bytes, field: str) -> str:
    """What `usable_id` says of the record in these bytes; "" when they are no record."""
    try:
        return _usable(getattr(_named(field).decode(body), field))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return usable_id(parse(body), field)
    except InvalidPayload:
        return ""


def usable_id(document: object, field: str) -> str:
    """The id as text, whether sent as a number or as text; "" when it is neither, or cannot be kept as a key."""
    return _usable(document.get(field)) if isinstance(document, dict) else ""


def _usable(value: object) -> str:
    if type(value) is int:
        value = str(value) if abs(value) <= 10**18 else ""  # str() refuses more than 4300 digits
    return value if type(value) is str and value.isprintable() and len(value) <= LONGEST_ID else ""


@cache
def _named(field: str) -> msgspec.json.Decoder[Any]:
    """Reads one field as whatever JSON it is, and skips the others without building anything."""
    return msgspec.json.Decoder(msgspec.defstruct("Named", [(field, Any, None)], gc=False))
