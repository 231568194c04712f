"""Runs the app: uvicorn in this process, connections that can be cut, and life going on in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from integrations.sandbox.server.app import create_app
from integrations.sandbox.server.presets import Preset
from integrations.sandbox.server.sandbox import now
from integrations.sandbox.store import Store

# Changes a few times a minute feel alive and leave SQLite's single writer free.
LIFE_EVERY_SECONDS = 5.0
Advance = Callable[[Store], Any]


class CuttingProtocol(H11Protocol):
    """HTTP/1.1 that hands each request a `cut` in its state: faults end connections with it."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "cut": self.cut}

    def cut(self, *, abrupt: bool) -> None:
        """Abrupt drops what is still buffered too; otherwise the sent part arrives and then the end."""
        if abrupt:
            self.transport.abort()
        else:
            self.transport.close()


class Server(uvicorn.Server):
    """Says so once it answers; `url` is then known even when port 0 was asked for."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self.ready = ready
        self.url = ""

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self.url = f"http://{host}:{port}"
            self.ready(self.url)


def make_server(
    app: Starlette, host: str = "127.0.0.1", port: int = 0, *, ready: Callable[[str], None] = lambda url: None
) -> Server:
    """A server not yet running: `.run()` blocks, `.should_exit = True` from another thread ends it."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=CuttingProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_level="error",
        access_log=False,  # paths carry patient ids
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    return Server(config, ready)


def serve(
    store_path: Path | str,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    preset: str | Preset = "preview",
    clock: Callable[[], datetime] = now,
    activation_lag: timedelta | None = None,
    seed: int = 0,
    advance: Advance | None = None,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGTERM or SIGINT; `advance` lets life go on between requests, every few seconds."""
    app = create_app(store_path, preset=preset, clock=clock, activation_lag=activation_lag, seed=seed)
    server = make_server(app, host, port, ready=ready)
    stopping = threading.Event()
    if advance is not None:
        threading.Thread(target=live, args=(store_path, advance, stopping), daemon=True).start()
    try:
        server.run()
    finally:
        stopping.set()


def live(store_path: Path | str, advance: Advance, stopping: threading.Event) -> None:
    with Store(store_path) as store:
        while not stopping.wait(LIFE_EVERY_SECONDS):
            advance(store)
