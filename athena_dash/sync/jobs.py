"""The one module of sync that knows the queue: wakes workers for what PostgreSQL says is due.

The feed's lease and the failure's claim, not RQ, say who may do the work.
"""

from __future__ import annotations

from athena_dash.core import clock
from athena_dash.core.queue import wake
from athena_dash.correlation import cohorts, quality, reweighing
from athena_dash.correlation import service as correlation
from athena_dash.practices.models import Practice
from athena_dash.sync import (
    audit,
    backfill,
    backfill_audit,
    feeds,
    link_measures,
    live_plan,
    pipeline,
    planning,
    pull,
    subjects,
    sweep,
    waiting,
)
from athena_dash.sync.models import LiveRead

QUEUE = "live"
LONG_QUEUE = "backfill"  # history and audits: they may take long, and live comes first


def enqueue_due() -> int:
    """Called by the tick: how many jobs it made."""
    now = clock.now()
    made = sum(wake(QUEUE, pull_feed, feed_id) for feed_id in feeds.due(now).values_list("pk", flat=True))
    work = sweep.practices_with_work()
    made += sum(wake(QUEUE, process_left_behind, practice_id) for practice_id in work["left_behind"])
    made += sum(wake(QUEUE, retry_failures, practice_id) for practice_id in work["retry"])
    made += sum(wake(QUEUE, plan_practice, practice_id) for practice_id in planning.due(now))
    made += sum(ring_backfill(practice_id) for practice_id in backfill.due_practices(now))
    if correlation.due(now, 1) or correlation.due_orphans(now, 1):
        made += wake(QUEUE, reconsider)
    made += sum(wake(LONG_QUEUE, learn_prices, practice_id) for practice_id in correlation.due_to_learn(now))
    made += sum(ring_weights(practice_id) for practice_id in reweighing.being_applied())
    made += sum(wake(QUEUE, compare_days, practice_id) for practice_id in cohorts.due_to_compare(now))
    made += sum(wake(LONG_QUEUE, count_links, practice_id) for practice_id in quality.due_to_count(now))
    for practice_id in link_measures.due(now):
        link_measures.ask(practice_id, None)
    made += sum(ring_link_measure(practice_id) for practice_id in link_measures.practices_with_work(now))
    made += sum(ring_live_reads(*waiting) for waiting in live_plan.waiting())
    made += sum(ring_backfill_audit(practice_id) for practice_id in backfill_audit.due())
    return made + sum(ask_for_audit(practice_id) for practice_id in audit.due(now))


def ask_for_audit(practice_id: int) -> bool:
    """False when one is waiting already."""
    return wake(LONG_QUEUE, audit_practice, practice_id)


def pull_feed(feed_id: int) -> None:
    """Unless another has just done it: the tick rings again while a run goes on. Whom it has made due is asked about
    next, not a minute later: a chart follows its appointment."""
    if not feeds.due(clock.now()).filter(pk=feed_id).exists():
        return
    run = pull.run_feed(feed_id)
    if run:
        relate(run.practice_id)
    if run and run.changed:
        now = clock.now()
        for following in feeds.hasten(run.practice_id, subjects.due_resources(run.practice_id, now), now):
            wake(QUEUE, pull_feed, following)


def relate(practice_id: int) -> None:
    """What runs beside a run mostly touches the same visits: who ends last relates for all, and whoever is free helps
    to judge. The sweeper finds what a kill left."""
    if feeds.running(practice_id):
        return
    pipeline.correlate_waiting(practice_id)
    if waiting.parts(practice_id) > 1:
        wake(QUEUE, judge_practice, practice_id)
    pipeline.drain(practice_id)


def judge_practice(practice_id: int) -> None:
    pipeline.judge_waiting(practice_id)


def plan_practice(practice_id: int) -> None:
    planning.plan(Practice.objects.get(pk=practice_id))


def ring_backfill(practice_id: int) -> bool:
    return wake(LONG_QUEUE, backfill_practice, practice_id)


def backfill_practice(practice_id: int) -> None:
    """One chunk, so that what is live gets its turn, then the bell again."""
    if lease := backfill.take_next(practice_id):
        pull.run_chunk(lease)
        relate(practice_id)
        if practice_id in backfill.due_practices(clock.now()):
            ring_backfill(practice_id)


def ring_backfill_audit(practice_id: int) -> bool:
    return wake(LONG_QUEUE, audit_backfill, practice_id)


def audit_backfill(practice_id: int) -> None:
    """A batch, so that what else is long gets its turn, then the bell again."""
    if backfill_audit.take_next(Practice.objects.get(pk=practice_id)):
        ring_backfill_audit(practice_id)


def process_left_behind(practice_id: int) -> None:
    sweep.process_left_behind(practice_id)


def retry_failures(practice_id: int) -> None:
    sweep.retry_due(practice_id)


def reconsider() -> None:
    sweep.reconsider_due()


def learn_prices(practice_id: int) -> None:
    if pipeline.learn_prices(practice_id):
        ring_rejudging(practice_id)


def compare_days(practice_id: int) -> None:
    if pipeline.compare_days(practice_id):
        ring_rejudging(practice_id)


def count_links(practice_id: int) -> None:
    quality.count(practice_id)


def ring_link_measure(practice_id: int) -> bool:
    return wake(LONG_QUEUE, measure_links, practice_id)


def measure_links(practice_id: int) -> None:
    """A batch, so that what else is long gets its turn, then the bell again."""
    if link_measures.take_next(practice_id):
        ring_link_measure(practice_id)
    else:
        quality.count(practice_id)  # the page that is watched shows both


def ring_live_reads(practice_id: int, trigger: str = LiveRead.Trigger.PERSON) -> bool:
    """Somebody wants athena asked about a visit, and watches; or the night does, and nobody does."""
    if trigger == LiveRead.Trigger.PERSON:
        return wake(QUEUE, read_live, practice_id)
    return wake(LONG_QUEUE, read_by_night, practice_id)


def read_live(practice_id: int) -> None:
    live_plan.make(practice_id, LiveRead.Trigger.PERSON)


def read_by_night(practice_id: int) -> None:
    live_plan.make(practice_id, LiveRead.Trigger.NIGHT)


def audit_practice(practice_id: int) -> None:
    """By night, when links are at their most complete: then is the time to learn from them, too."""
    audit.audit_practice(Practice.objects.get(pk=practice_id))
    live_plan.weigh(practice_id)
    live_plan.plan_night(practice_id)
    pipeline.learn_weights(practice_id)


def ring_weights(practice_id: int) -> bool:
    """Somebody made a version active, and watches; losing this only leaves it to the tick."""
    return wake(LONG_QUEUE, apply_weights, practice_id)


def ring_learning(practice_id: int) -> bool:
    return wake(LONG_QUEUE, learn_weights, practice_id)


def learn_weights(practice_id: int) -> None:
    pipeline.learn_weights(practice_id)


def apply_weights(practice_id: int) -> None:
    while pipeline.apply_weights(practice_id):
        pass


def ring_rejudging(practice_id: int) -> bool:
    """Its policies have changed and its visits are marked due; losing this only leaves them to `reconsider`."""
    return wake(QUEUE, rejudge_practice, practice_id)


def rejudge_practice(practice_id: int) -> None:
    """A chunk of what is due, so that pulls get their turn, then the bell again."""
    visit_ids = correlation.due_in(practice_id, clock.now(), pipeline.BATCH)
    pipeline.rejudge(practice_id, visit_ids)
    if len(visit_ids) == pipeline.BATCH:
        ring_rejudging(practice_id)
