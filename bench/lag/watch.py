"""Looks at the sandbox's store and at our tables: which changes happened there, and when each was visible here."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

EVERY = 2.0  # seconds

Change = tuple[str, str, str]
"""(athena's practice id, table, key)."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A change: how late it was visible, or how long it has waited in vain."""

    kind: str
    seconds: float
    visible: bool


@dataclass
class Look:
    """`pending`: when each change happened; `until`: the newest stamp heard of, by practice."""

    pending: dict[Change, datetime] = field(default_factory=dict)
    until: dict[str, datetime] = field(default_factory=dict)
    seen: list[Watched] = field(default_factory=list)


def watch(root: Path, seconds: float, after: float) -> list[Watched]:
    """Changes of the next `seconds`, looked for until `after` seconds later."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
    import django

    django.setup()
    from django.db import connection

    from athena_dash.core import clock
    from athena_dash.core.embedded.attach import attach
    from athena_dash.practices.models import Practice
    from integrations.sandbox.store import Store

    in_use = attach()
    practices, now = list(Practice.objects.all()), clock.now()
    look = Look(until={practice.athena_id: now for practice in practices})
    began = time.monotonic()
    path = root / "sandbox" / "athena.sqlite3"
    with Store(path) as store:
        while (passed := time.monotonic() - began) < seconds + after:
            for practice in practices:
                hearing = passed < seconds and newer(
                    store, practice.athena_id, look.until[practice.athena_id]
                )
                if hearing or any(change[0] == practice.athena_id for change in look.pending):
                    see(look, path, practice, hearing=hearing)
            time.sleep(EVERY)
    connection.close()
    if in_use is not None:
        os.close(in_use)
    now = clock.now()
    unseen = [Watched(table, (now - at).total_seconds(), False) for (_, table, _), at in look.pending.items()]
    return look.seen + unseen


def newer(store: Any, athena_id: str, than: datetime) -> bool:
    sql = "select exists (select 1 from thing where practice=? and modified>?)"
    return bool(store.db.execute(sql, (athena_id, than.isoformat())).fetchone()[0])


def see(look: Look, path: Path, practice: Any, *, hearing: bool) -> None:
    """Compare what is waited for, and what has newly happened, with our rows."""
    from athena_dash.core import clock
    from athena_dash.operations.torture import proof
    from athena_dash.operations.torture.truth import RULES, Truth
    from athena_dash.records import models as records

    athena_id = practice.athena_id
    truth, since = Truth.read(path, athena_id, clock.now()), look.until[athena_id]
    right: list[Change] = []
    for table in RULES:
        wanted = {
            row.key: row
            for row in truth.rows(table)
            if (athena_id, table, row.key) in look.pending
            or (hearing and row.required and row.modified > since)
        }
        model: Any = getattr(records, table.partition(" ")[0])
        found = model.objects.filter(practice=practice, external_id__in=list(wanted))
        ours = {one.external_id: one for one in found}
        for key, row in wanted.items():
            change = (athena_id, table, key)
            same = key in ours and not proof.differing(ours[key], row, truth)
            if same and change in look.pending:
                right.append(change)
            elif not same and change not in look.pending:  # else we said so before: nothing to be late with
                look.pending[change] = row.modified
            if hearing:
                look.until[athena_id] = max(look.until[athena_id], row.modified)
    if right and not unjudged(practice):
        now = clock.now()
        for change in right:
            late = (now - look.pending.pop(change)).total_seconds()
            look.seen.append(Watched(change[1], late, visible=True))


def unjudged(practice: Any) -> bool:
    from athena_dash.sync.models import RawSegment, Touched

    return (
        Touched.objects.filter(practice=practice).exists()
        or RawSegment.objects.filter(practice=practice, processed_version=None).exists()
    )
