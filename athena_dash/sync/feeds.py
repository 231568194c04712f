"""A practice's feeds: made with it, paused, resumed, run at once; and what to say of their freshness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.sync.models import Feed
from athena_dash.sync.resources import RESOURCES


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"
    FAILING = "failing"
    PAUSED = "paused"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FeedState:
    freshness: Freshness
    sentence: str

    @property
    def trusted(self) -> bool:
        """Whether "missing" may be read as missing; otherwise it reads as suspect sync."""
        return self.freshness is Freshness.FRESH


def create_feeds(practice: Practice) -> None:
    """One feed per resource, due at once; feeds that exist are left as they are."""
    now = clock.now()
    Feed.objects.bulk_create(
        [
            Feed(
                practice=practice,
                resource=resource.name,
                due_at=now,
                interval=resource.interval,
                fresh_within=resource.fresh_within,
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


def due(now: datetime) -> QuerySet[Feed]:
    return Feed.objects.filter(due_at__lte=now, paused_at__isnull=True, practice__paused_at__isnull=True)


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
    return FeedState(Freshness.FRESH, f"Up to date {minutes} minutes ago." if minutes else "Up to date.")
