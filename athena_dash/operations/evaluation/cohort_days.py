"""Days on which a provider's charges stopped, against those that stand out as cohorts (D6)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import transaction

from athena_dash.correlation import cohorts
from athena_dash.correlation.models import Gap, Visit
from athena_dash.operations.evaluation.labels import athena_ids
from athena_dash.operations.evaluation.score import Tally
from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population.charging import STOPPED

Day = tuple[Any, ...]
"""(practice, day, department, provider)."""


def score_cohorts(ledger: Ledger) -> Tally:
    """As if athena had not been asked yet, whose answer ends a cohort. The whole department's speaks for its providers.
    A day with too few such visits is not expected."""
    with transaction.atomic():
        Gap.objects.update(asked_at=None)
        found = {
            (practice_id, one.day, one.department_id, one.provider_id)
            for practice_id in athena_ids()
            for one in cohorts.find(practice_id)
        }
        transaction.set_rollback(True)
    stopped = stopped_days(ledger)
    true = {day for day, visits in stopped.items() if visits >= cohorts.LEAST}
    shown = {day for day in true if {day, whole(day)} & found}
    others = found - stopped.keys() - {whole(day) for day in stopped}
    return Tally(tp=len(shown), fp=len(others), fn=len(true - shown))


def whole(day: Day) -> Day:
    return *day[:-1], ""


def stopped_days(ledger: Ledger) -> Counter[Day]:
    """→ visits whose charges were never entered that day."""
    ids = {
        (cause.practice, cause.record.id)
        for cause in ledger.causes
        if cause.cause == STOPPED and cause.record is not None
    }
    practices = athena_ids()
    visits = Visit.objects.filter(anchor=Visit.Anchor.APPOINTMENT).values_list(
        "practice_id", "anchor_id", "service_date", "department_id", "provider_id"
    )
    return Counter(
        (practice_id, *place) for practice_id, id, *place in visits if (practices[practice_id], id) in ids
    )
