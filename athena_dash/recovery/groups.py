"""Failures into groups: one line per fingerprint with its count, trend, worth, and what people decided."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Max, Min, Q, QuerySet
from django.db.models.functions import TruncHour

from athena_dash.recovery.held import Worth, worth_by_group
from athena_dash.recovery.models import GroupState
from athena_dash.sync.models import Failure, Reason, Stage

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

TREND_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    fingerprint: str
    message: str  # of one member; members differ only in ids and dates
    reason: Reason
    stage: Stage
    resource: str
    code: str
    field: str
    count: int
    waiting: int  # of them, how many have an automatic try ahead
    next_try_at: datetime | None
    practice_ids: tuple[int, ...]
    first_seen: datetime
    last_seen: datetime
    trend: tuple[int, ...]  # new failures per hour, oldest first
    gaps: int  # open gaps that only these failures explain
    at_risk: Decimal
    state: str  # open | acknowledged | muted: what holds in every practice of the group
    muted_until: datetime | None
    acknowledged_by: User | None
    new_since: int  # failures that came after the acknowledgement


def find_groups(failures: QuerySet[Failure], now: datetime) -> list[Group]:
    """The groups of a filtered queryset, dearest first, then largest; six queries, however many groups."""
    rows: list[Any] = list(
        failures.order_by()
        .values("fingerprint", "reason", "stage", "code", "field", "feed__resource")
        .annotate(
            count=Count("pk"),
            waiting=Count("pk", filter=Q(next_try_at__isnull=False)),
            next_try=Min("next_try_at"),
            first=Min("first_seen"),
            last=Max("last_seen"),
            message=Max("message"),
            practices=ArrayAgg("practice_id", distinct=True),
        )
    )
    trends = _trends(failures, now)
    worth = worth_by_group(list(failures.order_by().values_list("pk", flat=True)))
    decisions = _decisions(rows)
    newer = _after_acknowledgement(failures, decisions)
    groups = [
        _group(row, trends[row["fingerprint"]], worth.get(row["fingerprint"], Worth()), decisions, newer, now)
        for row in rows
    ]
    return sorted(groups, key=lambda group: (-group.at_risk, -group.count, group.fingerprint))


def acknowledge(fingerprint: str, practice_ids: list[int], user: User, now: datetime) -> None:
    _decide(fingerprint, practice_ids, acknowledged_by=user, acknowledged_at=now)


def mute(fingerprint: str, practice_ids: list[int], until: datetime | None) -> None:
    """Hide the group until then; None shows it again."""
    _decide(fingerprint, practice_ids, muted_until=until)


def _decide(fingerprint: str, practice_ids: list[int], **decision: Any) -> None:
    GroupState.objects.bulk_create(
        [GroupState(practice_id=pk, fingerprint=fingerprint, **decision) for pk in practice_ids],
        update_conflicts=True,
        unique_fields=["practice", "fingerprint"],
        update_fields=list(decision),
    )


def _trends(failures: QuerySet[Failure], now: datetime) -> dict[str, tuple[int, ...]]:
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    start = this_hour - timedelta(hours=TREND_HOURS - 1)
    hours: dict[str, list[int]] = defaultdict(lambda: [0] * TREND_HOURS)
    rows = (
        failures.order_by()
        .filter(first_seen__gte=start)
        .values("fingerprint", hour=TruncHour("first_seen"))
        .annotate(n=Count("pk"))
    )
    for row in rows:
        hours[row["fingerprint"]][
            min(int((row["hour"] - start).total_seconds() // 3600), TREND_HOURS - 1)
        ] += row["n"]
    trends: dict[str, tuple[int, ...]] = defaultdict(lambda: (0,) * TREND_HOURS)
    return trends | {fingerprint: tuple(counts) for fingerprint, counts in hours.items()}


def _decisions(rows: list[dict[str, Any]]) -> dict[tuple[str, int], GroupState]:
    states = GroupState.objects.filter(fingerprint__in={row["fingerprint"] for row in rows})
    return {
        (state.fingerprint, state.practice_id): state for state in states.select_related("acknowledged_by")
    }


def _after_acknowledgement(
    failures: QuerySet[Failure], decisions: dict[tuple[str, int], GroupState]
) -> dict[str, int]:
    newer = Q()
    for (fingerprint, practice_id), state in decisions.items():
        if state.acknowledged_at:
            newer |= Q(fingerprint=fingerprint, practice_id=practice_id, first_seen__gt=state.acknowledged_at)
    if not newer:
        return {}
    rows = failures.order_by().filter(newer).values("fingerprint").annotate(n=Count("pk"))
    return {row["fingerprint"]: row["n"] for row in rows}


def _group(
    row: dict[str, Any],
    trend: tuple[int, ...],
    worth: Worth,
    decisions: dict[tuple[str, int], GroupState],
    newer: dict[str, int],
    now: datetime,
) -> Group:
    fingerprint, practices = row["fingerprint"], tuple(row["practices"])
    states = [decisions.get((fingerprint, practice)) for practice in practices]
    muted = [state.muted_until for state in states if state and state.muted_until and state.muted_until > now]
    acknowledged = [state.acknowledged_by for state in states if state and state.acknowledged_at]
    is_muted, is_acknowledged = len(muted) == len(states), len(acknowledged) == len(states)
    return Group(
        fingerprint=fingerprint,
        message=row["message"],
        reason=Reason(row["reason"]),
        stage=Stage(row["stage"]),
        resource=row["feed__resource"] or "",
        code=row["code"],
        field=row["field"],
        count=row["count"],
        waiting=row["waiting"],
        next_try_at=row["next_try"],
        practice_ids=practices,
        first_seen=row["first"],
        last_seen=row["last"],
        trend=trend,
        gaps=worth.gaps,
        at_risk=worth.at_risk,
        state="muted" if is_muted else "acknowledged" if is_acknowledged else "open",
        muted_until=min(muted) if is_muted else None,
        acknowledged_by=acknowledged[0] if is_acknowledged else None,
        new_since=newer.get(fingerprint, 0) if is_acknowledged else 0,
    )
