"""Runs the scheduler: `athena_dash.cron.tick` once, or every few seconds until told to stop."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from athena_dash.cron import tick


class Command(BaseCommand):
    help = "Enqueue what is due: feeds to pull, retries, batches, gaps to reconsider."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat until SIGTERM or Ctrl-C")

    def handle(self, *args: Any, every: float | None = None, **options: Any) -> None:
        if every is None:
            return self.report(tick())
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            self.report(tick())
            stop.wait(every)
        return None

    def report(self, enqueued: dict[str, int]) -> None:
        if any(enqueued.values()):
            self.stdout.write("enqueued " + ", ".join(f"{label} {n}" for label, n in enqueued.items() if n))
