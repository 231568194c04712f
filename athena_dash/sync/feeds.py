"""A practice's feeds: made with it, paused, resumed, run at once; and what to say of their freshness."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync import backfill, subjects
from athena_dash.sync.lease import move, take
from athena_dash.sync.models import Feed
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.walks import HISTORY, ahead_of

if TYPE_CHECKING:
    from athena_dash.accounts.models import User


SPACING = timedelta(seconds=10)  # between two runs of a feed that is asked for again and again
LEAST_NETTED, NETTED_SHARE = 5, 0.2  # few are chance: not every edit has an event


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    FAILING = "failing"
    PAUSED = "paused"
    NEVER = "never"
    FILLING = "filling"


@dataclass(frozen=True, slots=True)
class FeedState:
    freshness: Freshness
    sentence: str

    @property
    def trusted(self) -> bool:
        """Whether "missing" may be read as missing; otherwise it reads as suspect sync."""
        return self.freshness is Freshness.FRESH


def create_feeds(practice: Practice) -> None:
    """One feed per resource, due at once, and a backfill of its history; feeds that exist are left as they are."""
    now = clock.now()
    with transaction.atomic():
        make_feeds(practice, now)
        for feed in Feed.objects.filter(practice=practice, filling_since=now, backfills=None):
            ask_for_history(feed, now.date())


def ask_for_history(feed: Feed, today: date) -> None:
    backfill.ask(feed, today - HISTORY, today + ahead_of(RESOURCES[feed.resource]))


def ask_for_unannounced(feed: Feed) -> None:
    """Its subscription has just become active: what changed since we read it was announced to nobody. Appointments are
    found by when they were modified; claims by their windows once more, patients one by one."""
    resource, now = RESOURCES[feed.resource], clock.now()
    if resource.windows == "created":
        ask_for_history(feed, now.date())
    elif not resource.windows:
        subjects.ask_about_all(feed.practice_id, resource.name, resource.record, now)


def make_feeds(practice: Practice, now: datetime) -> None:
    Feed.objects.bulk_create(
        [
            Feed(
                practice=practice,
                resource=resource.name,
                due_at=now,
                interval=resource.interval,
                fresh_within=resource.fresh_within,
                filling_since=now if resource.windows else None,
                subscription=Feed.Subscription.MISSING if resource.changed else Feed.Subscription.NONE,
            )
            for resource in RESOURCES.values()
        ],
        ignore_conflicts=True,
    )


def pause(feed: Feed) -> None:
    Feed.objects.filter(pk=feed.pk, paused_at__isnull=True).update(paused_at=clock.now())


def resume(feed: Feed) -> None:
    Feed.objects.filter(pk=feed.pk).update(paused_at=None, due_at=clock.now())


def run_now(feed: Feed) -> None:
    """A person asks for this feed: due at once, also after a failure had put it off. The next tick takes it."""
    Feed.objects.filter(pk=feed.pk).update(due_at=clock.now())


def read_by_others(feed: Feed) -> str:
    """What makes us think that another program reads the changed feed with our API key; "" when nothing does. athena
    hands each row to a key once, so what the other one has read only our windows bring."""
    fed, netted = feed.delivered.get("fed", 0), feed.delivered.get("netted", 0)
    if netted < LEAST_NETTED or netted < NETTED_SHARE * (fed + netted):
        return ""
    return (
        f"{netted} of {fed + netted} changes of today came in by windows although the changed feed is active: another "
        "program probably reads it with the same API key."
    )


def set_back(feed: Feed, to: datetime, by: User) -> bool:
    """Read again what is new since then; kept with who asked for it. False while a run holds the feed, or when its
    cursor stands before that already."""
    lease = take(feed.pk)
    if lease is None:
        return False
    now = clock.now()
    try:
        with transaction.atomic():
            held = lease.hold()
            if marks := set_back_marks(held.cursor, to):
                move(held, marks, now, by=by)
                held.due_at = now
                held.save(update_fields=["cursor", "due_at"])
    finally:
        lease.release()
    return bool(marks)


def set_back_marks(cursor: dict[str, Any], to: datetime) -> dict[str, Any]:
    """Only marks that stand later. Rows the changed feed has handed out since are asked for again (`reading`)."""
    marks: dict[str, Any] = {
        mark: to.isoformat()
        for mark in ("read_at", "walked_at")
        if cursor.get(mark) and datetime.fromisoformat(cursor[mark]) > to
    }
    if "read_at" in marks:
        marks["reading"] = True
    if cursor.get("covered_to", "") > to.date().isoformat():
        marks["covered_to"] = to.date().isoformat()
    return marks


def due(now: datetime) -> QuerySet[Feed]:
    return Feed.objects.filter(due_at__lte=now, paused_at__isnull=True, practice__paused_at__isnull=True)


def hasten(practice_id: int, resources: Collection[str], now: datetime) -> list[int]:
    """Bring the next run of these forward, though never one that a failure has put off; the feeds due at once."""
    feeds = Feed.objects.for_practice(practice_id).filter(resource__in=resources)
    feeds.filter(paused_at=None, failures_in_a_row=0, due_at__gt=now).update(
        due_at=Least(F("due_at"), Greatest(F("last_attempt_at"), Value(now - SPACING)) + SPACING)
    )
    return sorted(feeds.filter(pk__in=due(now)).values_list("pk", flat=True))


def running(practice_id: int) -> bool:
    """Whether somebody holds a feed of the practice."""
    return Feed.objects.for_practice(practice_id).filter(lease_until__gt=clock.now()).exists()


def state(feed: Feed, now: datetime | None = None) -> FeedState:
    """Fresh means: a run came through within the feed's objective."""
    now = now or clock.now()
    if feed.paused_at:
        return FeedState(Freshness.PAUSED, "Paused: nothing new arrives until it is resumed.")
    if feed.last_success_at is None:
        return FeedState(Freshness.NEVER, "No run has come through yet.")
    age = now - feed.last_success_at
    minutes = int(age.total_seconds() // 60)
    if age > feed.fresh_within:
        return FeedState(Freshness.STALE, f"No run has come through for {minutes} minutes.")
    if feed.failures_in_a_row:
        return FeedState(
            Freshness.FAILING, f"The last {feed.failures_in_a_row} runs failed; still within its objective."
        )
    if feed.filling_since:
        return FeedState(Freshness.FILLING, "What is new arrives; its history is still coming, newest first.")
    return FeedState(
        Freshness.FRESH,
        f"Up to date {minutes} minute{'s' if minutes > 1 else ''} ago." if minutes else "Up to date.",
    )
