"""A plan into Replays, and what a person may do to one: pause, resume, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from django.db import transaction

from athena_dash.core import clock
from athena_dash.recovery import jobs
from athena_dash.recovery.models import Replay, ReplayItem
from athena_dash.recovery.plan import FrozenPlan
from athena_dash.sync.models import Failure

if TYPE_CHECKING:
    from athena_dash.accounts.models import User


def start(plan: FrozenPlan, *, key: UUID, user: User, may_replay: set[int]) -> list[Replay]:
    """One Replay per practice. The same key finds the Replays it made: a double click, a second tab, Enter.

    Rights are asked again here: a plan may be an hour old.
    """
    replays = []
    for practice_id, failure_ids in plan.members.items():
        if practice_id in may_replay:
            replay, is_new = _create(
                plan, practice_id, failure_ids, key=uuid5(key, str(practice_id)), user=user
            )
            replays.append(replay)
            if is_new:
                jobs.enqueue(replay.pk)
    return replays


def _create(
    plan: FrozenPlan, practice_id: int, failure_ids: list[int], *, key: UUID, user: User
) -> tuple[Replay, bool]:
    with transaction.atomic():
        replay, is_new = Replay.objects.get_or_create(
            key=key,
            defaults={
                "practice_id": practice_id,
                "verb": plan.verb,
                "fingerprint": plan.fingerprint,
                "started_by": user,
                "planned_at": plan.as_of,
            },
        )
        if is_new:
            members = Failure.objects.for_practice(practice_id).filter(pk__in=failure_ids)
            ReplayItem.objects.bulk_create(
                [
                    ReplayItem(replay=replay, failure_id=pk)
                    for pk in members.order_by("pk").values_list("pk", flat=True)
                ]
            )
    return replay, is_new


def pause(replay: Replay) -> bool:
    return _move(replay, {Replay.State.RUNNING}, Replay.State.PAUSED, message="")


def resume(replay: Replay) -> bool:
    """A worker that was just about to stop keeps its lease and goes on; else a new one is woken."""
    moved = _move(replay, {Replay.State.PAUSED}, Replay.State.RUNNING, message="")
    if moved:
        jobs.enqueue(replay.pk)
    return moved


def cancel(replay: Replay) -> bool:
    """What is done stays done; the item a worker holds at this moment still finishes."""
    running = {Replay.State.RUNNING, Replay.State.PAUSED}
    return _move(replay, running, Replay.State.CANCELLED, finished_at=clock.now())


def _move(replay: Replay, states: set[Replay.State], to: Replay.State, **changes: object) -> bool:
    """Compare and set: two people pressing two buttons cannot both win."""
    return bool(Replay.objects.filter(pk=replay.pk, state__in=states).update(state=to, **changes))
