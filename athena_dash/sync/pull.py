"""Feed → pages → raw store: run a feed, or a chunk of its past, under a lease, committing each step whole, and
land what it brought.

One transaction per step: raw payloads, cursor, subjects asked and run counters together. A worker killed at any
instruction leaves either the step or nothing of it; a worker that lost its lease can commit no further step. What the
run has touched waits for the caller to have it related (sync.pipeline).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.records import statistics
from athena_dash.sync import backfill, failures, feeds, landing, pipeline, planning, subjects, walks
from athena_dash.sync.budget import Share
from athena_dash.sync.connections import source_for
from athena_dash.sync.lease import Held, LeaseLost, take
from athena_dash.sync.models import BackfillChunk, Failure, Feed, Run, Stage, Subject
from athena_dash.sync.pages import STANDING_ALONE, Kept, keep_pages
from athena_dash.sync.resources import RESOURCES, Resource
from athena_dash.sync.source import Source
from athena_dash.sync.tally import Tally
from athena_dash.sync.unlanded import Unlanded
from athena_dash.sync.walks import Step
from integrations.athena.errors import (
    AthenaError,
    CircuitOpen,
    ConfigError,
    Forbidden,
    Gone,
    RateLimited,
    SubscriptionMissing,
    TransientError,
    Unauthorized,
)

MOST_SUBJECTS = 500  # per run, so that a worker returns to the queue in time
# the next subject would only meet the same
STOPS_THE_RUN = (
    RateLimited,
    Unauthorized,
    ConfigError,
    CircuitOpen,
)
BACKFILL = "backfill"  # a Run's trigger
SHARES = {"replay": Share.REPLAY, BACKFILL: Share.BACKFILL}  # by what triggered the run
MOST_TRANSIENT = 5  # failing subjects of one step before the run gives up on athena for now

Progress = Callable[[Run], None]


def sync_practice(
    practice: Practice, names: list[str] | None = None, progress: Progress | None = None
) -> list[Run]:
    """Run the practice's feeds in the table's order, inline, each with what is due of its past, until no subject is
    due any more."""
    planning.plan(practice)
    by_name = {feed.resource: feed for feed in Feed.objects.for_practice(practice).filter(paused_at=None)}
    runs: list[Run] = []
    for name in RESOURCES:
        if name in by_name and (names is None or name in names):
            runs += run_until_idle(by_name[name], progress)
            runs += run_backfills(by_name[name], progress)
    pipeline.drain(practice.pk)
    return runs


def run_until_idle(feed: Feed, progress: Progress | None) -> Iterator[Run]:
    while run := run_feed(feed.pk, trigger="manual", progress=progress):
        yield run
        now = clock.now()
        if run.outcome != Run.Outcome.DONE or not subjects.due(feed.practice_id, feed.resource, now, 1):
            return


def run_backfills(feed: Feed, progress: Progress | None) -> Iterator[Run]:
    while lease := backfill.take_next(feed.practice_id, feed.pk):
        yield run_chunk(lease, progress=progress)


def run_feed(feed_id: int, *, trigger: str = "schedule", progress: Progress | None = None) -> Run | None:
    """One run of a feed, or None while another worker holds it."""
    lease = take(feed_id)
    if lease is None:
        return None
    feed = Feed.objects.select_related("practice").get(pk=feed_id)
    killed = Run.objects.filter(feed=feed, outcome=Run.Outcome.RUNNING).exclude(trigger=BACKFILL)
    killed.update(outcome=Run.Outcome.LOST)
    run = Run.objects.create(feed=feed, practice_id=feed.practice_id, trigger=trigger, started_at=clock.now())
    steps = partial(walk, resource=RESOURCES[feed.resource], feed=feed, now=run.started_at)
    return run_to_end(lease, run, steps, progress)


def run_chunk(lease: backfill.ChunkLease, *, progress: Progress | None = None) -> Run:
    """One window of a feed's past."""
    chunk = BackfillChunk.objects.select_related("backfill__feed__practice").get(pk=lease.chunk_id)
    feed = chunk.backfill.feed
    run = Run.objects.create(
        feed=feed, practice_id=feed.practice_id, trigger=BACKFILL, started_at=clock.now()
    )
    killed = Run.objects.filter(pk=chunk.run_id, outcome=Run.Outcome.RUNNING)
    killed.update(outcome=Run.Outcome.LOST)
    BackfillChunk.objects.filter(pk=chunk.pk, lease_token=lease.token).update(run=run)
    resource = RESOURCES[feed.resource]
    steps = partial(walks.window, resource=resource, first=chunk.first, last=chunk.last, cursor={})
    return run_to_end(lease, run, steps, progress)


def run_to_end(
    lease: Held, run: Run, steps: Callable[[Source], Iterator[Step]], progress: Progress | None
) -> Run:
    """Failures are recorded, not raised, and say when what is held is due again."""
    tally = Tally()
    try:
        finish(lease, run, tally, error=pull(steps, lease, run, tally, progress))
    except LeaseLost:
        Run.objects.filter(pk=run.pk).update(outcome=Run.Outcome.LOST, finished_at=clock.now())
    finally:
        lease.release()
    run.refresh_from_db()
    return run


def pull(
    steps: Callable[[Source], Iterator[Step]],
    lease: Held,
    run: Run,
    tally: Tally,
    progress: Progress | None = None,
) -> Exception | None:
    """Walk to the end, committing step by step; the error that ended it early."""
    unlanded = Unlanded()
    try:
        try:
            share = SHARES.get(run.trigger, Share.LIVE)
            with source_for(run.feed.practice, tally, share=share, feed=run.feed.resource) as source:
                for step in steps(source):
                    commit(step, lease, run, tally, unlanded)
                    if progress:
                        progress(run)
        finally:
            land(run, unlanded)
    except LeaseLost:
        raise
    except Exception as error:
        return error
    return None


def walk(source: Source, resource: Resource, feed: Feed, now: datetime) -> Iterator[Step]:
    """Whatever ways this resource has, cheapest knowledge first."""
    if resource.listed:
        yield from walks.walk_list(source, resource)
    if resource.changed:
        yield from walks.walk_changed(source, resource, feed, now)
    if resource.windows:
        yield from walks.walk_windows(source, resource, feed, now)
    if resource.subject:
        due = subjects.due(feed.practice_id, resource.name, now, MOST_SUBJECTS)
        yield from walks.walk_subjects(source, resource, due)


def commit(step: Step, lease: Held, run: Run, tally: Tally, unlanded: Unlanded) -> None:
    """Keep the step in one transaction; land its records in another, from memory, when there are enough of them.

    A subject that failed is settled in the same transaction: by a Failure, which then brings the next try, or by
    staying due where the fault is everybody's (no credential, no budget) and the feed's next run is its next try.
    """
    resource, now = RESOURCES[run.feed.resource], clock.now()
    missing = [subject for subject, error in step.errors if is_gone(resource, error)]
    kept = keep(step, missing, lease, run, tally)
    unlanded.add(kept.rows)
    if unlanded.due:
        land(run, unlanded)
        pipeline.drain_if_due(run.practice_id)
    answered = [str(subject.pk) for subject in step.asked]
    failures.resolve(run.practice_id, [Stage.PULL], Failure.SubjectKind.SUBJECT, answered, "retried")
    for subject in missing:
        pipeline.forget(run.practice_id, resource, subject.key)
    subjects.asked(missing, now)
    give_up_on(step)


def keep(step: Step, missing: Sequence[Subject], lease: Held, run: Run, tally: Tally) -> Kept:
    resource, now = RESOURCES[run.feed.resource], clock.now()
    put_off = [subject for subject, error in step.errors if isinstance(error, STOPS_THE_RUN)]
    failed = [(s, error) for s, error in step.errors if s not in missing and s not in put_off]
    with transaction.atomic():
        held = None
        if step.moves:
            held = lease.hold()
        else:
            lease.renew()
        kept = keep_pages(run.practice_id, resource, step.pages, run.pk)
        subjects.asked([*step.asked, *(subject for subject, _ in failed)], now)
        subjects.put_off(put_off, now)
        for subject, error in failed:
            failures.record(Stage.PULL, failing(run, resource, subject), error)
        if held:
            if hears_again(held, step):
                feeds.ask_for_unannounced(held)
            lease.advance(held, step, run, len(kept.rows))
        run.pages += len(step.pages)
        run.records += kept.records
        run.changed += len(kept.rows)
        run.failed += len(failed)
        tally.move_to(run)
        run.save()
    return kept


def land(run: Run, unlanded: Unlanded) -> None:
    rows = unlanded.take()
    landed = landing.land(run.practice_id, rows)
    if landed.failed:
        Run.objects.filter(pk=run.pk).update(failed=F("failed") + len(landed.failed))
        run.failed += len(landed.failed)
    before = run.changed - len(rows)
    if len(str(run.changed)) > max(3, len(str(before))):  # past 1000, 10,000, …: another order of magnitude
        statistics.introduce(run.practice_id, landed.touched)


def hears_again(held: Any, step: Step) -> bool:
    """The subscription of the held feed is active now, and was not before."""
    active = Feed.Subscription.ACTIVE
    return step.subscription == active and held.subscription != active


def is_gone(resource: Resource, error: AthenaError) -> bool:
    """A record that athena no longer has, asked for by its own id, is news and not a failure."""
    return isinstance(error, Gone) and resource.name in STANDING_ALONE


def failing(run: Run, resource: Resource, subject: Subject) -> failures.Subject:
    return failures.Subject(
        practice_id=run.practice_id,
        kind=Failure.SubjectKind.SUBJECT,
        id=str(subject.pk),
        feed_id=run.feed_id,
        resource=resource.name,
        record_kind=resource.record,
        record_id=subject.key if resource.record == resource.subject else "",
        patient_id=subject.key if resource.subject == "patient" else "",
    )


def give_up_on(step: Step) -> None:
    """Stop the run when the next subject would only meet the same: no credential, no budget, athena down."""
    errors = [error for _, error in step.errors]
    transient = [error for error in errors if isinstance(error, TransientError)]
    stopping = next((error for error in errors if isinstance(error, STOPS_THE_RUN)), None)
    if stopping or len(transient) >= MOST_TRANSIENT:
        raise stopping or transient[0]


def finish(lease: Held, run: Run, tally: Tally, error: Exception | None) -> None:
    """Say how it ended: of the run, of what was held, of its failure and of the credential."""
    now = clock.now()
    subject = failures.Subject(
        practice_id=run.practice_id,
        kind=lease.kind,
        id=lease.key,
        feed_id=run.feed_id,
        resource=run.feed.resource,
    )
    with transaction.atomic():
        held = lease.hold()
        tally.move_to(run)
        run.finished_at = now
        if error is None:
            run.outcome = Run.Outcome.DONE
            resolution = "replayed" if run.trigger == "replay" else "retried"
            failures.resolve(run.practice_id, [Stage.PULL], subject.kind, [subject.id], resolution)
            lease.done(held, run)
        else:
            run.outcome, run.message = Run.Outcome.FAILED, failures.understand(error).message
            failure = failures.record(Stage.PULL, subject, error)
            next_try = lease.failed(held, run, error, failure)
            # what is held is itself the retry
            Failure.objects.filter(pk=failure.pk).update(next_try_at=next_try)
        run.save()
        say_credential(run, error, now)


def say_credential(run: Run, error: Exception | None, now: datetime) -> None:
    """A refused credential stops every feed of the practice, so the connection says so itself. A call that this
    app may not make, or a subscription that is not on yet, is one feed's own matter."""
    connection = Connection.objects.filter(practice_id=run.practice_id)
    one_feeds_own = isinstance(error, Forbidden | SubscriptionMissing)
    if isinstance(error, Unauthorized | ConfigError) and not one_feeds_own:
        connection.filter(credential_failed_at=None).update(credential_failed_at=now)
    elif error is None and connection.exclude(credential_failed_at=None).update(credential_failed_at=None):
        backfill.try_refused(run.practice_id, now)
