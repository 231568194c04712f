"""`python -m integrations.sandbox`: populates on the first start, then serves until told to stop."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import life, populate
from integrations.sandbox.server import PRESETS, serve
from integrations.sandbox.server.sandbox import now
from integrations.sandbox.store import Store
from integrations.sandbox.world_time import WorldTime

DAY = timedelta(days=1)


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    options = parser().parse_args()
    options.state.parent.mkdir(parents=True, exist_ok=True)
    rng = random.Random(options.seed)  # noqa: S311 reproducible, not secret
    clock = WorldTime(options.clock).now if options.clock else now
    with Store(options.state) as store:
        ensure_population(store, options, rng, clock())

    def advance(store: Store) -> None:
        life.advance(store, clock(), options.speed, rng)

    serve(
        options.state,
        options.host,
        options.port,
        preset=options.preset,
        activation_lag=None
        if options.activation_seconds is None
        else timedelta(seconds=options.activation_seconds),
        seed=options.seed,
        clock=clock,
        advance=advance if options.speed > 0 else None,
        ready=lambda url: print(f"sandbox {url}", flush=True),
    )


def end(number: int, frame: FrameType | None) -> NoReturn:
    """A wanted end is a success, while populating and after uvicorn, which raises its signal again."""
    raise SystemExit(0)


def ensure_population(store: Store, options: argparse.Namespace, rng: random.Random, now: datetime) -> None:
    """On the first start only, then a day of life at its speed: else a lively clinic would be empty for an hour.
    The ledger is written on every start, as of the last thing that happened."""
    populate(
        store,
        seed=options.seed,
        practices=options.practices,
        visits=options.visits,
        as_of=now - DAY if options.speed else now,
        progress=tell,
    )
    if options.speed:
        life.advance(store, now, options.speed, rng)
    if options.truth:
        lived_until = msgspec.json.decode(store.setting("life") or b"null", type=datetime)
        Ledger.export(store, lived_until).write(options.truth)


def tell(practice: str, told: int, asked: int) -> None:
    print(f"practice {practice}: {told} of {asked} visits", file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m integrations.sandbox", description="A synthetic athenahealth over HTTP."
    )
    made.add_argument("--state", type=Path, required=True, help="SQLite file that keeps everything")
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=0, help="default: a free one")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--practices", type=int, default=3)
    made.add_argument("--visits", type=int, default=2000, help="per practice, in 18 months")
    made.add_argument("--truth", type=Path, help="write the ground-truth ledger to this file")
    made.add_argument("--speed", type=float, default=0, help="how busily life goes on; 0 stands still")
    made.add_argument("--preset", choices=sorted(PRESETS), default="preview", help="rate limits and lags of")
    made.add_argument("--activation-seconds", type=float, help="subscription lag instead of the preset's")
    made.add_argument(
        "--clock", type=Path, help="live by the world's time of this file, not by the machine's"
    )
    return made


if __name__ == "__main__":
    main()
