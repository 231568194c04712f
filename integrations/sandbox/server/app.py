"""One Starlette app with athena's three faces, OAuth2, athenaOne v1 and FHIR R4, plus the control endpoints.

Handlers are plain functions and run in threads (SQLite blocks); only waiting and cutting is async.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import anyio
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from integrations.sandbox.server import control, fhir, v1
from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import ApiError, no_service
from integrations.sandbox.server.fault_kinds import too_many
from integrations.sandbox.server.fhir.ids import practice_of
from integrations.sandbox.server.gateway import answer, refusal
from integrations.sandbox.server.oauth import Client
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
            Route("/oauth2/v1/token", endpoint(token), methods=["POST"]),
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
        call = Call(
            sandbox=sandbox,
            method=request.method,
            path=request.url.path,
            origin=origin(request),
            query=query,
            ids=request.path_params,
            practice=practice_of(request.path_params, query)
            if is_fhir
            else str(request.path_params["practice"]),
            record_key=item.record_key,
            client=client,
            rng=sandbox.rng("reply", next(sandbox.serials)),
        )
        return answer(call, item, fhir=is_fhir)

    return Route(prefix + item.path, endpoint(work), methods=[item.method])


def public(item: Endpoint) -> Route:
    """FHIR metadata and SMART discovery need no token."""

    def work(sandbox: Sandbox, request: Request, query: Query) -> Reply:
        call = Call(
            sandbox=sandbox,
            method=request.method,
            path=request.url.path,
            origin=origin(request),
            query=query,
            ids=request.path_params,
            practice="",
            record_key="",
            client=NOBODY,
            rng=sandbox.rng("reply", next(sandbox.serials)),
        )
        return Reply(status=200, body=spell(item.handler(call)), media_type=JSON)

    return Route("/fhir/r4" + item.path, endpoint(work), methods=["GET"])


def origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def token(sandbox: Sandbox, request: Request, query: Query) -> Reply:
    authorization = request.headers.get("authorization")
    budget = sandbox.keyring.spend_token_call(authorization)
    if budget.exceeded:
        limited = too_many(sandbox.rng("token", next(sandbox.serials)), {})
        limited.headers.update(budget.headers())
        return limited
    try:
        body = sandbox.keyring.issue(authorization, query)
        reply = Reply(status=200, body=spell(body), media_type="application/json")
    except ApiError as error:
        reply = refusal(error)
    reply.headers.update(budget.headers())
    return reply


def revoke(sandbox: Sandbox, request: Request, query: Query) -> Reply:
    """RFC 7009: success whether or not the token was known, but only for a known client."""
    if sandbox.keyring.known_client(request.headers.get("authorization")) is None:
        raise ApiError(401, {"error": "invalid_client"})
    sandbox.keyring.drop_token(query.text("token") or "")
    return Reply(status=200)


def request_id(sandbox: Sandbox) -> str:
    serial = next(sandbox.serials)
    return f"rrt-{sandbox.rng('request', serial).randrange(10**18)}-b-sandbox-{serial}-1"


async def unknown(request: Request, error: Exception) -> Response:
    reply = refusal(no_service())
    reply.headers["x-request-id"] = request_id(request.app.state.sandbox)
    return Delivery(reply)


class Delivery(Response):
    """Sends a Reply, misbehaving as it says: late, or cut off after so many bytes."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.body, reply.status, dict(reply.headers), reply.media_type)
        self.reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.reply.wait_seconds:
            await anyio.sleep(self.reply.wait_seconds)
        cut_after = self.reply.cut_after
        if cut_after is None:
            await super().__call__(scope, receive, send)
            return
        if cut_after >= 0:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            await send({"type": "http.response.body", "body": self.body[:cut_after], "more_body": True})
        cut = scope.get("state", {}).get("cut")  # put there by process.CuttingProtocol
        if cut is None:
            raise ConnectionResetError("a fault cut this connection")
        cut(abrupt=cut_after < 0)
        # Wait for the server to notice, else it would answer 500 on the connection it has just lost.
        while (await receive())["type"] != "http.disconnect":
            pass
