"""Conditions that began or ended since the last look → alerts opened or closed, and a message that says so.

What happens within a few minutes, or within quiet hours, is told in one message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from athena_dash.core import clock
from athena_dash.operations.alerts.conditions import conditions
from athena_dash.operations.models import Alert, AlertMessage, AlertRoute

SPACING = timedelta(minutes=5)  # between two messages by one channel: a feed that comes and goes is no flood
DAY = timedelta(days=1)
LOCK = 7_003

Transition = dict[str, Any]


def evaluate() -> int:
    """Look at every practice that wants alerts; how many transitions there were. A paused practice keeps its state."""
    now = clock.now()
    with transaction.atomic():
        if not alone():
            return 0
        routes = {
            route.practice_id: route
            for route in AlertRoute.objects.select_related("practice").filter(practice__paused_at=None)
        }
        holding = conditions(list(routes), now)
        standing = {
            (a.practice_id, a.key): a for a in Alert.objects.filter(practice__in=routes, closed_at=None)
        }
        ended = [alert for key, alert in standing.items() if key not in holding]
        begun = [
            Alert(practice_id=practice_id, key=key, sentence=condition.sentence, opened_at=now)
            for (practice_id, key), condition in holding.items()
            if condition.worth_opening and (practice_id, key) not in standing
        ]
        Alert.objects.filter(pk__in=[alert.pk for alert in ended]).update(closed_at=now)
        Alert.objects.bulk_create(begun)
        changes = [*(("opened", alert) for alert in begun), *(("closed", alert) for alert in ended)]
        tell_all(routes, changes, now)
    return len(changes)


def alone() -> bool:
    """Two ticks at once would both see the same change."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, 0)", [LOCK])
        return bool(cursor.fetchone()[0])


def tell_all(routes: dict[int, AlertRoute], changes: Sequence[tuple[str, Alert]], now: datetime) -> None:
    found: dict[int, list[Transition]] = defaultdict(list)
    for kind, alert in changes:
        told = {"type": kind, "key": alert.key, "sentence": alert.sentence, "at": now.isoformat()}
        found[alert.practice_id].append(told)
    for practice_id, transitions in found.items():
        for channel in channels(routes[practice_id]):
            tell(routes[practice_id], channel, transitions, now)


def channels(route: AlertRoute) -> list[str]:
    wanted = {AlertMessage.Channel.EMAIL: route.email, AlertMessage.Channel.WEBHOOK: route.webhook_url}
    return [channel for channel, address in wanted.items() if address]


def tell(route: AlertRoute, channel: str, transitions: list[Transition], now: datetime) -> None:
    """Add to the message that nobody has begun to send, or make one that does not follow the last too closely."""
    messages = AlertMessage.objects.for_practice(route.practice_id).filter(channel=channel)
    waiting = messages.select_for_update(skip_locked=True).filter(sent_at=None, attempts=0).first()
    if waiting:
        waiting.transitions += transitions
        waiting.save(update_fields=["transitions"])
        return
    last = messages.aggregate(told=Max(Coalesce("sent_at", "created_at")))["told"]
    earliest = max(now, last + SPACING) if last else now
    AlertMessage.objects.create(
        practice_id=route.practice_id,
        channel=channel,
        transitions=transitions,
        created_at=now,
        due_at=after_quiet_hours(route, earliest),
    )


def after_quiet_hours(route: AlertRoute, at: datetime) -> datetime:
    """`at`, or the end of the quiet hours it falls into; they may span midnight."""
    if route.quiet_from is None or route.quiet_to is None:
        return at
    local = at.astimezone(ZoneInfo(route.practice.timezone))
    if not is_quiet(local.time(), route.quiet_from, route.quiet_to):
        return at
    end = datetime.combine(local.date(), route.quiet_to, local.tzinfo)
    return end if end > local else datetime.combine(local.date() + DAY, route.quiet_to, local.tzinfo)


def is_quiet(at: time, start: time, end: time) -> bool:
    return start <= at < end if start <= end else at >= start or at < end
