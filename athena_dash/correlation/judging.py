"""Visits → their gaps, stored: load the facts in sets, judge each visit purely, write what changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from athena_dash.core import clock
from athena_dash.core.collector import no_collector
from athena_dash.correlation import dossier, dossier_sql, gap_store
from athena_dash.correlation.gap_store import Changes
from athena_dash.correlation.judge import judge_visit
from athena_dash.correlation.learned_sql import set_and_learned
from athena_dash.correlation.models import Visit
from athena_dash.correlation.verdict import Evidence


@dataclass(slots=True)
class JudgeSummary:
    """Gap rows by what happened to them."""

    judged: int = 0
    opened: Counter[str] = field(default_factory=Counter)
    reopened: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    changed: int = 0

    def add(self, judged: int, changes: Changes) -> None:
        self.judged += judged
        self.opened += changes.opened
        self.reopened += changes.reopened
        self.closed += changes.closed
        self.changed += changes.changed.total()


CHUNK = 5_000
"""Visits whose facts are held at once: the more, the fewer statements; the fewer, the less memory."""


def judge_visits(practice_id: int, visit_ids: Collection[int], evidence: Evidence) -> JudgeSummary:
    summary = JudgeSummary()
    if not visit_ids:
        return summary
    now = clock.now()
    policies, learned = set_and_learned(practice_id)
    ordered = sorted(visit_ids)
    dossier_sql.plan_for(len(ordered))

    def judge_chunk(chunk: list[int]) -> None:
        """What it holds is let go before the collector comes back, which would look at it all."""
        visits = dossier.load(practice_id, chunk, policies, learned)
        judged = [judge_visit(visit, policies, evidence, learned, now) for visit in visits]
        summary.add(len(judged), gap_store.store(practice_id, judged, now))

    with no_collector():
        for start in range(0, len(ordered), CHUNK):
            judge_chunk(ordered[start : start + CHUNK])
    return summary


def due(now: datetime, limit: int) -> dict[int, list[int]]:
    """Visits whose answer time alone may have changed, longest due first: practice → visit ids."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Visit.objects.filter(reconsider_at__lte=now, practice__paused_at__isnull=True)
    for practice_id, visit_id in rows.order_by("reconsider_at").values_list("practice_id", "pk")[:limit]:
        found[practice_id].append(visit_id)
    return dict(found)


def due_in(practice_id: int, now: datetime, limit: int) -> list[int]:
    rows = (
        Visit.objects.for_practice(practice_id).filter(reconsider_at__lte=now).order_by("reconsider_at", "pk")
    )
    return list(rows.values_list("pk", flat=True)[:limit])
