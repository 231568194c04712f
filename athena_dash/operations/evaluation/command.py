"""What both evaluation commands share: their options, and one report over all the seeds asked for."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand

from athena_dash.operations.evaluation.arena import Setup, arena, now_to_the_minute, throwaway_database
from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population.noise import PROFILES


class EvaluationCommand(BaseCommand):
    """`evaluate` turns a ledger, with the pipeline's conclusions in the database, into a report."""

    evaluate: Callable[[Ledger], dict[str, Any]]
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="same seed, same population (default 1)")
        parser.add_argument("--visits", type=int, default=400, help="per practice (default 400)")
        parser.add_argument("--practices", type=int, default=1, help="1 to 3 (default 1)")
        parser.add_argument("--profile", choices=PROFILES, default="demo", help="noise of the population")
        parser.add_argument("--faults", action="store_true", help="with a bad week's faults switched on")
        parser.add_argument("--as-of", type=aware, help="the instant to stand at, ISO (default now)")
        parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        began = monotonic()
        report = self.report(options) | {"seconds": round(monotonic() - began, 1)}
        self.stdout.write(json.dumps(report) if options["json"] else table(report))

    def report(self, options: dict[str, Any]) -> dict[str, Any]:
        setup = Setup(
            seed=options["seed"],
            visits=options["visits"],
            practices=options["practices"],
            profile=options["profile"],
            faults=options["faults"],
            as_of=options["as_of"] or now_to_the_minute(),
        )
        with throwaway_database(), arena(setup, self.stderr.write) as ledger:
            return type(self).evaluate(ledger)


def table(report: dict[str, Any]) -> str:
    """The same numbers for people."""
    lines = []
    for section, content in report.items():
        if isinstance(content, list):
            lines += [f"{section} {item}" for item in content]
            continue
        if not isinstance(content, dict):
            lines.append(f"{section} {content}")
            continue
        for name, values in content.items():
            shown = values.items() if isinstance(values, dict) else [("", values)]
            lines.append(f"{section} {name:18}" + "  ".join(f"{key} {value}".strip() for key, value in shown))
    return "\n".join(lines)


def aware(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
