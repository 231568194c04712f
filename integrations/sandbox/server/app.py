"""One Starlette app with athena's three faces, OAuth2, athenaOne v1 and FHIR R4, plus the control endpoints.

Handlers are plain functions and run in threads (SQLite blocks); only waiting and cutting is async.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from integrations.sandbox.server import control, fhir, oauth, v1
from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.delivery import Delivery
from integrations.sandbox.server.errors import ApiError, no_service
from integrations.sandbox.server.faults import TOKEN_PATH
from integrations.sandbox.server.fhir.ids import practice_of
from integrations.sandbox.server.gateway import answer, refusal
from integrations.sandbox.server.keyring import Client
from integrations.sandbox.server.presets import Preset
from integrations.sandbox.server.query import Query
from integrations.sandbox.server.reply import JSON, Reply, spell
from integrations.sandbox.server.sandbox import Sandbox, now

NOBODY = Client(id="", secret_hash="")
Work = Callable[[Sandbox, Request, Query], Reply]


def create_app(
    store_path: Path | str,
    *,
    preset: str | Preset = "preview",
    clock: Callable[[], datetime] = now,
    ticks: Callable[[], float] = time.time,
    activation_lag: timedelta | None = None,
    seed: int = 0,
) -> Starlette:
    """`clock` may be frozen; rate limits run on `ticks`, in real time. `app.state.sandbox` is the Sandbox."""
    app = Starlette(
        routes=[
            Route(TOKEN_PATH, endpoint(token), methods=["POST"]),
            Route("/oauth2/v1/revoke", endpoint(revoke), methods=["POST"]),
            *(public(item) for item in fhir.PUBLIC),
            *(guarded("/v1/{practice}", item) for item in v1.ENDPOINTS),
            *(guarded("/fhir/r4", item) for item in fhir.ENDPOINTS),
            *control.ROUTES,
        ],
        exception_handlers={404: unknown, 405: unknown},
    )
    app.state.sandbox = Sandbox(
        store_path, preset=preset, clock=clock, ticks=ticks, activation_lag=activation_lag, seed=seed
    )
    return app


def endpoint(work: Work) -> Callable[[Request], Awaitable[Response]]:
    """The async shell: read the parameters, work in a thread, stamp the request id, misbehave as told."""

    async def serve(request: Request) -> Response:
        sandbox: Sandbox = request.app.state.sandbox
        pairs = list(request.query_params.multi_items())
        if request.method in {"POST", "PUT"}:
            pairs += parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
        try:
            reply = await run_in_threadpool(work, sandbox, request, Query(pairs))
        except ApiError as error:
            reply = refusal(error)
        reply.headers["x-request-id"] = request_id(sandbox)
        return Delivery(reply)

    return serve


def guarded(prefix: str, item: Endpoint) -> Route:
    """An endpoint behind a bearer token."""
    is_fhir = prefix.startswith("/fhir")

    def work(sandbox: Sandbox, request: Request, query: Query) -> Reply:
        client = sandbox.keyring.bearer(request.headers.get("authorization"))
        practice = request.path_params.get("practice") or practice_of(request.path_params, query)
        call = make_call(sandbox, request, query, client, practice, item.record_key)
        return answer(call, item, fhir=is_fhir)

    return Route(prefix + item.path, endpoint(work), methods=[item.method])


def public(item: Endpoint) -> Route:
    """FHIR metadata and SMART discovery need no token."""

    def work(sandbox: Sandbox, request: Request, query: Query) -> Reply:
        call = make_call(sandbox, request, query, NOBODY)
        return Reply(status=200, body=spell(item.handler(call)), media_type=JSON)

    return Route("/fhir/r4" + item.path, endpoint(work), methods=["GET"])


def token(sandbox: Sandbox, request: Request, query: Query) -> Reply:
    authorization = request.headers.get("authorization")
    client = sandbox.keyring.named_client(authorization) or NOBODY
    # A practice's own client makes its token calls part of that practice, for faults aimed at it.
    practice = client.practices[0] if client.practices and len(client.practices) == 1 else ""
    return oauth.token(make_call(sandbox, request, query, client, practice), authorization)


def revoke(sandbox: Sandbox, request: Request, query: Query) -> Reply:
    call = make_call(sandbox, request, query, NOBODY)
    return oauth.revoke(call, request.headers.get("authorization"))


def make_call(
    sandbox: Sandbox,
    request: Request,
    query: Query,
    client: Client,
    practice: str = "",
    record_key: str = "",
) -> Call:
    return Call(
        sandbox=sandbox,
        method=request.method,
        path=request.url.path,
        query=query,
        origin=f"{request.url.scheme}://{request.url.netloc}",
        ids=request.path_params,
        practice=practice,
        record_key=record_key,
        client=client,
        rng=sandbox.rng("reply", next(sandbox.serials)),
    )


def request_id(sandbox: Sandbox) -> str:
    serial = next(sandbox.serials)
    return f"rrt-{sandbox.rng('request', serial).randrange(10**18)}-b-sandbox-{serial}-1"


async def unknown(request: Request, error: Exception) -> Response:
    reply = refusal(no_service())
    reply.headers["x-request-id"] = request_id(request.app.state.sandbox)
    return Delivery(reply)
