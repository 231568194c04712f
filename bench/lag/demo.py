"""`manage.py demo` in a state directory and at a noon of its own, up to "everything runs"; stopped with the block."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from integrations.sandbox.world_time import WorldTime

READY = "ready http"
NOON = datetime(2026, 3, 11, 16, tzinfo=UTC)
"""A Wednesday in New York: at night next to nothing happens in a clinic."""
HERE = Path(__file__).resolve().parents[2]


@contextmanager
def state() -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="athena-dash-bench-"))
    root.chmod(0o711)  # as root, PostgreSQL runs as somebody else
    clock = root / "clock"
    WorldTime(clock).begin(NOON, pace=1)
    clock.chmod(0o644)
    os.environ |= {"ATHENA_DASH_STATE": str(root), "ATHENA_DASH_CLOCK": str(clock)}
    for external in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(external, None)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def demo(root: Path, speed: float) -> Iterator[None]:
    command = (sys.executable, "manage.py", "demo", "--port", str(free_port()), "--speed", str(speed))
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    assert process.stdout  # noqa: S101
    try:
        for line in process.stdout:
            if line.startswith(READY):
                break
        else:
            raise RuntimeError("the demo did not come up")
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.stdout.read()  # it says how it stops
        process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
