"""Checks one practice against athena, here and now: is everything here that athena has?"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athena_dash.practices.models import Practice
from athena_dash.sync.audit import audit_practice
from athena_dash.sync.models import Audit

SHOWN = ("window", "first_day", "last_day", "theirs", "ours", "healed", "gone", "unnamed", "missing", "calls")


class Command(BaseCommand):
    help = (
        "Compare the last 30 days and one older week with athena: appointments, claims, encounters and the charge "
        "lines of a sample of claims. What is missing is fetched; exits with 1 when something still is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: Any, practice: str, json: bool, **options: Any) -> None:
        found = Practice.objects.filter(slug=practice).first()
        if found is None:
            known = ", ".join(Practice.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no practice {practice!r}. Known: {known}.")
        rows = audit_practice(found)
        if not rows:
            raise CommandError(f"{practice} is being audited by another worker right now.")
        self.stdout.write(as_json(rows) if json else "\n".join(map(sentence, rows)))
        if any(row.problem or row.missing or row.unnamed for row in rows):
            raise SystemExit(1)


def as_json(rows: list[Audit]) -> str:
    figures = [
        {"kind": row.kind, **{name: getattr(row, name) for name in SHOWN}, "problem": row.problem}
        for row in rows
    ]
    return json.dumps(figures, default=str, indent=2)


def sentence(row: Audit) -> str:
    days = f"{row.get_kind_display()} {row.first_day} to {row.last_day}"
    if row.problem:
        return f"{days}: {row.problem}"
    here = row.ours + row.healed
    brought = f", {row.healed} of them brought in now" if row.healed else ""
    missing = f"; missing: {', '.join(row.missing)}" if row.missing else ""
    unnamed = f"; {row.unnamed} that athena counts and does not name" if row.unnamed else ""
    gone = f"; {row.gone} that athena has no more" if row.gone else ""
    return f"{days}: {here} of {row.theirs} here{brought}{missing}{unnamed}{gone}"
