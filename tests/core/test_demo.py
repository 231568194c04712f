"""`manage.py demo`: up with one command, down with one signal, up again after kill -9."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.core.conftest import Instance
from tests.core.waiting import eventually

PATIENCE = 120


class Demo:
    """One run of it on a state directory of its own."""

    def __init__(self, root: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
        environment |= {"ATHENA_DASH_ENV": "demo", "ATHENA_DASH_STATE": str(root), "PORT": str(self.port)}
        self.log = root.with_name(f"{root.name}-demo.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, settings.BASE_DIR / "manage.py", "demo", "--visits", "30", "--speed", "0"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # As a shell does to what it starts with `&`.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN) and None,
            )

    def ready(self) -> bool:
        assert self.process.poll() is None, self.said()
        return f"ready http://127.0.0.1:{self.port}\n" in self.said()

    def said(self) -> str:
        return self.log.read_text()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(instance: Instance) -> Iterator[Callable[[], Demo]]:
    started: list[Demo] = []

    def start() -> Demo:
        started.append(Demo(instance.state.root))
        assert eventually(started[-1].ready, PATIENCE), started[-1].said()
        return started[-1]

    yield start
    for demo in started:
        demo.process.kill()
        demo.process.wait()
        demo.log.unlink(missing_ok=True)


def processes_of(state: Path) -> list[str]:
    """Command lines of whatever still works on that state directory."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environment, command = (directory / "environ").read_bytes(), (directory / "cmdline").read_bytes()
        except OSError:
            continue
        if f"ATHENA_DASH_STATE={state}\0".encode() in environment and int(directory.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode())
    return found


def test_one_signal_stops_everything_in_order_with_exit_0(
    start: Callable[[], Demo], instance: Instance
) -> None:
    demo = start()
    ready = httpx.get(f"http://127.0.0.1:{demo.port}/readyz", trust_env=False).json()
    assert (ready["database"], ready["redis"]) == (True, True)
    assert demo.end(signal.SIGTERM) == 0
    stops = re.findall(r"stopp\w+.*", demo.said())
    assert stops == ["stopping: workers, scheduler, web, sandbox", "stopping: Valkey, PostgreSQL", "stopped"]
    assert processes_of(instance.state.root) == []


def test_after_kill_9_the_next_start_comes_up_and_ctrl_c_ends_it(
    start: Callable[[], Demo], instance: Instance
) -> None:
    start().end(signal.SIGKILL)
    again = start()
    assert again.end(signal.SIGINT) == 0
    assert processes_of(instance.state.root) == []


def test_a_port_that_is_taken_is_said_before_anything_starts(instance: Instance) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, settings.BASE_DIR / "manage.py", "demo", "--port", str(port)],
            env={**os.environ, "ATHENA_DASH_STATE": str(instance.state.root)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"PORT={port + 1} make demo" in done.stderr
    assert time.monotonic() - began < 20
    assert not (instance.state.root / "keeper.lock").exists()
