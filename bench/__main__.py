"""Runs the benchmarks named (all without a name): one line per figure, also appended to var/bench.jsonl.

`python -m bench [NAME [WORD…]]…`, or `make bench ONLY=NAME`. Words that are no benchmark go to the one before them.
"""

from __future__ import annotations

import json
import pkgutil
import signal
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
JOURNAL = HERE.parent / "var" / "bench.jsonl"


def main(wanted: list[str]) -> None:
    known = sorted(name for _, name, _ in pkgutil.iter_modules([str(HERE)]) if name != "__main__")
    for name, words in asked(wanted or known, known):
        for figures in import_module(f"bench.{name}").run(*words):
            print("bench", name, *(f"{key}={value}" for key, value in figures.items()), flush=True)
            keep({"at": datetime.now(UTC).isoformat(timespec="seconds"), "bench": name, **figures})


def asked(wanted: list[str], known: list[str]) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for word in wanted:
        if word in known:
            found.append((word, []))
        elif found:
            found[-1][1].append(word)
        else:
            sys.exit(f"no benchmark {word}; there are: {', '.join(known)}")
    return found


def keep(line: dict[str, Any]) -> None:
    JOURNAL.parent.mkdir(exist_ok=True)
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a benchmark stops what it has started
    main(sys.argv[1:])
