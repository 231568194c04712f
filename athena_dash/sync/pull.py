"""Feed → pages → raw store: run a feed under its lease, committing each step whole, and process what it brought.

One transaction per step: raw payloads, cursor, subjects asked and run counters together. A worker killed at any
instruction leaves either the step or nothing of it; a worker that lost its lease can commit no further step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync import failures, pipeline, subjects, walks
from athena_dash.sync.connections import source_for
from athena_dash.sync.lease import Lease, LeaseLost, take
from athena_dash.sync.models import Failure, Feed, Run, Stage, Subject
from athena_dash.sync.pages import keep_pages
from athena_dash.sync.resources import RESOURCES, Resource
from athena_dash.sync.source import Source
from athena_dash.sync.tally import Tally
from athena_dash.sync.walks import Step
from integrations.athena.errors import (
    AthenaError,
    ConfigError,
    Gone,
    RateLimited,
    TransientError,
    Unauthorized,
)

MOST_SUBJECTS = 500  # per run, so that a worker returns to the queue in time
LONGEST_BACKOFF = timedelta(hours=1)
STOPS_THE_RUN = (RateLimited, Unauthorized, ConfigError)  # the next subject would only meet the same
MOST_TRANSIENT = 5  # failing subjects of one step before the run gives up on athena for now

Progress = Callable[[Run], None]


def sync_practice(
    practice: Practice, feeds: list[str] | None = None, progress: Progress | None = None
) -> list[Run]:
    """Run the practice's feeds in the table's order, inline, until no subject is due any more."""
    by_name = {feed.resource: feed for feed in Feed.objects.for_practice(practice).filter(paused_at=None)}
    runs: list[Run] = []
    for name in RESOURCES:
        if name in by_name and (feeds is None or name in feeds):
            runs += run_until_idle(by_name[name], progress)
    return runs


def run_until_idle(feed: Feed, progress: Progress | None) -> Iterator[Run]:
    while run := run_feed(feed.pk, trigger="manual", progress=progress):
        yield run
        now = clock.now()
        if run.outcome != Run.Outcome.DONE or not subjects.due(feed.practice_id, feed.resource, now, 1):
            return


def run_feed(feed_id: int, *, trigger: str = "schedule", progress: Progress | None = None) -> Run | None:
    """One run of a feed, or None while another worker holds it. Failures are recorded, not raised."""
    lease = take(feed_id)
    if lease is None:
        return None
    feed = Feed.objects.select_related("practice__connection").get(pk=feed_id)
    run = Run.objects.create(feed=feed, practice_id=feed.practice_id, trigger=trigger, started_at=clock.now())
    tally = Tally()
    try:
        with source_for(feed.practice, tally) as source:
            for step in walk(source, RESOURCES[feed.resource], feed, run.started_at):
                commit(step, lease, run, tally)
                if progress:
                    progress(run)
        finish(lease, run, tally, error=None)
    except LeaseLost:
        Run.objects.filter(pk=run.pk).update(outcome=Run.Outcome.LOST, finished_at=clock.now())
    except Exception as error:
        finish(lease, run, tally, error=error)
    finally:
        lease.release()
    run.refresh_from_db()
    return run


def walk(source: Source, resource: Resource, feed: Feed, now: datetime) -> Iterator[Step]:
    """Whatever ways this resource has, cheapest knowledge first."""
    if resource.listed:
        yield from walks.walk_list(source, resource)
    if resource.changed:
        yield from walks.walk_changed(source, resource, feed, now)
    if resource.windows:
        yield from walks.walk_windows(source, resource, feed, now)
    if resource.subject:
        subjects.plan_rereads(feed.practice_id, resource.name, now)
        due = subjects.due(feed.practice_id, resource.name, now, MOST_SUBJECTS)
        yield from walks.walk_subjects(source, resource, due)


def commit(step: Step, lease: Lease, run: Run, tally: Tally) -> None:
    """Keep the step in one transaction, then process its records in another."""
    resource = RESOURCES[run.feed.resource]
    with transaction.atomic():
        feed = lease.hold()
        kept = keep_pages(run.practice_id, resource, step.pages, run.pk)
        subjects.asked([*step.asked, *(subject for subject, _ in step.errors)], clock.now())
        feed.cursor |= step.cursor
        if step.subscription is not None:
            feed.subscription, feed.subscribed_at = step.subscription, clock.now()
        feed.save(update_fields=["cursor", "subscription", "subscribed_at", "lease_until"])
        run.pages += len(step.pages)
        run.records += kept.records
        run.changed += len(kept.raw_ids)
        tally.move_to(run)
        run.save()
    outcome = pipeline.process(run.practice_id, kept.raw_ids)
    if outcome.failed:
        Run.objects.filter(pk=run.pk).update(failed=F("failed") + len(outcome.failed))
        run.failed += len(outcome.failed)
    answered = [str(subject.pk) for subject in step.asked]
    failures.resolve(run.practice_id, [Stage.PULL], Failure.SubjectKind.SUBJECT, answered, "retried")
    for subject, error in step.errors:
        keep_subject_error(run, resource, subject, error)
    give_up_on(step)


def keep_subject_error(run: Run, resource: Resource, subject: Subject, error: AthenaError) -> None:
    """One subject failed. A record athena no longer has is news, not a failure; the rest wait for their next try."""
    if isinstance(error, Gone) and resource.name in ("patients", "claims", "appointments"):
        pipeline.forget(run.practice_id, resource.record, subject.key)
        return
    failures.record(
        Stage.PULL,
        failures.Subject(
            practice_id=run.practice_id,
            kind=Failure.SubjectKind.SUBJECT,
            id=str(subject.pk),
            feed_id=run.feed_id,
            resource=resource.name,
            record_kind=resource.record,
            record_id=subject.key if resource.record == resource.subject else "",
            patient_id=subject.key if resource.subject == "patient" else "",
        ),
        error,
    )
    Run.objects.filter(pk=run.pk).update(failed=F("failed") + 1)


def give_up_on(step: Step) -> None:
    """Stop the run when the next subject would only meet the same: no credential, no budget, athena down."""
    errors = [error for _, error in step.errors]
    transient = [error for error in errors if isinstance(error, TransientError)]
    stopping = next((error for error in errors if isinstance(error, STOPS_THE_RUN)), None)
    if stopping or len(transient) >= MOST_TRANSIENT:
        raise stopping or transient[0]


def finish(lease: Lease, run: Run, tally: Tally, error: Exception | None) -> None:
    """Say on the feed and the run how it ended, and when the feed is due again."""
    now = clock.now()
    subject = failures.Subject(
        practice_id=run.practice_id,
        kind=Failure.SubjectKind.FEED,
        id=str(run.feed_id),
        feed_id=run.feed_id,
        resource=run.feed.resource,
    )
    with transaction.atomic():
        feed = lease.hold()
        tally.move_to(run)
        run.finished_at = feed.last_attempt_at = now
        if error is None:
            run.outcome, feed.failures_in_a_row, feed.last_success_at = Run.Outcome.DONE, 0, now
            more = bool(subjects.due(run.practice_id, feed.resource, now, 1))
            feed.due_at = now if more else now + feed.interval
            failures.resolve(run.practice_id, [Stage.PULL], subject.kind, [subject.id], "retried")
        else:
            run.outcome, run.message = Run.Outcome.FAILED, failures.understand(error).message
            feed.failures_in_a_row += 1
            feed.due_at = now + min(feed.interval * 2**feed.failures_in_a_row, LONGEST_BACKOFF)
        run.save()
        feed.save(
            update_fields=["last_attempt_at", "last_success_at", "failures_in_a_row", "due_at", "lease_until"]
        )
        if error is not None:
            failure = failures.record(Stage.PULL, subject, error)
            Failure.objects.filter(pk=failure.pk).update(
                next_try_at=feed.due_at
            )  # the feed itself is the retry
        say_credential(run, error, now)


def say_credential(run: Run, error: Exception | None, now: datetime) -> None:
    """A refused credential stops every feed of the practice, so the connection says so itself."""
    connection = Connection.objects.filter(practice_id=run.practice_id)
    if isinstance(error, Unauthorized | ConfigError):
        connection.filter(credential_failed_at=None).update(credential_failed_at=now)
    elif error is None:
        connection.exclude(credential_failed_at=None).update(credential_failed_at=None)
