"""Lands saved athena response bodies through the pipeline and says what became of them."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athena_dash.practices.models import Practice
from athena_dash.sync.ingest import ingest
from athena_dash.sync.resources import RESOURCES
from integrations.athena.errors import AthenaError


class Command(BaseCommand):
    help = (
        "Land saved athena response bodies (whole pages, arrays or single objects) through the same pipeline."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", required=True, metavar="SLUG")
        parser.add_argument("--resource", required=True, choices=list(RESOURCES))
        parser.add_argument(
            "--parent",
            default="",
            metavar="ID",
            help='whom the body was asked for, where athena does not repeat it: "patientid/departmentid" for '
            "encounters, patientid for insurances and FHIR, encounterid for services, claimid for "
            "transactions and notes",
        )
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def handle(
        self, *args: Any, practice: str, resource: str, parent: str, files: list[Path], **options: Any
    ) -> None:
        found = Practice.objects.filter(slug=practice).first()
        if found is None:
            raise CommandError(f"There is no practice {practice!r}.")
        try:
            summary = ingest(found, resource, (path.read_bytes() for path in files), parent=parent)
        except AthenaError as error:
            raise CommandError(error.safe_message) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        if options["json"]:
            self.stdout.write(json.dumps(summary.as_json()))
            return
        self.stdout.write(
            f"{summary.records} records: {summary.new} new, {summary.changed} changed, "
            f"{summary.unchanged} unchanged, {summary.failed} failed; {summary.visits} visits looked at"
        )
        for title, counts in (("links", summary.links), ("open gaps", summary.gaps)):
            self.stdout.write(
                f"{title}: " + (", ".join(f"{name} {n}" for name, n in counts.items()) or "none")
            )
