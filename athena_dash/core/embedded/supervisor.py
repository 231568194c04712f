"""Programs into processes: started in order, restarted with back-off when they die, stopped in reverse."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

BACK_OFF = (0.2, 0.5, 1, 2, 5, 10, 30)
STEADY = 60.0  # seconds a program must have run for its next restart to be quick again
LOG_LIMIT = 20_000_000
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """What to run and how to end it. Signals and seconds; `user` is (uid, gid)."""

    name: str
    command: tuple[str, ...]
    together: str = ""  # programs of one such name are stopped at the same time
    stop_signal: signal.Signals = signal.SIGTERM
    last_signal: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    user: tuple[int, int] | None = None
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class Running:
    """One program's process, and when to try again while it has none."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.failures = 0
        self.retry_at = 0.0
        self.spawn()

    def spawn(self) -> None:
        program, parent = self.program, os.getpid()

        def prepare_child() -> None:
            # A supervisor started with `&` has inherited SIGINT as ignored, and so would its children.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            die_with_parent(program.stop_signal)
            if os.getppid() != parent:
                os._exit(1)

        uid, gid = program.user or (None, None)
        with open_log(self.log) as log:
            self.process = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=prepare_child,
                cwd=program.cwd,
                env={**os.environ, **program.environment},
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
            )
        self.started = time.monotonic()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        if self.alive:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """What a dead program leaves behind (a web server's workers hold its port) goes with it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, self.program.last_signal)


def die_with_parent(by: signal.Signals) -> None:
    """Of a forked process: its own children do not inherit this."""
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, by)


def open_log(path: Path) -> BinaryIO:
    """To append to; one that has grown past the limit makes room and is kept once."""
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


class Supervisor:
    """`say` hears every restart and every forced stop, in one line fit for a terminal or a log."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self.logs = logs
        self.say = say
        self.running: list[Running] = []

    def start(self, program: Program) -> Running:
        running = Running(program, self.log(program))
        self.running.append(running)
        return running

    def log(self, program: Program) -> Path:
        return self.logs / f"{program.name}.log"

    def finish(self, programs: Iterable[Program], meanwhile: Callable[[], None] = lambda: None) -> list[int]:
        """Runs them side by side to their end, minding everything else meanwhile. Their exit codes."""
        running = [Running(program, self.log(program)) for program in programs]
        try:
            while any(one.alive for one in running):
                self.poll()
                meanwhile()
                time.sleep(0.1)
        finally:
            for one in running:
                one.send(one.program.stop_signal)
            for one in running:
                self._await_end(one)
        return [one.process.returncode for one in running]

    def poll(self) -> None:
        """Restarts what has died, each after its own back-off; never blocks."""
        now = time.monotonic()
        for running in self.running:
            if running.alive:
                continue
            if not running.retry_at:
                if now - running.started > STEADY:
                    running.failures = 0
                delay = BACK_OFF[min(running.failures, len(BACK_OFF) - 1)]
                running.failures += 1
                running.retry_at = now + delay
                code = running.process.returncode
                self.say(f"{running.program.name} ended ({code}), again in {delay:g} s; see {running.log}")
                running.kill_group()
            elif now >= running.retry_at:
                running.retry_at = 0.0
                running.spawn()

    def stop(self) -> None:
        """Last started, first stopped. Each is asked, asked again (RQ then drops its job), then killed."""
        for _, group in itertools.groupby(
            reversed(self.running), lambda r: r.program.together or r.program.name
        ):
            members = list(group)
            for running in members:
                running.send(running.program.stop_signal)
            for running in members:
                self._await_end(running)
        self.running.clear()

    def _await_end(self, running: Running) -> None:
        for patience in (running.program.grace, 2.0):
            try:
                running.process.wait(patience)
            except subprocess.TimeoutExpired:
                running.send(running.program.stop_signal)
            else:
                break
        else:
            self.say(f"{running.program.name} did not stop in time and was killed")
        running.kill_group()
        running.process.wait()
