"""Ask athena about one visit, now: a few budgeted calls → the raw store and the pipeline, like every other payload →
the visit judged again, with what athena answered as evidence (D3, D4).

Whatever goes wrong is said in words on the LiveRead, and the verdict that stood stays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Q, QuerySet

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Visit
from athena_dash.sync import failures, pipeline
from athena_dash.sync.budget import Share
from athena_dash.sync.connections import source_for
from athena_dash.sync.models import LiveRead
from athena_dash.sync.pages import keep_pages, payloads
from athena_dash.sync.questions import Question, first_questions, kinds, questions_of_claims
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.source import Source
from integrations.athena.errors import Gone

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

PAUSE = timedelta(minutes=2)  # between two live reads of a visit, whoever asks
LONGEST = timedelta(minutes=3)  # a read without an end after that lost its worker
SHARES = {LiveRead.Trigger.PERSON: Share.LIVE, LiveRead.Trigger.NIGHT: Share.BACKFILL}


class TooSoon(Exception):
    """athena was asked about this visit a moment ago."""


def ask(visit: Visit, by: User) -> LiveRead:
    """The read that will be made, or that is waiting or running already. TooSoon after one that has just ended."""
    now = clock.now()
    with transaction.atomic():
        Visit.objects.select_for_update(no_key=True).get(pk=visit.pk)  # two clicks are one question
        newest = newest_of(visit)
        if newest and newest.finished_at is None:
            return newest
        if newest and newest.finished_at and newest.finished_at > now - PAUSE:
            raise TooSoon
        read: LiveRead = LiveRead.objects.create(
            practice_id=visit.practice_id,
            visit=visit,
            trigger=LiveRead.Trigger.PERSON,
            by=by,
            created_at=now,
        )
        return read


def takeable() -> Q:
    """Waiting, or left behind by a worker that was killed."""
    return Q(state=LiveRead.State.WAITING) | Q(
        state=LiveRead.State.RUNNING, started_at__lt=clock.now() - LONGEST
    )


def take(read_id: int) -> LiveRead | None:
    if not LiveRead.objects.filter(takeable(), pk=read_id).update(
        state=LiveRead.State.RUNNING, started_at=clock.now(), asked=0, planned=0
    ):
        return None
    return LiveRead.objects.select_related("visit", "practice").get(pk=read_id)  # type: ignore[no-any-return]


def run(read_id: int) -> bool:
    """Whether the next read may follow. Never raises for what athena or a payload does."""
    read = take(read_id)
    if read is None:
        return True
    awaited, standing = kinds(read.visit), open_gaps(read.visit_id)
    try:
        with source_for(read.practice, share=SHARES[LiveRead.Trigger(read.trigger)]) as source:
            changed = read_all(read, awaited, source)
        settle(read, awaited, changed, standing)
    except Exception as error:
        said = failures.understand(error).message.rstrip(".") + "."
        mine(read).update(state=LiveRead.State.FAILED, finished_at=clock.now(), message=said)
        return False
    return True


def mine(read: LiveRead) -> QuerySet[LiveRead]:
    rows: QuerySet[LiveRead] = LiveRead.objects.filter(
        pk=read.pk, state=LiveRead.State.RUNNING, started_at=read.started_at
    )
    return rows


def read_all(read: LiveRead, awaited: frozenset[str], source: Source) -> int:
    """How many payloads were new or different."""
    first = first_questions(read.visit, awaited)
    mine(read).update(planned=len(first))
    changed = 0
    brought: set[str] = set()
    for question in first:
        changed += answer(read, question, source, brought)
    rest = questions_of_claims(read.visit, awaited, brought)
    mine(read).update(planned=len(first) + len(rest))
    return changed + sum(answer(read, question, source, brought) for question in rest)


def answer(read: LiveRead, question: Question, source: Source, brought: set[str]) -> int:
    """One question, its answer landed whole; the claims it brought are noted in `brought`."""
    resource = RESOURCES[question.resource]
    try:
        pages = list(question.ask(source))
    except Gone:
        if question.record_id:
            pipeline.forget(read.practice_id, resource, question.record_id)
        pages = []
    with transaction.atomic():
        kept = keep_pages(read.practice_id, resource, [(page, question.parent) for page in pages])
    pipeline.process(read.practice_id, [row.pk for row in kept.rows])
    if question.resource == "claims":
        brought |= {one.external_id for page in pages for one in payloads(resource, page, "")}
    mine(read).update(asked=F("asked") + 1)
    return len(kept.rows)


def open_gaps(visit_id: int) -> set[int]:
    return set(Gap.objects.filter(visit=visit_id, closed_at__isnull=True).values_list("pk", flat=True))


def settle(read: LiveRead, awaited: frozenset[str], changed: int, standing: set[int]) -> None:
    """The answer and the judgement that leans on it, together or not at all."""
    with transaction.atomic():
        if not mine(read).update(
            state=LiveRead.State.DONE, finished_at=clock.now(), answered=sorted(awaited), changed=changed
        ):
            return
        pipeline.rejudge(read.practice_id, [read.visit_id])
        healed = Gap.objects.filter(pk__in=standing, closed_at__isnull=False, closed_by="data")
        closed = healed.update(closed_by="live_read")
        LiveRead.objects.filter(pk=read.pk).update(gaps_closed=closed)


def newest_of(visit: Visit) -> LiveRead | None:
    rows = LiveRead.objects.filter(visit=visit).select_related("by")
    newest: LiveRead | None = rows.order_by("-created_at", "-pk").first()
    return newest
