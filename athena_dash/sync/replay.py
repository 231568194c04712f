"""Run one failure again, by the verb its reason asks for, and say truly what came of it.

Claimed by compare-and-set with a fencing token: a second click, a second tab and the automatic retry find it busy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from athena_dash.core import clock
from athena_dash.correlation.models import Gap
from athena_dash.sync import audit, backfill, failures, pipeline, pull, raw, walks
from athena_dash.sync.budget import Share
from athena_dash.sync.census import DAY_FIELD
from athena_dash.sync.connections import source_for
from athena_dash.sync.models import Attempt, Audit, Failure, RawRecord, Reason, Run, Stage, Subject
from athena_dash.sync.pages import STANDING_ALONE, keep_pages
from athena_dash.sync.payloads import parsed
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.source import Source
from integrations.athena.endpoints import endpoint
from integrations.athena.errors import CircuitOpen, Gone, InvalidResponse
from integrations.athena.page import Page
from integrations.athena.values import us_date

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

CLAIM = timedelta(minutes=5)
REPROCESS, REFETCH = "reprocess", "refetch"


@dataclass(frozen=True, slots=True)
class Suggestion:
    verb: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """`outcome`: confirmed | already | superseded | gone | failed | unknown | busy. Dollars are expected dollars."""

    outcome: str
    message: str
    visit_ids: frozenset[int] = frozenset()
    gaps_closed: int = 0
    dollars_closed: Decimal = Decimal(0)


def suggest(failure: Failure) -> Suggestion:
    """The default verb of design/replay.md, with the reason in one line."""
    if failure.stage == Stage.PULL:
        return Suggestion(REFETCH, "The pull itself failed, so there is nothing stored to reprocess.")
    if failure.reason in (Reason.INVALID, Reason.UNMAPPED):
        return Suggestion(
            REFETCH, "athena's record may have been corrected since; a fresh copy is asked for."
        )
    return Suggestion(REPROCESS, "The stored payload is sound; the fault was on our side.")


def retry(failure_id: int, *, verb: str, trigger: str, by: User | None = None) -> RetryResult:
    """Claim the failure, run it, keep the attempt. Never raises for what athena or the payload does."""
    failure = claim(failure_id)
    if failure is None:
        return unclaimed(failure_id)
    started = clock.now()
    try:
        visits = refetch(failure) if verb == REFETCH else reprocess(failure)
        expect_settled(failure)
    except FeedBusy:
        failures.release(failure)
        return RetryResult(outcome="busy", message="Its feed is running right now; look again in a minute.")
    except CircuitOpen as error:
        failures.put_off(failure, error.retry_after or 0)
        return RetryResult(outcome="busy", message=error.safe_message)
    except Gone as error:
        forget(failure)
        return told(failure, RetryResult(outcome="gone", message=error.safe_message), verb, trigger, by)
    except Exception as error:
        problem = failures.understand(error)
        failures.reopen(failure, problem)
        outcome = "unknown" if problem.reason == Reason.UNKNOWN_OUTCOME else "failed"
        return told(failure, RetryResult(outcome=outcome, message=problem.message), verb, trigger, by)
    close(failure, "replayed")
    return told(failure, measured(failure, visits, started), verb, trigger, by)


def expect_settled(failure: Failure) -> None:
    """The stages record for themselves what fails in them: then it was tried once more, and not settled."""
    now = Failure.objects.get(pk=failure.pk)
    if now.resolved_at is None and now.attempts > failure.attempts:
        raise StillFailing(now.message)


def forget(failure: Failure) -> None:
    """athena has no such record, patient, encounter or claim any more, so there is nothing left to bring in."""
    close(failure, "gone")
    resource = RESOURCES[failure.feed.resource] if failure.feed else None
    if resource and resource.name in STANDING_ALONE and failure.record_id:
        pipeline.forget(failure.practice_id, resource, failure.record_id)


def close(failure: Failure, resolution: str) -> None:
    """The pipeline may have resolved it on the way, as superseded by the copy this very retry fetched."""
    Failure.objects.filter(pk=failure.pk).update(
        resolved_at=clock.now(), resolution=resolution, next_try_at=None, claimed_until=None
    )


def told(failure: Failure, result: RetryResult, verb: str, trigger: str, by: User | None) -> RetryResult:
    """Keep the attempt: what was done, by whom, and what came of it."""
    Attempt.objects.create(
        failure=failure,
        at=clock.now(),
        trigger=trigger,
        by=by,
        verb=verb,
        outcome=result.outcome,
        message=result.message,
    )
    return result


def measured(failure: Failure, visits: Collection[int], since: datetime) -> RetryResult:
    """Confirmed means: the record is in, correlation ran, and this is what became of the gaps it held open."""
    of_visits = Gap.objects.for_practice(failure.practice_id)
    if visits or failure.subject_kind not in (Failure.SubjectKind.FEED, Failure.SubjectKind.CHUNK):
        of_visits = of_visits.filter(visit_id__in=visits)
    closed = of_visits.filter(closed_at__gte=since).aggregate(count=Count("pk"), dollars=Sum("at_risk"))
    left = of_visits.filter(closed_at__isnull=True).count() if visits else 0
    dollars = closed["dollars"] or Decimal(0)
    return RetryResult(
        outcome="confirmed",
        message=sentence(closed["count"], dollars, left),
        visit_ids=frozenset(visits),
        gaps_closed=closed["count"],
        dollars_closed=dollars,
    )


def sentence(closed: int, dollars: Decimal, left: int) -> str:
    rest = f"; {gaps(left)} of these visits stay open." if left else "."
    if not closed:
        return f"It came through; no gap was waiting for it{rest}"
    worth = f" worth ${dollars:,.0f} expected" if dollars else ""
    return f"It came through and closed {gaps(closed)}{worth}{rest}"


def gaps(count: int) -> str:
    return "1 gap" if count == 1 else f"{count} gaps"


def claim(failure_id: int) -> Failure | None:
    now = clock.now()
    free = Failure.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now), pk=failure_id, resolved_at__isnull=True
    )
    if not free.update(claimed_until=now + CLAIM, claim_token=F("claim_token") + 1):
        return None
    return Failure.objects.select_related("practice", "feed").get(pk=failure_id)  # type: ignore[no-any-return]


def unclaimed(failure_id: int) -> RetryResult:
    failure = Failure.objects.get(pk=failure_id)
    if failure.resolved_at is None:
        return RetryResult(outcome="busy", message="Somebody is running it right now.")
    outcome = "superseded" if failure.resolution == "superseded" else "already"
    return RetryResult(outcome=outcome, message="It had already been resolved.")


def refetch(failure: Failure) -> set[int]:
    """Ask athena again: for the one record where it can be named, else run its feed. A payload that is still the
    newest athena has is processed again as it is: the fault may have been corrected on our side."""
    if failure.subject_kind == Failure.SubjectKind.AUDIT:
        return repeat_audit(failure)
    if failure.subject_kind == Failure.SubjectKind.CHUNK:
        return rerun_chunk(failure)
    if failure.subject_kind == Failure.SubjectKind.FEED or failure.feed is None:
        return rerun_feed(failure)
    stored = RawRecord.objects.filter(pk=failure.subject_id).first() if is_raw(failure) else None
    with source_for(failure.practice, share=Share.REPLAY, feed=failure.feed.resource) as source:
        answers = list(pages_about(source, failure.feed.resource, failure, stored))
    with transaction.atomic():
        kept = keep_pages(failure.practice_id, RESOURCES[failure.feed.resource], answers)
    newest = newest_id(stored, kept.nameless) if stored else None
    brought = {row.pk for row in kept.rows} | ({newest} if newest else set())
    outcome = pipeline.process(failure.practice_id, sorted(brought))
    broken = outcome.failed & {newest} if stored else outcome.failed
    if broken or (kept.nameless and (stored is None or is_nameless(stored))):
        if stored is None:  # the pull itself came through; what it brought has failures of its own
            close(failure, "superseded")
        raise StillBroken
    return outcome.visits


def is_raw(failure: Failure) -> bool:
    return failure.subject_kind == Failure.SubjectKind.RAW


def is_nameless(stored: RawRecord) -> bool:
    return stored.external_id.startswith("?")


def newest_id(stored: RawRecord, nameless: int) -> int | None:
    """The newest payload of the record that failed. A nameless one is superseded when none is nameless any more."""
    if is_nameless(stored) and not nameless:
        return None
    of_record = RawRecord.objects.for_practice(stored.practice_id).filter(
        resource=stored.resource, external_id=stored.external_id, parent_id=stored.parent_id
    )
    newest: int | None = of_record.order_by("-pk").values_list("pk", flat=True).first()
    return newest


def pages_about(
    source: Source, resource: str, failure: Failure, stored: RawRecord | None
) -> Iterator[tuple[Page, str]]:
    """The smallest question that brings the failed record back."""
    if stored is None:
        subject = Subject.objects.get(pk=failure.subject_id)
        yield from (
            (page, walks.owner(subject)) for page in source.about(resource, subject.key, subject.scope)
        )
    elif stored.parent_id:
        key, _, scope = stored.parent_id.partition("/")
        yield from ((page, stored.parent_id) for page in source.about(resource, key, scope))
    elif failure.record_id:
        yield from ((page, "") for page in source.about(resource, failure.record_id, ""))
    elif resource == "claims" and failure.appointment_id:
        yield from ((page, "") for page in source.v1.claims_of_appointment(failure.appointment_id))
    else:
        yield from ((page, "") for page in lists_around(source, resource, stored))


def lists_around(source: Source, resource: str, stored: RawRecord) -> Iterator[Page]:
    """Of a record that names neither itself nor an owner: the whole list where that is small, the day it says it is
    of, or what the changed feed handed out around then, which consumes nothing."""
    if RESOURCES[resource].listed:
        return source.v1.pages(resource)
    if dates := day_of(resource, stored):
        return source.v1.pages(resource, **dates)
    if RESOURCES[resource].changed:
        then = (stored.fetched_at - walks.OVERLAP, stored.fetched_at + walks.OVERLAP)
        return source.v1.changed(resource, processed_between=then)
    raise NoWayBack


def day_of(resource: str, stored: RawRecord) -> dict[str, date]:
    """The window of one day, by the parameters of its list; none when the payload shows no day."""
    document = parsed(raw.read(stored))
    if resource in DAY_FIELD and isinstance(document, dict):
        with suppress(ValueError):
            if day := us_date(document.get(DAY_FIELD[Audit.Kind(resource)])):
                return dict.fromkeys(endpoint(resource).dates or (), day)
    return {}


class NoWayBack(InvalidResponse):
    """The payload names no record, parent, day or feed to ask about."""

    def __init__(self) -> None:
        super().__init__(
            "The stored payload names no record to ask athena for; back-fill the window of its feed."
        )


def rerun_chunk(failure: Failure) -> set[int]:
    lease = backfill.take(int(failure.subject_id))
    return came_through(pull.run_chunk(lease) if lease else None)


def rerun_feed(failure: Failure) -> set[int]:
    return came_through(pull.run_feed(int(failure.subject_id), trigger="replay"))


def came_through(run: Run | None) -> set[int]:
    if run is None or run.outcome == Run.Outcome.LOST:
        raise FeedBusy
    if run.outcome != Run.Outcome.DONE:
        raise StillFailing(run.message)
    pipeline.drain(run.practice_id)
    return set()


def repeat_audit(failure: Failure) -> set[int]:
    try:
        return audit.repeat(failure)
    except audit.AuditRunning:
        raise FeedBusy from None


class FeedBusy(Exception):
    """Another worker holds the feed: this was no try."""


class StillFailing(InvalidResponse):
    """It ran again and failed again; the message is the stage's own."""


class StillBroken(InvalidResponse):
    def __init__(self) -> None:
        super().__init__("athena still sends a copy that cannot be used; it must be corrected in athenaOne.")


def reprocess(failure: Failure) -> set[int]:
    """The stored payload through the current code; what never got stored can only be asked for again."""
    if failure.subject_kind == Failure.SubjectKind.VISIT:
        pipeline.rejudge(failure.practice_id, [int(failure.subject_id)])
        return {int(failure.subject_id)}
    if failure.subject_kind != Failure.SubjectKind.RAW:
        return refetch(failure)
    if not RawRecord.objects.filter(pk=failure.subject_id, segment_id__isnull=False).exists():
        raise NoWayBack
    return pipeline.process(failure.practice_id, [int(failure.subject_id)]).visits
