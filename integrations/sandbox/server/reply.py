"""An answer before it becomes bytes on a socket, and how athena spells JSON: random key order, loose mode.

A Reply also says how the connection misbehaves: wait first, and cut after so many bytes of the body.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

import msgspec

JSON = "application/json; charset=UTF-8"
FHIR_JSON = "application/fhir+json;charset=utf-8"
HTML = "text/html; charset=UTF-8"
TEXT = "text/plain"

# Numbers even with "proper JSON encoding" off, as the recordings of 2016 have them.
ALWAYS_NUMBERS = {"totalcount", "copay", "timezone", "timezoneoffset", "balance", "icdcodes"}


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    body: bytes = b""
    media_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0
    cut_after: int | None = (
        None  # bytes of body sent before the connection is cut; -1: not even a status line
    )


def spell(payload: object) -> bytes:
    try:
        return msgspec.json.encode(payload)
    except (UnicodeEncodeError, ValueError, OverflowError):
        # A fault planted half a surrogate pair: only an escape such as \ud800 can carry it, as from a real sender.
        return json.dumps(payload).encode("ascii")


def shuffled(payload: object, rng: random.Random) -> object:
    """The same JSON with the keys of every object in random order, one draw of order per response."""
    order: dict[str, float] = {}

    def place(name: str) -> float:
        if name not in order:
            order[name] = rng.random()
        return order[name]

    def shuffle(value: object) -> object:
        if isinstance(value, dict):
            return {name: shuffle(value[name]) for name in sorted(value, key=place)}
        if isinstance(value, list):
            return [shuffle(item) for item in value]
        return value

    return shuffle(payload)


def loosened(payload: object, name: str = "") -> object:
    """What a key without "proper JSON encoding" gets: numbers and booleans as text (recordings of 2016)."""
    if isinstance(payload, dict):
        return {key: loosened(value, key) for key, value in payload.items()}
    if isinstance(payload, list):
        return [loosened(item, name) for item in payload]
    if isinstance(payload, bool):
        return "true" if payload else "false"
    if isinstance(payload, (int, float)) and name not in ALWAYS_NUMBERS:
        return str(payload)
    return payload
