"""The sandbox's own endpoints under `/_sandbox`, for people and tests on this machine only.

faults (list, switch on, switch off), clients (register, revoke), state, calls, and the ground-truth ledger.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.server.fault_kinds import KINDS
from integrations.sandbox.server.faults import Fault
from integrations.sandbox.server.keyring import Client, digest
from integrations.sandbox.server.sandbox import Sandbox

Control = Callable[[Sandbox, Request, bytes], object]


class NewClient(msgspec.Struct, frozen=True, kw_only=True):
    """`practices` left out: every practice."""

    client_id: str
    client_secret: str
    practices: tuple[str, ...] | None = None


def guarded(act: Control) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        if not is_loopback(request):
            return Response("only from this machine", 403)
        body = await request.body()
        try:
            answer = await run_in_threadpool(act, request.app.state.sandbox, request, body)
        except (msgspec.DecodeError, ValueError) as error:
            return json_response({"error": str(error)}, 400)
        return json_response(answer)

    return serve


def is_loopback(request: Request) -> bool:
    return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback


def json_response(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def list_faults(sandbox: Sandbox, request: Request, body: bytes) -> object:
    return {"faults": list(sandbox.faults.faults.values()), "kinds": sorted(KINDS)}


def switch_on(sandbox: Sandbox, request: Request, body: bytes) -> object:
    fault = msgspec.json.decode(body, type=Fault)
    if fault.kind not in KINDS:
        raise ValueError(f"unknown kind {fault.kind!r}; known: {', '.join(sorted(KINDS))}")
    if not 0 <= fault.probability <= 1:
        raise ValueError("probability must be between 0 and 1")
    if fault.until is not None and fault.until.tzinfo is None:
        raise ValueError("until needs a time zone")
    try:
        re.compile(fault.match.path)
    except re.error as error:
        raise ValueError(f"match.path is not a regular expression: {error}") from None
    sandbox.faults.switch_on(fault)
    return fault


def switch_off(sandbox: Sandbox, request: Request, body: bytes) -> object:
    return {"removed": sandbox.faults.switch_off(request.query_params.get("name"))}


def list_clients(sandbox: Sandbox, request: Request, body: bytes) -> object:
    return {
        "clients": [{"client_id": item.id, "practices": item.practices} for item in sandbox.keyring.clients()]
    }


def register_client(sandbox: Sandbox, request: Request, body: bytes) -> object:
    new = msgspec.json.decode(body, type=NewClient)
    if not new.client_id or ":" in new.client_id:
        raise ValueError("client_id must not be empty nor contain a colon (RFC 7617)")
    sandbox.keyring.keep(
        Client(id=new.client_id, secret_hash=digest(new.client_secret), practices=new.practices)
    )
    return {"client_id": new.client_id, "practices": new.practices}


def revoke_client(sandbox: Sandbox, request: Request, body: bytes) -> object:
    client_id = request.query_params.get("client_id", "")
    if all(item.id != client_id for item in sandbox.keyring.clients()):
        raise ValueError("no such client_id")
    sandbox.keyring.drop(client_id)
    return {"revoked": client_id}


def state(sandbox: Sandbox, request: Request, body: bytes) -> object:
    """Counts of things by practice and kind, and of changes by feed."""
    db = sandbox.store.db
    counts: dict[str, dict[str, int]] = {}
    for practice, kind, number in db.execute("select practice, kind, count(*) from thing group by 1, 2"):
        counts.setdefault(practice, {})[kind] = number
    changes: dict[str, dict[str, int]] = {}
    for practice, feed, number in db.execute("select practice, feed, count(*) from change group by 1, 2"):
        changes.setdefault(practice, {})[feed] = number
    return {
        "as_of": sandbox.clock(),
        "preset": sandbox.preset.name,
        "activation_seconds": sandbox.activation_lag.total_seconds(),
        "practices": counts,
        "changes": changes,
        "faults": len(sandbox.faults.faults),
    }


def calls(sandbox: Sandbox, request: Request, body: bytes) -> object:
    """Since this process started; calls refused for their token are not counted."""
    counted: dict[str, dict[str, int]] = {}
    for (practice, what), number in sandbox.counted.items():
        counted.setdefault(practice, {"calls": 0, "limited": 0})[what] = number
    return {"practices": counted}


def truth(sandbox: Sandbox, request: Request, body: bytes) -> object:
    """The ledger as a list: its header, then records and causes, as in the file `--truth` writes."""
    try:
        kept = Ledger.export(sandbox.store, sandbox.clock())
    except LookupError as error:
        raise ValueError(str(error)) from None
    return [kept.header, *kept.records, *kept.causes]


ROUTES = [
    Route("/_sandbox/faults", guarded(list_faults), methods=["GET"]),
    Route("/_sandbox/faults", guarded(switch_on), methods=["POST"]),
    Route("/_sandbox/faults", guarded(switch_off), methods=["DELETE"]),
    Route("/_sandbox/clients", guarded(list_clients), methods=["GET"]),
    Route("/_sandbox/clients", guarded(register_client), methods=["POST"]),
    Route("/_sandbox/clients", guarded(revoke_client), methods=["DELETE"]),
    Route("/_sandbox/state", guarded(state), methods=["GET"]),
    Route("/_sandbox/calls", guarded(calls), methods=["GET"]),
    Route("/_sandbox/truth", guarded(truth), methods=["GET"]),
]
