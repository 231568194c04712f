"""The kinds of fault, one small function each. A decorator says when it acts:

`on_request` may answer instead of the handler (no effect happens), `on_rows` spoils records of the answer,
`on_reply` spoils the finished answer (the effect has happened: a changed feed's rows are marked read).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.errors import access_denied, bad_token
from integrations.sandbox.server.faults import TOKEN_PATH, Fault
from integrations.sandbox.server.reply import HTML, JSON, Reply, spell

Row = dict[str, Any]
OnRequest = Callable[[Fault, Call], Reply | None]
OnRow = Callable[[Fault, Call, Row], None]
OnReply = Callable[[Fault, Call, Reply], Reply]
Act = TypeVar("Act", bound=Callable[..., Any])

REQUEST: dict[str, OnRequest] = {}
ROWS: dict[str, OnRow] = {}
REPLY: dict[str, OnReply] = {}

HTML_PAGE = b"<html><head><title>athenahealth</title></head><body><h1>%s</h1></body></html>"
SPOILED: dict[str, object] = {
    "null": None,
    "wrong_type": {"unexpected": ["object"]},
    "nul": "a\x00b",
    "surrogate": "a\ud800b",
    "text": "not a number",
}
CODE_FIELDS = {
    "claimid": "primaryinsurancepayer.status",
    "appointmentid": "appointmentstatus",
    "encounterid": "status",
    "patientid": "status",
    "insuranceid": "eligibilitystatus",
    "id": "status",
}


def register(registry: dict[str, Act]) -> Callable[[Act], Act]:
    def add(act: Act) -> Act:
        registry[act.__name__] = act
        return act

    return add


on_request, on_rows, on_reply = register(REQUEST), register(ROWS), register(REPLY)


@on_request
def rate_limited(fault: Fault, call: Call) -> Reply:
    """429 with a body as variable as the real one's is unknown; `params.retry_after` adds the header."""
    wait = fault.params.retry_after
    return too_many(call.rng, {} if wait is None else {"retry-after": str(wait)})


@on_request
def server_error(fault: Fault, call: Call) -> Reply:
    """`params.status` 500, 502 or 503; HTML or nothing, as gateways do."""
    status = fault.params.status or call.rng.choice([500, 502, 503])
    body = call.rng.choice([b"", HTML_PAGE % b"Service Unavailable"])
    return Reply(status=status, body=body, media_type=HTML)


@on_request
def timeout_before(fault: Fault, call: Call) -> Reply:
    return Reply(status=504, wait_seconds=fault.params.seconds, cut_after=-1)


@on_request
def expired_token(fault: Fault, call: Call) -> Reply:
    error = bad_token()
    return Reply(status=error.status, body=spell(error.body))


@on_request
def revoked_credential(fault: Fault, call: Call) -> None:
    """While it is on, no token is valid and none is given. For good: `DELETE /_sandbox/clients`."""
    raise access_denied() if call.path == TOKEN_PATH else bad_token()


@on_request
def stalled_feed(fault: Fault, call: Call) -> Reply:
    feed = call.path.split("/")[-2]
    return Reply(status=200, body=spell({feed: [], "totalcount": 0}))


@on_request
def html(fault: Fault, call: Call) -> Reply:
    return Reply(status=200, body=HTML_PAGE % b"We will be back shortly", media_type=HTML)


@on_request
def duplicated_rows(fault: Fault, call: Call) -> None:
    """As if rows had been inserted between two pages: the last of a page come again on the next."""
    call.page_shift = -fault.params.rows


@on_request
def missing_rows(fault: Fault, call: Call) -> None:
    """As if rows had been deleted between two pages: the first of the next page are never seen."""
    call.page_shift = fault.params.rows


@on_rows
def corrupt_record(fault: Fault, call: Call, row: Row) -> None:
    params = fault.params
    value = "x" * params.bytes if params.spoil == "huge" else SPOILED[params.spoil]
    write(row, params.field or call.record_key, value)


@on_rows
def truncated_record(fault: Fault, call: Call, row: Row) -> None:
    kept = {call.record_key, *fault.params.keep}
    for name in [name for name in row if name not in kept]:
        del row[name]


@on_rows
def unknown_code(fault: Fault, call: Call, row: Row) -> None:
    write(row, fault.params.field or CODE_FIELDS.get(call.record_key, "status"), fault.params.code)


@on_reply
def timeout_after(fault: Fault, call: Call, reply: Reply) -> Reply:
    return replace(reply, wait_seconds=fault.params.seconds, cut_after=-1)


@on_reply
def slow(fault: Fault, call: Call, reply: Reply) -> Reply:
    return replace(reply, wait_seconds=fault.params.seconds)


@on_reply
def dropped(fault: Fault, call: Call, reply: Reply) -> Reply:
    return replace(reply, cut_after=len(reply.body) // 2)


@on_reply
def malformed(fault: Fault, call: Call, reply: Reply) -> Reply:
    return replace(reply, body=b"{,\n" + reply.body[1:])


@on_reply
def truncated(fault: Fault, call: Call, reply: Reply) -> Reply:
    """A complete HTTP message whose JSON stops half way."""
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def is_later_page(call: Call) -> bool:
    return call.query.text("cursor") is not None or call.query.text("offset") not in (None, "0")


RELEVANT: dict[str, Callable[[Call], bool]] = {
    "stalled_feed": lambda call: call.path.endswith("/changed"),
    "duplicated_rows": is_later_page,
    "missing_rows": is_later_page,
}
KINDS = frozenset({*REQUEST, *ROWS, *REPLY})


def is_relevant(fault: Fault, call: Call) -> bool:
    """Whether the kind could do anything to this call: else it is not counted as fired."""
    return fault.kind not in RELEVANT or RELEVANT[fault.kind](call)


def too_many(rng: Random, headers: dict[str, str]) -> Reply:
    """v1's 429 body was never recorded: empty, HTML or the gateway's JSON (athena-api.md 2.0)."""
    body, media_type = rng.choice(
        [
            (b"", HTML),
            (HTML_PAGE % b"Too Many Requests", HTML),
            (json.dumps({"fault": {"faultstring": "Rate limit quota violation."}}).encode(), JSON),
        ]
    )
    return Reply(status=429, body=body, media_type=media_type, headers=headers)


def rows_of(payload: Any) -> Iterator[Row]:
    """The records of an answer: of an envelope, a bare array, a FHIR Bundle, or the single object itself."""
    if isinstance(payload, list):
        yield from (row for row in payload if isinstance(row, dict))
    elif isinstance(payload, dict) and payload.get("resourceType") == "Bundle":
        yield from (entry["resource"] for entry in payload.get("entry", []))
    elif isinstance(payload, dict) and "totalcount" in payload:
        for rows in payload.values():
            yield from rows_of(rows) if isinstance(rows, list) else ()
    elif isinstance(payload, dict):
        yield payload


def write(row: Row, path: str, value: object) -> None:
    """Set `a.b` in nested objects, making what is missing on the way."""
    *parents, last = path.split(".")
    for name in parents:
        if not isinstance(row.get(name), dict):
            row[name] = {}
        row = row[name]
    row[last] = value


def spoil_rows(call: Call, payload: object) -> None:
    """Apply the row faults that are on; one record is spoiled again every time it is read."""
    faults = call.sandbox.faults
    for fault in faults.live(frozenset(ROWS), call.practice, call.path):
        rows = {str(row.get(call.record_key, "")): row for row in rows_of(payload)}
        named = fault.match.record
        aimed_at = [id for id in rows if named in (None, id, id.rpartition("-")[2])]
        for id in faults.struck_records(fault, aimed_at):
            ROWS[fault.kind](fault, call, rows[id])
