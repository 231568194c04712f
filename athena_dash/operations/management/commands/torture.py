"""Kills, breaks and delays everything at random in a world made for it, then proves that every record arrived once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--minutes", type=float, default=3, help="of disturbances, before the recovery")
        parser.add_argument("--seed", type=int, default=1, help="same seed, same population and same plan")
        parser.add_argument("--visits", type=int, default=60, help="in the practice at the beginning")
        parser.add_argument(
            "--pace", type=float, default=6, help="the world's time runs so many times as fast"
        )
        parser.add_argument(
            "--speed", type=float, default=20_000, help="how much newly begins; 1 is real life"
        )
        parser.add_argument("--keep", action="store_true", help="leave the state directory, with its logs")
        parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")

    def handle(self, *args: Any, keep: bool, **options: Any) -> None:
        """In a process and a state directory of its own: this one's services are none of its business."""
        asked = {name: options[name] for name in ("minutes", "seed", "visits", "pace", "speed", "json")}
        directory = tempfile.mkdtemp(prefix="athena-dash-torture-")
        os.chmod(directory, 0o755)  # noqa: S103 as root, PostgreSQL runs as somebody else
        environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        run = subprocess.Popen(
            [sys.executable, "-m", "athena_dash.operations.torture", json.dumps(asked)],
            cwd=settings.BASE_DIR,
            env={**environment, "ATHENA_DASH_STATE": directory},
        )

        def leave(*_: object) -> NoReturn:
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, leave)
        try:
            code = run.wait()
        except KeyboardInterrupt:
            run.terminate()
            code = run.wait()
        finally:
            if keep:
                self.stderr.write(f"kept: {directory}")
            else:
                shutil.rmtree(directory, ignore_errors=True)
        sys.exit(code)
