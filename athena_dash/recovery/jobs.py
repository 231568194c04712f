"""The one module of recovery that knows the queue: wakes a worker for a Replay, again when one was lost."""

from __future__ import annotations

from django.db.models import Q

from athena_dash.core import clock
from athena_dash.core.queue import wake
from athena_dash.recovery import batch
from athena_dash.recovery.models import Replay


def enqueue_due() -> int:
    """Called by the tick: a job for each running replay that no worker holds. Returns how many it made."""
    free = Q(leased_until__isnull=True) | Q(leased_until__lte=clock.now())
    due = Replay.objects.filter(free, state=Replay.State.RUNNING).order_by("pk").values_list("pk", flat=True)
    return sum(enqueue(pk) for pk in due)


def enqueue(replay_id: int) -> bool:
    return wake("replay", run_replay, replay_id)


def run_replay(replay_id: int) -> None:
    batch.run(replay_id)
