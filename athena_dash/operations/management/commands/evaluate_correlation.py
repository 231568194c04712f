"""How often does a record end at its true visit? The real pipeline over a synthetic practice, scored by its
ledger; or the real stage over somebody's own CSV files, scored by their truth.csv; or over a live practice, whose ids
are hidden for it (docs/evaluation.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from athena_dash.operations.evaluation.command import EvaluationCommand
from athena_dash.operations.evaluation.correlation import evaluate_links
from athena_dash.operations.evaluation.csv_score import evaluate_set
from athena_dash.operations.evaluation.csv_set import Unusable
from athena_dash.operations.evaluation.practice import evaluate_practice
from athena_dash.practices.models import Practice


class Command(EvaluationCommand):
    help = (
        "Precision and recall of links by kind of record, over a synthetic practice in a throwaway database."
    )
    evaluate = staticmethod(evaluate_links)

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--from",
            dest="directory",
            metavar="DIR",
            type=Path,
            help="score these CSV files instead (docs/evaluation.md); the options of the population say nothing then",
        )
        parser.add_argument(
            "--practice",
            metavar="SLUG",
            help="hide ids of this practice, --visits of each kind, and see where the rules put them; rolled back",
        )

    def report(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["practice"]:
            practice = Practice.objects.filter(slug=options["practice"]).first()
            if practice is None:
                raise CommandError(f"There is no practice {options['practice']!r}.")
            return evaluate_practice(practice.pk, options["visits"], str(options["seed"]))
        if options["directory"] is None:
            return super().report(options)
        try:
            return evaluate_set(options["directory"])
        except Unusable as error:
            raise CommandError(str(error)) from error
