"""FHIR search as athena does it: ah-practice routes, required parameter combinations, `_count` and `cursor`.

A parameter that makes no sense gives 200 and a Bundle of one OperationOutcome (athena-api.md section 3).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlencode

from integrations.sandbox.server.call import Call, Handler
from integrations.sandbox.server.errors import ApiError
from integrations.sandbox.server.fhir.ids import local
from integrations.sandbox.server.paging import rows_of_page
from integrations.sandbox.server.reads import Filter, count, page
from integrations.sandbox.world import Thing

T = TypeVar("T", bound=Thing)
Resource = dict[str, object]
DEFAULT_COUNT, LARGEST_COUNT = 50, 1000  # not documented; a known production client asks for 1000


class BadParameterError(Exception):
    """A search parameter that cannot be read; its text goes into the OperationOutcome."""


def outcome(severity: str, code: str, text: str) -> Resource:
    issue = {"severity": severity, "code": code, "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def not_found(resource: str) -> ApiError:
    return ApiError(404, outcome("error", "not-found", f"{resource} not found."))


def searching(required: Sequence[tuple[str, ...]], search: Handler) -> Handler:
    """Wrap a search with what athena checks before it looks at anything."""

    def checked(call: Call) -> object:
        if not call.practice:
            detail = (
                "Could not determine what practice the request was for. "
                "Add the `ah-practice` search parameter to your request."
            )
            raise ApiError(400, {"details": detail})
        if not any(all(call.query.text(name) for name in names) for names in required):
            listed = ",".join(f"[{','.join(names)}]" for names in required)
            text = (
                "The search query could not be performed because one of the required parameter combinations "
                f"[{listed}] was not provided."
            )
            raise ApiError(400, outcome("fatal", "forbidden", text))
        try:
            return search(call)
        except BadParameterError as error:
            text = f"Invalid value for search parameter {error}."
            entry = {"resource": outcome("error", "invalid", text), "search": {"mode": "outcome"}}
            return {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}

    return checked


def bundle(
    call: Call, resource: str, struct: type[T], where: Filter, render: Callable[[list[T]], list[Resource]]
) -> Resource:
    limit, offset = asked_count(call), asked_offset(call)
    total = count(call.store, call.practice, struct, where)
    found = render(page(call.store, call.practice, struct, where, **rows_of_page(call, limit, offset)))
    base = f"{call.origin}/fhir/r4/{resource}"
    links = [{"relation": "self", "url": f"{base}?{encoded(call, offset)}"}]
    if offset + limit < total:
        links.append({"relation": "next", "url": f"{base}?{encoded(call, offset + limit)}"})
    entries = [
        {"fullUrl": f"{base}/{item['id']}", "resource": item, "search": {"mode": "match"}} for item in found
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links, "entry": entries}


def encoded(call: Call, offset: int) -> str:
    pairs = [pair for pair in call.query.pairs if pair[0] != "cursor"]
    if offset:
        pairs.append(("cursor", base64.urlsafe_b64encode(f"o{offset}".encode()).decode()))
    return urlencode(pairs)


def asked_count(call: Call) -> int:
    given = call.query.text("_count") or str(DEFAULT_COUNT)
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and int(given)):
        raise BadParameterError("_count")
    return min(int(given), LARGEST_COUNT)


def asked_offset(call: Call) -> int:
    cursor = call.query.text("cursor")
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor).decode()
    except (binascii.Error, ValueError):
        raise BadParameterError("cursor") from None
    if not (text.startswith("o") and text[1:].isascii() and text[1:].isdigit() and len(text) <= 10):
        raise BadParameterError("cursor")
    return int(text[1:])


def by_logical_id(call: Call, where: Filter, *kinds: str) -> Filter:
    """`_id`, one or several; ids of another kind or practice match nothing."""
    if call.query.text("_id") is None:
        return where
    wanted = [local(text, call.practice, *kinds) for text in call.query.texts("_id")]
    return where.among("id", [id or "" for id in wanted])


def by_reference(call: Call, where: Filter, name: str, column: str, *kinds: str) -> Filter:
    """A reference parameter such as `patient`; its text must look like a logical id."""
    given = call.query.text(name)
    if given is None:
        return where
    if "a-" not in given:
        raise BadParameterError(name)
    return where.equal(column, local(given, call.practice, *kinds) or "")


def by_date(call: Call, where: Filter, name: str, column: str, *, days: bool = False) -> Filter:
    """FHIR dates with an optional prefix; `days` when the column holds dates without a time."""
    for given in call.query.values.get(name.lower(), []):
        prefix, text = (given[:2], given[2:]) if given[:2].isalpha() else ("eq", given)
        low, high = span(name, text)
        first, after = (
            (at.date().isoformat() if days else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
            for at in (low, high)
        )
        lower = {"eq": first, "ge": first, "gt": after}.get(prefix)
        upper = {"eq": after, "lt": first, "le": after}.get(prefix)
        if lower is None and upper is None:
            raise BadParameterError(name)
        where.compare(column, ">=", lower).compare(column, "<", upper)
    return where


def span(name: str, text: str) -> tuple[datetime, datetime]:
    """The instants between which a FHIR date or dateTime lies, the second one excluded."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadParameterError(name) from None
    length = timedelta(days=1) if len(text) == len("2026-01-01") else timedelta(seconds=1)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at, at + length
