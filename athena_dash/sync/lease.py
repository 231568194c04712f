"""A worker's hold on a feed, with a fencing token: whoever lost the lease can no longer commit a page; holds raw SQL.

What sync.pull commits under is anything that is Held: a feed here, a chunk in sync.backfill.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from django.db.models import F, Q

from athena_dash.core import clock
from athena_dash.core.one_trip import fetch
from athena_dash.sync import failures, subjects
from athena_dash.sync.models import CursorMove, Failure, Feed, Run
from integrations.athena.errors import CircuitOpen

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.sync.walks import Step

LENGTH = timedelta(minutes=2)  # longer than the longest call with its retries; every step renews it
LONGEST_BACKOFF = timedelta(hours=1)
MOVES_KEPT = 200
HEARING = (Feed.Subscription.NONE, Feed.Subscription.ACTIVE)  # needs no subscription, or has a whole one
DONE = (
    "last_attempt_at",
    "last_success_at",
    "listening_since",
    "failures_in_a_row",
    "due_at",
)
FLAGS = frozenset({"reading", "watched_at"})  # in a cursor: say nothing of where it stands


class LeaseLost(Exception):
    """Another worker holds it now; what this one fetched since must not be written."""


class Held(Protocol):
    """`kind` and `key` name what is held, as a Failure does. All but `release` are called in a transaction, the later
    ones with what `hold` gave."""

    kind: ClassVar[Failure.SubjectKind]

    @property
    def key(self) -> str: ...

    def renew(self) -> None:
        """Lock and renew, or raise LeaseLost."""

    def hold(self) -> Any:
        """Renew, and read what is held."""

    def advance(self, held: Any, step: Step, run: Run, new: int) -> None:
        """Write what the step and the run say. `new` payloads of the step differ from what was stored."""

    def done(self, held: Any, run: Run) -> None: ...

    def failed(self, held: Any, run: Run, error: Exception, failure: Failure) -> datetime:
        """Return when it is tried again."""

    def release(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lease:
    kind: ClassVar = Failure.SubjectKind.FEED
    feed_id: int
    token: int

    @property
    def key(self) -> str:
        return str(self.feed_id)

    def renew(self) -> None:
        renew("sync_feed", self.feed_id, self.token)

    def hold(self) -> Feed:
        self.renew()
        feed: Feed = Feed.objects.get(pk=self.feed_id)
        return feed

    def advance(self, held: Feed, step: Step, run: Run, new: int) -> None:
        now = clock.now()
        if step.cursor:
            move(held, step.cursor, now, run=run)
        if step.subscription not in (None, held.subscription):
            held.subscription, held.subscribed_at = step.subscription, now
        if step.counts_as:
            held.delivered = counted(held.delivered, step.counts_as, new, f"{now.astimezone(UTC):%Y-%m-%d}")
        held.save(update_fields=["cursor", "subscription", "subscribed_at", "delivered"])

    def done(self, held: Feed, run: Run) -> None:
        now = clock.now()
        held.last_attempt_at = held.last_success_at = run.finished_at
        held.failures_in_a_row = 0
        if held.listening_since is None and held.subscription in HEARING:
            held.listening_since = run.started_at
        more = bool(subjects.due(held.practice_id, held.resource, now, 1))
        held.due_at = now if more else now + held.interval
        held.save(update_fields=DONE)

    def failed(self, held: Feed, run: Run, error: Exception, failure: Failure) -> datetime:
        now = clock.now()
        wait = timedelta(seconds=failures.understand(error).retry_after or 0)
        if not isinstance(error, CircuitOpen):  # then athena was not asked, so this says nothing of the feed
            held.failures_in_a_row += 1
            wait = max(backoff(held), wait)
        held.last_attempt_at, held.due_at = run.finished_at, now + wait
        held.save(update_fields=["last_attempt_at", "failures_in_a_row", "due_at"])
        return held.due_at

    def release(self) -> None:
        Feed.objects.filter(pk=self.feed_id, lease_token=self.token).update(lease_until=None)


RENEW = """
update {table} set lease_until = %(until)s where id = %(id)s and lease_token = %(token)s returning id
"""


def renew(table: str, pk: int, token: int) -> None:
    """Keep the row locked until the caller's transaction ends. Every commit of pages does: Django's own way of reading
    the row and writing it back takes ten times as long."""
    (renewed,) = fetch({"until": clock.now() + LENGTH, "id": pk, "token": token}, RENEW.format(table=table))
    if not renewed:
        raise LeaseLost


def backoff(feed: Feed) -> timedelta:
    """Twice as long after each failure in a row, up to an hour."""
    doublings = min(feed.failures_in_a_row, 10)  # a feed may have failed for weeks
    interval: timedelta = feed.interval
    return min(interval * (1 << doublings), LONGEST_BACKOFF)


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
