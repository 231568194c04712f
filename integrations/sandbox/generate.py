"""`python -m integrations.sandbox.generate`: a population in a state file, and its ground truth beside it."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from integrations.sandbox.csv_set import write_csv_set
from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import populate
from integrations.sandbox.population.blueprints import PRACTICE_IDS
from integrations.sandbox.population.noise import PROFILES
from integrations.sandbox.store import Store


def main(argv: list[str] | None = None) -> int:
    options = parse(argv)
    began = monotonic()
    with Store(options.state) as store:
        if store.setting("population") is not None:
            print(f"{options.state} already holds a population; name another --state", file=sys.stderr)
            return 1
        populate(
            store,
            seed=options.seed,
            practices=options.practices,
            visits=options.visits,
            as_of=options.as_of,
            profile=options.profile,
            progress=show,
        )
        ledger = Ledger.export(store, options.as_of)
        if options.csv:
            write_csv_set(store, PRACTICE_IDS[0], options.csv)
    if options.truth:
        ledger.write(options.truth)
    print(
        f"\r{len(ledger.records)} records and {len(ledger.causes)} causes in {monotonic() - began:.1f} s",
        file=sys.stderr,
    )
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox.generate", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="SQLite file of the sandbox; created")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same population (default 1)")
    parser.add_argument("--practices", type=int, default=3, help="how many practices (default 3)")
    parser.add_argument("--visits", type=int, default=400, help="booked visits per practice over 18 months")
    parser.add_argument("--truth", type=Path, help="write the ground-truth ledger here, as JSON lines")
    parser.add_argument("--csv", type=Path, help="write the first practice here as CSV (docs/evaluation.md)")
    parser.add_argument("--profile", choices=PROFILES, default="demo", help="noise for correlation")
    parser.add_argument("--as-of", type=aware, default=datetime.now(UTC), help="ISO instant (default now)")
    return parser.parse_args(argv)


def aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def show(practice: str, done: int, visits: int) -> None:
    print(f"\rpractice {practice}: {done} of about {visits} visits", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
