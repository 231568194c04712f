"""Long lists as one text parameter: the driver formats them element by element, at more than the query costs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


def text_array(values: Iterable[str]) -> str:
    """For `%s::text[]`."""
    escaped = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join([f'"{value}"' for value in escaped]) + "}"


def int_array(values: Iterable[int]) -> str:
    """For `%s::bigint[]`."""
    return "{" + ",".join(map(str, values)) + "}"


def json(value: object) -> str:
    """For json_to_recordset and its like. Structs become objects, dates ISO, Decimals text, tuples arrays."""
    return msgspec.json.encode(value).decode()
