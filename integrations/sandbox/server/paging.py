"""athenaOne's envelope around a page: `{name: [...], totalcount, next, previous}` (athena-api.md 2.0).

`next` is relative, includes `/v1/{practice}` and upper-cases all parameters but limit and offset (recorded).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.errors import invalid_field
from integrations.sandbox.server.reads import Filter, count, page
from integrations.sandbox.world import Thing

T = TypeVar("T", bound=Thing)


def window(call: Call, default: int, largest: int) -> tuple[int, int]:
    """(limit, offset) as asked, the limit capped as documented."""
    limit = min(call.query.whole("limit", default), largest, call.sandbox.preset.largest_page)
    if limit < 1:
        raise invalid_field("limit", "LIMIT must be positive.")
    return limit, call.query.whole("offset", 0)


def rows_of_page(call: Call, limit: int, offset: int) -> dict[str, int]:
    """The rows a page shows: its own, but for a fault that lets pages overlap (-) or leaves a hole (+)."""
    shift = max(call.page_shift, -offset) if offset else 0
    return {"limit": max(limit - shift, 0), "offset": offset + shift}


def envelope(call: Call, name: str, rows: Sequence[object], total: int, limit: int, offset: int) -> object:
    body: dict[str, object] = {name: list(rows), "totalcount": total}
    if offset + limit < total:
        body["next"] = link(call, offset + limit)
    if offset > 0:
        body["previous"] = link(call, max(offset - limit, 0))
    return body


def link(call: Call, offset: int) -> str:
    given = {
        name.upper(): ",".join(values)
        for name, values in sorted(call.query.values.items())
        if name not in {"limit", "offset"}
    }
    if limit := call.query.text("limit"):
        given["limit"] = limit
    return f"{call.path}?{urlencode({**given, 'offset': str(offset)})}"


def listing(
    call: Call,
    name: str,
    struct: type[T],
    where: Filter,
    render: Callable[[list[T]], Sequence[object]],
    *,
    default: int = 1500,
    largest: int = 5000,
) -> object:
    """A page of things in athena's envelope."""
    limit, offset = window(call, default, largest)
    things = page(call.store, call.practice, struct, where, **rows_of_page(call, limit, offset))
    total = count(call.store, call.practice, struct, where)
    return envelope(call, name, render(things), total, limit, offset)
