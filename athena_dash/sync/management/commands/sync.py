"""Pulls a practice's feeds here and now, in this process, showing each page as it is committed."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athena_dash.practices.models import Practice
from athena_dash.sync.models import Feed, Run
from athena_dash.sync.pull import sync_practice
from athena_dash.sync.resources import RESOURCES


class Command(BaseCommand):
    help = "Pull one practice's feeds inline, in the order of a first sync, until nothing is due."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", required=True, metavar="SLUG")
        parser.add_argument(
            "--feed", action="append", choices=list(RESOURCES), metavar="NAME", help=", ".join(RESOURCES)
        )

    def handle(self, *args: Any, practice: str, feed: list[str] | None, **options: Any) -> None:
        found = Practice.objects.filter(slug=practice).first()
        if found is None:
            known = ", ".join(Practice.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no practice {practice!r}. Known: {known}.")
        running = Feed.objects.for_practice(found).filter(paused_at=None).values_list("resource", flat=True)
        wanted = {name for name in running if feed is None or name in feed}
        runs = sync_practice(found, feed, self.show)
        self.stdout.write("")
        for name in sorted(wanted - {run.feed.resource for run in runs}):
            self.stdout.write(f"{name}: another worker has it; it is left to that one")
        failed = [run for run in runs if run.outcome == Run.Outcome.FAILED]
        total = sum(run.records for run in runs)
        self.stdout.write(
            f"{found.slug}: {total} records in {sum(run.calls for run in runs)} calls, {len(failed)} feeds failed"
        )
        for run in failed:
            self.stderr.write(f"  {run.feed.resource}: {run.message}")
        if failed:
            raise SystemExit(1)

    def show(self, run: Run) -> None:
        self.stdout.write(f"\r\033[K{run.feed.resource}: {run.records} records, {run.calls} calls", ending="")
        self.stdout.flush()
