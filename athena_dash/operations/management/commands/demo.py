"""The whole product on one machine: services, sandbox, web, first sync, scheduler and workers."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import httpx
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from athena_dash.core.embedded.attach import ServicesUnavailable, attach, stop_keeper
from athena_dash.core.embedded.locks import Lock
from athena_dash.core.embedded.supervisor import Program, Running, Supervisor
from athena_dash.operations import demo, sandbox
from athena_dash.practices.models import Practice
from athena_dash.sync.resources import RESOURCES

MANAGE = (sys.executable, str(settings.BASE_DIR / "manage.py"))
LOOPBACK = "127.0.0.1"


class Command(BaseCommand):
    help = "Run everything on this machine against the sandbox; Ctrl-C stops it. Warm when run again."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=os.environ.get("PORT") or "8000", help="or env PORT")
        parser.add_argument("--visits", type=int, default=400, help="per practice, over 18 months")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--speed", type=float, default=60, help="how many events happen, 1 is real life")

    def handle(self, *args: Any, port: int, visits: int, seed: int, speed: float, **options: Any) -> None:
        self.began = time.monotonic()
        if not free(port):
            raise CommandError(f"port {port} is in use; another one: PORT={port + 1} make demo")
        with self.supervised() as supervisor:
            self.step("starting PostgreSQL and Valkey")
            self.start_services()
            self.step("migrating the database")
            call_command("migrate", verbosity=0, interactive=False)
            call_command("collectstatic", verbosity=0, interactive=False)
            self.step(f"starting the sandbox: a synthetic athenahealth, {visits} visits a practice")
            sandbox_url = self.start_sandbox(supervisor, visits, seed, speed)
            sandbox.start_demo_faults(sandbox_url)
            accounts = demo.create(sandbox_url)
            self.step("starting the web server")
            self.start_web(supervisor, port)
            self.first_sync(supervisor)
            supervisor.start(Program("tick", (*MANAGE, "tick", "--every", "5")))
            for number in (1, 2):
                command = (*MANAGE, "rqworker", "live", "replay", "backfill")
                supervisor.start(Program(f"worker-{number}", command, together="workers"))
            self.step("everything runs")
            self.stdout.write(f"ready http://{LOOPBACK}:{port}")
            for account in accounts:
                self.stdout.write(f"  {account.role}: {account.username} / {account.password}")
            self.stdout.flush()
            while True:
                supervisor.poll()
                time.sleep(0.2)

    @contextmanager
    def supervised(self) -> Iterator[Supervisor]:
        """Whatever ends the block (a signal, a fault), what it started ends too, last first."""
        settings.STATE.prepare()
        only_one = Lock(settings.STATE.root / "demo.lock").claim()
        if only_one is None:
            raise CommandError(f"a demo already runs on {settings.STATE.root}; another: ATHENA_DASH_STATE=…")
        supervisor = Supervisor(settings.STATE.logs, self.step)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leave)
        try:
            yield supervisor
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            self.step("stopping: workers, scheduler, web, sandbox")
            supervisor.stop()
            self.step("stopping: Valkey, PostgreSQL")
            stop_keeper(settings.STATE)
            os.close(only_one)
            self.step("stopped")

    def start_services(self) -> None:
        try:
            attach()
        except ServicesUnavailable as error:
            raise CommandError(str(error)) from error

    def start_sandbox(self, supervisor: Supervisor, visits: int, seed: int, speed: float) -> str:
        directory = settings.STATE.root / "sandbox"
        directory.mkdir(exist_ok=True)
        port = remembered_port(directory / "port")
        options = {
            "state": directory / "athena.sqlite3",
            "truth": directory / "truth.jsonl",
            "port": port,
            "seed": seed,
            "practices": len(demo.PRACTICES),
            "visits": visits,
            "speed": speed,
            "preset": "production",
            "activation-seconds": 5,
        }
        if settings.CLOCK:
            options["clock"] = settings.CLOCK
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        command = (sys.executable, "-m", "integrations.sandbox", *arguments)
        running = supervisor.start(Program("sandbox", command, cwd=settings.BASE_DIR))
        self.await_http(supervisor, running, f"http://{LOOPBACK}:{port}/_sandbox/state", seconds=300)
        return f"http://{LOOPBACK}:{port}"

    def start_web(self, supervisor: Supervisor, port: int) -> None:
        # Threads that share one interpreter make CPU-bound pages slower, not faster: processes instead.
        options = ("--interface", "wsgi", "--workers", "2", "--blocking-threads", "1")
        address = ("--host", LOOPBACK, "--port", str(port))
        command = (sys.executable, "-m", "granian", *options, *address, "athena_dash.wsgi:application")
        running = supervisor.start(Program("web", command, cwd=settings.BASE_DIR))
        self.await_http(supervisor, running, f"http://{LOOPBACK}:{port}/healthz", seconds=60)

    def first_sync(self, supervisor: Supervisor) -> None:
        """All practices side by side: each has a rate budget of its own.

        athenaOne only, which is what the worklist needs. FHIR enriches it, one call a patient and resource, and the
        workers bring it in from here on.
        """
        feeds = [
            part for name, resource in RESOURCES.items() if not resource.fhir for part in ("--feed", name)
        ]
        slugs = list(Practice.objects.filter(paused_at=None).values_list("slug", flat=True))
        programs = [Program(f"sync-{slug}", (*MANAGE, "sync", "--practice", slug, *feeds)) for slug in slugs]
        for slug, program in zip(slugs, programs, strict=True):
            self.step(f"syncing {slug}, in full in {supervisor.log(program)}")
        logs = [supervisor.log(program) for program in programs]
        before = [log.stat().st_size if log.exists() else 0 for log in logs]
        shown = {"at": time.monotonic()}

        def show() -> None:
            if time.monotonic() - shown["at"] > 2:
                shown["at"] = time.monotonic()
                self.step("  " + " | ".join(filter(None, map(last_words, logs, before))))

        for slug, code in zip(slugs, supervisor.finish(programs, meanwhile=show), strict=True):
            if code:
                self.step(f"the sync of {slug} met failures; they are listed on Failures")

    def await_http(self, supervisor: Supervisor, running: Running, url: str, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not answers(url):
            supervisor.poll()
            if running.failures > 2 or time.monotonic() > deadline:
                raise CommandError(f"{running.program.name} does not come up; its log is {running.log}")
            time.sleep(0.1)

    def step(self, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.began:6.1f} s] {text}")
        self.stdout.flush()


def leave(*_: object) -> NoReturn:
    sys.exit(0)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def last_words(log: Path, since: int) -> str:
    """What a progress line says now, if it has said anything after `since` bytes: each overwrites the one before with a
    carriage return."""
    text = log.read_bytes()[since:][-200:].decode(errors="replace")
    return text.replace("\033[K", "").strip().replace("\r", "\n").rpartition("\n")[2]


def free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_port(file: Path) -> int:
    """The port of last time, so that base URLs stay true; another where someone took it meanwhile."""
    if file.exists() and free(port := int(file.read_text())):
        return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    file.write_text(str(port))
    return port
