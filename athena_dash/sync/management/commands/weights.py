"""A practice's own weights for claims without an id: learn, try out, apply or take back a version."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from athena_dash.correlation import reweighing
from athena_dash.correlation.models import Weights
from athena_dash.practices.models import Practice
from athena_dash.sync import pipeline


class Command(BaseCommand):
    help = (
        "List the versions; --learn one more, --preview what one would change among the links (nothing is changed), "
        "--apply one, here and now. Version 0 are the shipped points."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", required=True, metavar="SLUG")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--learn", action="store_true")
        what.add_argument("--preview", type=int, metavar="VERSION")
        what.add_argument("--apply", type=int, metavar="VERSION")

    def handle(self, *args: Any, practice: str, **options: Any) -> None:
        found = Practice.objects.filter(slug=practice).first()
        if found is None:
            raise CommandError(f"There is no practice {practice!r}.")
        try:
            if options["learn"] and not pipeline.learn_weights(found.pk):
                self.stdout.write("Too few claims whose visit is known, or hardly more than last time.")
            if options["preview"] is not None:
                self.preview(found.pk, options["preview"])
            elif options["apply"] is not None:
                self.apply(found.pk, options["apply"])
            else:
                self.list(found.pk)
        except Weights.DoesNotExist:
            raise CommandError("There is no such version.") from None

    def preview(self, practice_id: int, version: int) -> None:
        with transaction.atomic():
            pipeline.lock(practice_id)
            found = reweighing.preview(practice_id, version, reweighing.lone_after(practice_id, "", None))
        self.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode())

    def apply(self, practice_id: int, version: int) -> None:
        """A worker goes on with it when this is interrupted."""
        with transaction.atomic():
            pipeline.lock(practice_id)
            row = reweighing.activate(practice_id, version)
        while pipeline.apply_weights(practice_id):
            row.refresh_from_db()
            self.stdout.write("{} of {} claims".format(*reweighing.progress(row)))

    def list(self, practice_id: int) -> None:
        for row in Weights.objects.for_practice(practice_id):
            done, all = reweighing.progress(row)
            state = (
                ("applied" if row.applied_at else f"{done} of {all} claims") if row.active else "not in use"
            )
            self.stdout.write(
                f"{row.version}  {row.learnt_at:%Y-%m-%d}  {row.pairs} + {row.others} pairs  {state}"
            )
