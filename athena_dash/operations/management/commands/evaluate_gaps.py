"""How many gaps are real, and how many real ones are shown? Scored by the causes that synthetic practices wrote
down."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime
from functools import reduce
from operator import add
from time import process_time
from typing import Any

from django.core.management.base import BaseCommand

from athena_dash.operations.evaluation.arena import Setup, arena, now_to_the_minute, throwaway_database
from athena_dash.operations.evaluation.command import aware
from athena_dash.operations.evaluation.gap_score import GapScore, table
from athena_dash.operations.evaluation.gaps import evaluate_gaps
from integrations.sandbox.population.mishaps import MISHAPS
from integrations.sandbox.population.noise import PROFILES

FAULTS = {"off": (False,), "on": (True,), "both": (False, True)}


class Command(BaseCommand):
    help = "Precision and recall of gaps by code, over synthetic practices in throwaway databases."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="added up (default 1)")
        parser.add_argument("--visits", type=int, default=400, help="per practice (default 400)")
        parser.add_argument("--practices", type=int, default=1, help="1 to 3 (default 1)")
        parser.add_argument("--profile", choices=PROFILES, default="demo", help="noise of the population")
        parser.add_argument("--mishaps", choices=MISHAPS, default="usual", help="how often things go wrong")
        parser.add_argument("--faults", choices=FAULTS, default="off", help="a bad week's, on the wire")
        parser.add_argument("--as-of", type=aware, help="the instant to stand at, ISO (default now)")
        parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        with throwaway_database():
            self.evaluate(options["as_of"] or now_to_the_minute(), options)

    def evaluate(self, as_of: datetime, options: dict[str, Any]) -> None:
        reports = {}
        for faults in FAULTS[options["faults"]]:
            began = process_time()
            score = reduce(add, (self.score(seed, faults, as_of, options) for seed in options["seeds"]))
            seconds = round(process_time() - began, 1)
            named = "faults on" if faults else "faults off"
            reports[named] = score.report() | {"cpu_seconds": seconds}
            if not options["json"]:
                self.stdout.write(f"\n## {named}\n")
                self.stdout.write("\n".join(table(score)))
                self.stdout.write(f"CPU: {seconds} s in this process.")
        if options["json"]:
            self.stdout.write(json.dumps(reports))

    def score(self, seed: int, faults: bool, as_of: datetime, options: dict[str, Any]) -> GapScore:
        setup = Setup(
            seed=seed,
            visits=options["visits"],
            practices=options["practices"],
            profile=options["profile"],
            mishaps=options["mishaps"],
            faults=faults,
            as_of=as_of,
        )
        with arena(setup, self.stderr.write) as ledger:
            return evaluate_gaps(ledger)
