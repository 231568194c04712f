"""A tested connection into a practice that syncs: practice, connection, first admin and feeds in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Membership, Practice, Role
from athena_dash.sync.connections import Step, probe
from athena_dash.sync.feeds import create_feeds

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

NAMES_TRIED = 50


def connect(connection: Connection, *, by: User, steps: Sequence[Step], paused: bool) -> Practice:
    """The feeds are due at once, so the next tick starts the first sync, unless the practice is paused."""
    now = clock.now()
    with transaction.atomic():
        practice = connection.practice
        practice.paused_at = now if paused else None
        _save_under_free_slug(practice)
        connection.practice = practice
        note(connection, steps)
        connection.save()
        Membership.objects.create(user=by, practice=practice, role=Role.ADMIN)
        create_feeds(practice)
    return practice


def check(connection: Connection) -> list[Step]:
    """Ask athena step by step, and keep the report with the connection."""
    steps = probe(connection)
    note(connection, steps)
    connection.save(update_fields=["checked_at", "check_report"])
    return steps


def note(connection: Connection, steps: Sequence[Step]) -> None:
    connection.checked_at = clock.now()
    connection.check_report = report(steps)


def report(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"step": step.name, "ok": step.ok, "message": step.message} for step in steps]


def _save_under_free_slug(practice: Practice) -> None:
    """Two admins may connect namesakes at one moment: the database decides, the second one gets a number."""
    stem = slugify(practice.name)[:40] or "practice"
    for number in range(1, NAMES_TRIED):
        practice.slug = stem if number == 1 else f"{stem}-{number}"
        if practice.slug == "new":  # the address of the wizard
            continue
        try:
            with transaction.atomic():
                practice.save(force_insert=True)
                return
        except IntegrityError:
            continue
    raise IntegrityError(f"no free slug for {stem}")
