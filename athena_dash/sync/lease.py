"""A worker's hold on a feed, with a fencing token: whoever lost the lease can no longer commit a page.

What sync.pull commits under is anything that can `hold` and then `advance`: a feed here, a chunk in sync.backfill.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from django.db.models import F, Q

from athena_dash.core import clock
from athena_dash.sync.models import CursorMove, Feed, Run

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.sync.walks import Step

LENGTH = timedelta(minutes=2)  # longer than the longest call with its retries; every page renews it
MOVES_KEPT = 200
FLAGS = frozenset({"reading", "watched_at"})  # in a cursor: say nothing of where it stands


class LeaseLost(Exception):
    """Another worker holds it now; what this one fetched since must not be written."""


class Held(Protocol):
    """In the caller's transaction: lock and renew, or raise LeaseLost; then write what the step and the run say.
    `new` payloads of the step differ from what was stored."""

    def hold(self) -> Any: ...

    def advance(self, held: Any, step: Step, run: Run, new: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Lease:
    feed_id: int
    token: int

    def hold(self) -> Feed:
        """Lock the feed's row for this transaction and renew the lease, or raise LeaseLost."""
        feed: Feed | None = (
            Feed.objects.select_for_update().filter(pk=self.feed_id, lease_token=self.token).first()
        )
        if feed is None:
            raise LeaseLost
        feed.lease_until = clock.now() + LENGTH
        return feed

    def advance(self, held: Feed, step: Step, run: Run, new: int) -> None:
        now = clock.now()
        if step.cursor:
            move(held, step.cursor, now, run=run)
        if step.subscription not in (None, held.subscription):
            held.subscription, held.subscribed_at = step.subscription, now
        if step.counts_as:
            held.delivered = counted(held.delivered, step.counts_as, new, f"{now.astimezone(UTC):%Y-%m-%d}")
        held.save(update_fields=["cursor", "subscription", "subscribed_at", "delivered", "lease_until"])

    def release(self) -> None:
        Feed.objects.filter(pk=self.feed_id, lease_token=self.token).update(lease_until=None)


def counted(delivered: dict[str, Any], way: str, new: int, day: str) -> dict[str, Any]:
    today: dict[str, Any] = delivered if delivered.get("day") == day else {"day": day, "fed": 0, "netted": 0}
    return today | {way: today[way] + new}


def take(feed_id: int) -> Lease | None:
    """The lease of a free feed, or None while another worker holds it."""
    now = clock.now()
    free = Feed.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=feed_id)
    if not free.update(lease_token=F("lease_token") + 1, lease_until=now + LENGTH):
        return None
    return Lease(feed_id, Feed.objects.values_list("lease_token", flat=True).get(pk=feed_id))


def move(
    feed: Feed, marks: dict[str, Any], at: datetime, *, run: Run | None = None, by: User | None = None
) -> None:
    """Set marks of the cursor, and keep the move if any of them stands elsewhere now. The caller saves the feed."""
    moved = {mark: to for mark, to in marks.items() if mark not in FLAGS and feed.cursor.get(mark) != to}
    if moved:
        before = {mark: feed.cursor.get(mark) for mark in moved}
        CursorMove.objects.create(feed=feed, at=at, before=before, after=moved, run=run, by=by)
        forgotten = CursorMove.objects.filter(feed=feed).order_by("-pk").values("pk")[MOVES_KEPT:]
        CursorMove.objects.filter(pk__in=forgotten).delete()
    feed.cursor |= marks
