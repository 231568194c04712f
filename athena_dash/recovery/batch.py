"""Works the waiting items of one Replay, one by one, until done, paused, cancelled or out of time; resumable.

Items are rows: whatever kills the worker, the next one finds the waiting items and redoes none of the rest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from athena_dash.core import clock
from athena_dash.recovery.models import Replay, ReplayItem
from athena_dash.sync import replay as sync_replay
from athena_dash.sync.models import Failure

# longer than the slowest single retry; what a killed worker costs before the resume
LEASE = timedelta(minutes=2)
SLICE = timedelta(minutes=5)  # half of the queue's job timeout; the tick then gives the rest to a new job
WATCHED = 50
TOLERATED = 0.2
FEWEST = 10  # failing three of the first five says little

Outcome = ReplayItem.Outcome
State = Replay.State
BAD = (Outcome.FAILED, Outcome.UNKNOWN)


def run(replay_id: int) -> None:
    lease = Lease.take(replay_id)
    if lease is None:
        return
    try:
        _work(Replay.objects.select_related("started_by").get(pk=replay_id), lease, until=clock.now() + SLICE)
    finally:
        lease.release()


class Lease:
    """One worker at a time, by compare and set on `leased_until`; who lost it cannot renew or release it."""

    def __init__(self, replay_id: int, until: datetime) -> None:
        self.replay_id, self.until = replay_id, until

    @classmethod
    def take(cls, replay_id: int) -> Lease | None:
        now = clock.now()
        free = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
        running = Replay.objects.filter(free, pk=replay_id, state=State.RUNNING)
        return cls(replay_id, now + LEASE) if running.update(leased_until=now + LEASE) else None

    def renew(self) -> bool:
        """False when another worker has it, or a person has paused or cancelled the replay."""
        until = clock.now() + LEASE
        mine = Replay.objects.filter(pk=self.replay_id, leased_until=self.until, state=State.RUNNING)
        renewed = bool(mine.update(leased_until=until))
        self.until = until if renewed else self.until
        return renewed

    def release(self) -> None:
        Replay.objects.filter(pk=self.replay_id, leased_until=self.until).update(leased_until=None)


def _work(replay: Replay, lease: Lease, *, until: datetime) -> None:
    # Whoever resumes by hand accepts the kinds of failure that had appeared by then.
    known = _fingerprints(replay)
    last = 0
    while clock.now() < until and lease.renew():
        item = _next(replay, after=last)
        if item is None:
            return _finish(replay)
        last = item.pk
        if _try(replay, item) in BAD and (alarm := _alarm(replay, item, known)):
            _move(replay, State.PAUSED, message=alarm)
    return None


def _next(replay: Replay, *, after: int) -> ReplayItem | None:
    """One pass in order: an item that somebody else holds at the moment stays waiting for the next pass."""
    return replay.items.filter(outcome=Outcome.WAITING, pk__gt=after).order_by("pk").first()


def _try(replay: Replay, item: ReplayItem) -> str:
    result = sync_replay.retry(item.failure_id, verb=replay.verb, trigger="replay", by=replay.started_by)
    if result.outcome == "busy":
        return Outcome.WAITING
    ReplayItem.objects.filter(pk=item.pk, outcome=Outcome.WAITING).update(
        outcome=result.outcome,
        message=result.message,
        gaps_closed=result.gaps_closed,
        dollars_closed=result.dollars_closed,
        finished_at=clock.now(),
    )
    return result.outcome


def _alarm(replay: Replay, item: ReplayItem, known: set[str]) -> str:
    """Why the replay should stop and ask a person, or nothing (design/replay.md, auto-pause)."""
    failure = Failure.objects.get(pk=item.failure_id)
    if failure.fingerprint not in known:
        return f"Paused by itself: a new kind of failure appeared. {failure.message}"
    outcomes = replay.items.exclude(outcome=Outcome.WAITING).order_by("-finished_at", "-pk")
    recent = list(outcomes.values_list("outcome", flat=True)[:WATCHED])
    bad = sum(outcome in BAD for outcome in recent)
    if len(recent) >= FEWEST and bad / len(recent) > TOLERATED:
        return f"Paused by itself: {bad} of the last {len(recent)} failed again. Fix the cause, then resume."
    return ""


def _fingerprints(replay: Replay) -> set[str]:
    return {replay.fingerprint, *replay.items.values_list("failure__fingerprint", flat=True).distinct()}


def _finish(replay: Replay) -> None:
    if not replay.items.filter(outcome=Outcome.WAITING).exists():
        _move(replay, State.DONE, finished_at=clock.now())


def _move(replay: Replay, to: Replay.State, **changes: object) -> None:
    Replay.objects.filter(pk=replay.pk, state=State.RUNNING).update(state=to, **changes)
