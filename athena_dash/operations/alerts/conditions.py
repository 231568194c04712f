"""What is wrong in some practices now, as {(practice, key): Condition}; six queries, and one for
each practice with a stale feed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Sum

from athena_dash.correlation.models import Gap
from athena_dash.practices.models import ROTATION_WARNINGS, Connection, Practice
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.recovery.models import GroupState
from athena_dash.sync.models import Failure, Feed
from athena_dash.sync.standing import standings

Key = tuple[int, str]
"""(practice, key of the alert)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`worth_opening` is false while a person has silenced it: then it opens nothing, and closes nothing either."""

    sentence: str
    worth_opening: bool = True


def conditions(practice_ids: Collection[int], now: datetime) -> dict[Key, Condition]:
    return (
        refused(practice_ids)
        | expiring(practice_ids, now)
        | at_athena(practice_ids)
        | stale(practice_ids, now)
        | failing(practice_ids, now)
        | running_out(practice_ids, now)
    )


def refused(practice_ids: Collection[int]) -> dict[Key, Condition]:
    found = Connection.objects.filter(practice__in=practice_ids, credential_failed_at__isnull=False)
    return {
        (pk, "credential"): Condition("athena refuses the credential.")
        for pk in found.values_list("practice_id", flat=True)
    }


def expiring(practice_ids: Collection[int], now: datetime) -> dict[Key, Condition]:
    """athena does not say when a secret ends; an admin does. Each warning is an alert of its own, so each is told."""
    dated = Connection.objects.filter(practice__in=practice_ids, rotate_by__isnull=False)
    return {
        (one.practice_id, f"rotate:{days}"): Condition(one.rotation_sentence)
        for one in dated
        for days in ROTATION_WARNINGS
        if one.rotate_by and (one.rotate_by - now.date()).days <= days
    }


def at_athena(practice_ids: Collection[int]) -> dict[Key, Condition]:
    """While Valkey is away nothing is known of them; raising leaves every alert as it is until the next look."""
    found: dict[Key, Condition] = {}
    for practice_id, standing in standings(practice_ids).items():
        if standing.open:
            found[practice_id, "circuit"] = Condition(standing.sentence)
        if standing.foreign:
            found[practice_id, "key"] = Condition(standing.foreign.sentence)
    return found


def stale(practice_ids: Collection[int], now: datetime) -> dict[Key, Condition]:
    """A feed that has never come through is a first sync, not a breach. One that went stale while nobody was there is
    told when the practice opens, if it still is."""
    feeds = Feed.objects.filter(practice__in=practice_ids, last_success_at__isnull=False)
    late = [
        feed for feed in feeds.select_related("practice") if now - feed.last_success_at > feed.fresh_within
    ]
    practices = {feed.practice_id: feed.practice for feed in late}
    is_open = {pk: opening_hours(practice).is_open(now) for pk, practice in practices.items()}
    return {
        (feed.practice_id, f"feed:{feed.resource}"): Condition(
            f"The feed {feed.resource} is stale.",
            worth_opening=feed.paused_at is None and is_open[feed.practice_id],
        )
        for feed in late
    }


def failing(practice_ids: Collection[int], now: datetime) -> dict[Key, Condition]:
    """Groups of failures that wait for a person; what is tried again by itself may yet pass."""
    waiting = Failure.objects.filter(practice__in=practice_ids, resolved_at=None, next_try_at=None)
    groups = waiting.order_by().values_list("practice_id", "fingerprint").annotate(said=Max("message"))
    muted = GroupState.objects.filter(practice__in=practice_ids, muted_until__gt=now)
    silent = set(muted.values_list("practice_id", "fingerprint"))
    return {
        (pk, f"group:{fingerprint}"): Condition(
            f"Failures wait for a person: {said}", worth_opening=(pk, fingerprint) not in silent
        )
        for pk, fingerprint, said in groups
    }


# days before a claim or an appeal must reach its payer (revenue-cycle.md §0.7)
DEADLINE_WARNINGS = (
    30,
    21,
    14,
    7,
)


def running_out(practice_ids: Collection[int], now: datetime) -> dict[Key, Condition]:
    """Each warning of each date is an alert of its own, told once. A date first met late is told by its nearest warning
    only; the farther ones open nothing."""
    zones = dict(Practice.objects.filter(pk__in=practice_ids).values_list("pk", "timezone"))
    today = {pk: now.astimezone(ZoneInfo(zone)).date() for pk, zone in zones.items()}
    first = min(today.values(), default=now.date())
    waiting = Gap.objects.filter(
        practice__in=practice_ids,
        closed_at__isnull=True,
        primary=True,
        filing_limit__gte=first,
        filing_limit__lte=first + timedelta(days=max(DEADLINE_WARNINGS) + 1),
    )
    dates = waiting.order_by().values_list("practice_id", "filing_limit")
    found: dict[Key, Condition] = {}
    for pk, limit, visits, dollars in dates.annotate(visits=Count("pk"), dollars=Sum("at_risk")):
        left = (limit - today[pk]).days
        holding = [days for days in DEADLINE_WARNINGS if 0 <= left <= days]
        for days in holding:
            found[pk, f"deadline:{limit}:{days}"] = Condition(
                deadline_sentence(limit, visits, dollars or 0), worth_opening=days == min(holding)
            )
    return found


def deadline_sentence(limit: date, visits: int, dollars: float) -> str:
    whose = "1 visit" if visits == 1 else f"{visits} visits"
    return f"By {limit:%d %b %Y} {whose} must reach the payer, ${dollars:,.0f} expected."
