"""Long lists as one text parameter: the driver formats them element by element, at more than the query costs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import msgspec


def text_array(values: Iterable[str]) -> str:
    """For `%s::text[]`."""
    every = list(values)
    joined = '","'.join(every)
    if "\\" in joined or joined.count('"') > 2 * (
        len(every) - 1
    ):  # rare, and to look at each value costs thrice the join
        joined = '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in every])
    return f'{{"{joined}"}}' if every else "{}"


def array(values: Iterable[object]) -> str:
    """For `%s::any[]`: all text, or dates, amounts, numbers, yes and no; None becomes null."""
    every = list(values)
    written = json(every)
    if "\\" in written:  # an escape, so these are text; arrays have others than JSON
        return text_array(cast(list[str], every))
    return f"{{{written[1:-1]}}}"


def json(value: object) -> str:
    """For json_to_recordset and its like. Structs become objects, dates ISO, Decimals text, tuples arrays."""
    return msgspec.json.encode(value).decode()
