"""After the last disturbance: the practice heals by what the product does by itself, then a person replays the rest.

Nobody helps it. Where only waiting is left (a retry in an hour), the world's time leaps there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Min

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.operations.torture import proof
from athena_dash.operations.torture.truth import Truth
from athena_dash.operations.torture.world import ATHENA_ID, Say, World
from athena_dash.practices.models import Practice
from athena_dash.recovery.models import Replay
from athena_dash.recovery.plan import FrozenPlan, make_plan
from athena_dash.recovery.replay import start
from athena_dash.sync.models import BackfillChunk, Failure, Feed, Subject

LONGEST = 300.0  # seconds of the machine, for each stage
LOOK = 0.5
ANNOUNCED = ("Appointment", "Claim", "ChargeLine", "Patient", "Department", "Provider")
"""What athena tells of by itself, so that it must be right here without anything being asked again."""


@dataclass
class Healing:
    seconds: float = 0  # of the machine, from the last disturbance to right again
    world: float = 0  # seconds of the world's time, leaps included
    leaps: int = 0
    replayed: int = 0  # failures that waited for a person
    confirmed: int = 0
    healed: bool = False  # by itself, before any person did anything
    # undone when it had come to rest; soon after the planner asks again
    left: dict[str, int] = field(default_factory=dict)


def heal(there: World, practice: Practice, say: Say) -> Healing:
    began, at = time.monotonic(), clock.now()
    healing = Healing()
    healing.healed = rest(there, practice, healing) and right(there, practice)
    healing.seconds, healing.world = time.monotonic() - began, (clock.now() - at).total_seconds()
    say(f"{'right' if healing.healed else 'not right'}; a person replays what waits for one")
    replay_all(there, practice, healing)
    for hours in (5, 25):  # open claims and charts are read again, and a night brings the audit
        say(f"{hours} hours pass")
        there.time.leap(clock.now() + timedelta(hours=hours))
        time.sleep(2 * LOOK)
        rest(there, practice, healing)
    replay_all(there, practice, healing)
    healing.left = {name: number for name, number in proof.undone(practice).items() if number}
    return healing


def rest(there: World, practice: Practice, healing: Healing) -> bool:
    """Until nothing is left to do but what waits for a person. False when that takes too long."""
    since = clock.now()
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        left = proof.undone(practice)
        feeds = Feed.objects.filter(practice=practice)
        unpulled = feeds.filter(last_success_at__isnull=True) | feeds.filter(last_success_at__lt=since)
        waiting = Failure.objects.filter(practice=practice, resolved_at=None, next_try_at__isnull=False)
        at_work = ("payloads unprocessed", "records not related", "windows of history open", "subjects due")
        if not (any(left[name] for name in at_work) or waiting.exists() or unpulled.exists()):
            return True
        now = clock.now()
        next_try: datetime | None = waiting.aggregate(at=Min("next_try_at"))["at"]
        due: datetime | None = unpulled.aggregate(at=Min("due_at"))["at"]
        coming = [at for at in (next_try, due) if at]
        if coming and min(coming) > now + timedelta(minutes=2) and not busy(practice, now):
            there.time.leap(min(coming))
            healing.leaps += 1
        time.sleep(LOOK)
    return False


def busy(practice: Practice, now: datetime) -> bool:
    """Something is being done, or could be at once."""
    due = Subject.objects.filter(practice=practice, due_at__lte=now).exists()
    left = proof.undone(practice)
    return bool(
        due
        or left["payloads unprocessed"]
        or left["records not related"]
        or BackfillChunk.objects.filter(practice=practice, due_at__lte=now).exclude(state="done").exists()
        or Feed.objects.filter(practice=practice, lease_until__gt=now).exists()
    )


def right(there: World, practice: Practice) -> bool:
    truth = Truth.read(there.options.state, ATHENA_ID, clock.now())
    asked = proof.last_asked(practice)
    return not any(proof.compare(practice, name, truth, asked).wrong for name in ANNOUNCED)


def replay_all(there: World, practice: Practice, healing: Healing) -> None:
    """As a person does on the Failures screen: each group with the verb it suggests, worked by the workers."""
    user, _ = User.objects.get_or_create(username="torture")
    groups = Failure.objects.filter(practice=practice, resolved_at=None, next_try_at=None)
    fingerprints = list(groups.order_by().values_list("fingerprint", flat=True).distinct())
    for fingerprint in fingerprints:
        plan = make_plan(
            groups.filter(fingerprint=fingerprint),
            replayable=Practice.objects.filter(pk=practice.pk),
            verb=None,
            fingerprint=fingerprint,
            as_of=clock.now(),
        )
        healing.replayed += plan.will_run
        for replay in start(FrozenPlan.read(plan.token()), key=uuid4(), user=user, may_replay={practice.pk}):
            deadline = time.monotonic() + LONGEST
            while time.monotonic() < deadline:
                replay.refresh_from_db()
                if replay.state != Replay.State.RUNNING:
                    break
                time.sleep(LOOK)
            healing.confirmed += replay.items.exclude(outcome__in=("waiting", "failed", "unknown")).count()
    if fingerprints:
        rest(there, practice, healing)


def ask_again(practice: Practice) -> None:
    """Every question once more, as a back-fill asks them: what changed in silence comes in."""
    Subject.objects.for_practice(practice).filter(fetched_at__isnull=False).update(due_at=clock.now())
