"""The story: a world begins, is disturbed by the plan, is left alone, and is compared with its truth."""

from __future__ import annotations

import time

from django.db import connection

from athena_dash.core import clock
from athena_dash.operations.torture import newcomer, proof, recovery
from athena_dash.operations.torture.disturb import Disturber
from athena_dash.operations.torture.plan import Kind, plan
from athena_dash.operations.torture.report import Report
from athena_dash.operations.torture.truth import Truth
from athena_dash.operations.torture.watch import Watch
from athena_dash.operations.torture.world import ATHENA_ID, Say, World, join, world
from athena_dash.practices.models import Practice


def torture(*, minutes: float, seed: int, visits: int, pace: float, speed: float, say: Say) -> Report:
    began = time.monotonic()
    with world(seed=seed, visits=visits, pace=pace, speed=speed, say=say) as there:
        practice = Practice.objects.get(slug="tortured")
        disturber, watch = Disturber(there), Watch(there.options.state, ATHENA_ID, practice, pace)
        watch.start()
        disturb(disturber, seed, minutes * 60, say)
        say("the disturbances are over; life over there stops, the practice is left to itself")
        there.still()
        healing = recovery.heal(there, practice, say)
        unseen = watch.stop()
        say("comparing")
        truth = Truth.read(there.options.state, ATHENA_ID, clock.now())
        tables, twice = proof.compare_all(practice, truth), proof.twice(practice)
        there.count_calls()
        unequal = compare_with_newcomer(there, practice, say)
    return Report(
        seed=seed,
        minutes=minutes,
        pace=pace,
        tables=tables,
        twice=twice,
        left=healing.left,
        unequal=unequal,
        done=disturber.done,
        calls=there.calls["calls"],
        limited=there.calls["limited"],
        bursts=sum(one.hits for one in disturber.done if one.kind is Kind.TOO_MANY),
        healing=healing,
        lags=watch.lags,
        unseen=unseen,
        seconds=time.monotonic() - began,
    )


def disturb(disturber: Disturber, seed: int, seconds: float, say: Say) -> None:
    """One after the other; what takes longer than planned puts the next ones off."""
    began = time.monotonic()
    for disturbance in plan(seed, seconds):
        time.sleep(max(0.0, began + disturbance.at - time.monotonic()))
        if time.monotonic() - began > seconds:
            break
        say(disturbance.kind.value)
        disturber.do(disturbance)
        connection.close()  # PostgreSQL may be another one now
    time.sleep(max(0.0, began + seconds - time.monotonic()))


def compare_with_newcomer(there: World, practice: Practice, say: Say) -> dict[str, list[str]]:
    say("asking everything once more, and joining a practice to compare with")
    there.time.begin(there.time.now(), 1)  # what is live, six times as often, would leave its history no turn
    recovery.ask_again(practice)
    alone = join("alone", there, "newcomer")
    healing = recovery.Healing()
    at_work = [each.slug for each in (practice, alone) if not recovery.rest(there, each, healing)]
    if at_work:
        return {"not compared, for these practices were still at work": at_work}
    for each in (practice, alone):
        newcomer.judge_all(each)
    return newcomer.unequal(newcomer.contents(practice), newcomer.contents(alone))
