"""dlt as a contender: its script in its own environment, spoken to over a pipe."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.sync.cluster import Cluster
from bench.sync.corpus import LISTS, PAGE, Corpus
from bench.sync.leg import Leg

HERE = Path(__file__).resolve().parent
PYTHON = HERE.parents[1] / ".venv" / "bench" / "bin" / "python"


@contextmanager
def dlt(services: Cluster, database: str, address: str, made: Corpus, mode: str) -> Iterator[Any]:
    """`pull()` once for each leg; dlt remembers between them what it has loaded, as it would."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-dlt-") as directory,
        subprocess.Popen(
            [str(PYTHON), str(HERE / "dlt_script.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=directory,
        ) as process,
    ):
        assert process.stdin and process.stdout  # noqa: S101, PT018 - pipes were asked for
        reader = process.stdout

        def tell(line: str) -> None:
            print(line, file=process.stdin, flush=True)

        def answer() -> str:
            line = reader.readline()
            if not line:
                raise RuntimeError("dlt has ended without an answer")
            return line

        def pull() -> Leg:
            tell("go")
            found = json.loads(answer())
            if found.pop("rows") != made.records:
                raise RuntimeError("dlt is short of rows")
            return Leg(found.pop("seconds"), ({"stages": {}, "missing": [], **found},))

        try:
            tell(
                json.dumps(
                    {
                        "address": address,
                        "lists": LISTS,
                        "page": PAGE,
                        "mode": mode,
                        "directory": directory,
                        "database": {
                            "host": str(services.postgres.socket),
                            "username": "athena_dash",
                            "password": services.postgres.password,
                            "database": database,
                        },
                    }
                )
            )
            answer()
            yield pull
        finally:
            process.stdin.close()
            process.terminate()
