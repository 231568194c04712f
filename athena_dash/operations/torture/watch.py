"""How late a change is seen: from the instant it stood in athena's changed feed to the one at which our row says it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import Error, connection

from athena_dash.core import clock
from athena_dash.operations.torture import proof
from athena_dash.operations.torture.truth import Truth
from athena_dash.practices.models import Practice
from athena_dash.records import models as records
from athena_dash.sync.models import Feed
from integrations.sandbox.store import Store
from integrations.sandbox.world import KINDS, Appointment, Claim, Encounter, Patient, Thing

EVERY = 0.2  # seconds of the machine
FEEDS: dict[str, tuple[type[Thing], str]] = {
    "appointments": (Appointment, "Appointment"),
    "claims": (Claim, "Claim"),
    "patients": (Patient, "Patient"),
}
KIND_OF = {struct: kind for kind, struct in KINDS.items()}

Change = tuple[str, str]
"""(feed, id)"""


@dataclass(frozen=True, slots=True)
class Lag:
    world: float  # seconds of the world's time
    began: float  # monotonic seconds of the machine
    ended: float


@dataclass
class Watch:
    path: Path
    athena_id: str
    practice: Practice
    pace: float
    lags: list[Lag] = field(default_factory=list)
    pending: dict[Change, datetime] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self) -> int:
        """How many changes are still to be seen."""
        self.stopping.set()
        self.thread.join()
        return len(self.pending)

    def run(self) -> None:
        with Store(self.path) as store:
            while not self.listening() and not self.stopping.wait(EVERY):
                pass
            last = newest(store)
            while not self.stopping.wait(EVERY):
                last, fresh = self.hear(store, last)
                try:
                    self.look(store, fresh)
                except Error:  # PostgreSQL has just been killed
                    connection.close()
        connection.close()

    def listening(self) -> bool:
        """The first sync is over and the subscriptions are active: from here on we claim to be quick."""
        try:
            feeds = Feed.objects.filter(practice=self.practice)
            silent = feeds.filter(last_success_at__isnull=True)
            deaf = feeds.filter(resource__in=FEEDS).exclude(subscription=Feed.Subscription.ACTIVE)
            return not silent.exists() and not deaf.exists()
        except Error:  # PostgreSQL has just been killed
            connection.close()
            return False

    def hear(self, store: Store, last: int) -> tuple[int, set[Change]]:
        sql = "select seq, feed, id, at from change where practice=? and seq>? order by seq"
        fresh = set()
        for seq, feed, id, at in store.db.execute(sql, (self.athena_id, last)).fetchall():
            last = seq
            if feed in FEEDS:
                fresh.add((feed, id))
                self.pending.setdefault((feed, id), datetime.fromisoformat(at))
        return last, fresh

    def look(self, store: Store, fresh: set[Change]) -> None:
        """What our rows say by now. A change that made no difference, because they said it before, is no sample."""
        by_feed: dict[str, list[str]] = defaultdict(list)
        for feed, id in self.pending:
            by_feed[feed].append(id)
        for feed, ids in by_feed.items():
            truth, table = self.some(store, feed, ids), FEEDS[feed][1]
            model: Any = getattr(records, table)
            rows = {
                row.external_id: row
                for row in model.objects.filter(practice=self.practice, external_id__in=ids)
            }
            for row in truth.rows(table):
                if row.key in rows and not proof.differing(rows[row.key], row, truth):
                    self.seen((feed, row.key), said_before=(feed, row.key) in fresh)

    def seen(self, change: Change, *, said_before: bool) -> None:
        at, now = self.pending.pop(change), time.monotonic()
        if not said_before:
            late = (clock.now() - at).total_seconds()
            self.lags.append(Lag(late, now - late / self.pace, now))

    def some(self, store: Store, feed: str, ids: list[str]) -> Truth:
        """A truth of these things only, and what their rows depend on."""
        struct = FEEDS[feed][0]
        things: dict[type[Thing], list[Any]] = {each: [] for each in KINDS.values()}
        things[struct] = [thing for id in ids if (thing := store.get(self.athena_id, KIND_OF[struct], id))]
        if struct is Appointment:
            named = [one.encounter_id for one in things[Appointment] if one.encounter_id]
            things[Encounter] = [one for id in named if (one := store.get(self.athena_id, "encounter", id))]
        merged = "json_extract(cast(doc as text), '$.merged_into') is not null"
        away = {one.id: one.merged_into for one in store.find(self.athena_id, "patient", merged)}  # type: ignore[attr-defined]
        return Truth(self.athena_id, clock.now(), things, away)


def newest(store: Store) -> int:
    found: int = store.db.execute("select coalesce(max(seq), 0) from change").fetchone()[0]
    return found
