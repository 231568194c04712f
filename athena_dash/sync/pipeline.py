"""The story in one place: raw payloads → facts → links → gaps.

Landing (sync.landing) commits facts and, with them, the names of what they touched. Relating ties those records to
visits and says what each visit lacks, in transactions of its own, so that a visit touched by its encounter, its claim
and three charges is looked at once. A crash between the two leaves names that the next drain finds. A crash inside
relating halves its ids until the one at fault stands alone and becomes a Failure; the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.apps import apps
from django.db import transaction

from athena_dash.core import clock
from athena_dash.core.one_trip import fetch
from athena_dash.correlation import cohorts, reweighing
from athena_dash.correlation import service as correlation
from athena_dash.records import statistics
from athena_dash.records.upsert import mark_record_gone
from athena_dash.sync import failures, lag, landing, raw, waiting
from athena_dash.sync.evidence import evidence_of
from athena_dash.sync.models import Failure, RawRecord, Stage, Touched
from athena_dash.sync.resources import RESOURCES, Resource

BATCH = 1000
MANY = 100  # records, from which a plan made for an empty practice takes longer than counting it

Touches = Mapping[str, Collection[str]]
"""Records table, or "visit" → ids."""


@dataclass(slots=True)
class Outcome:
    """What processing a set of raw rows came to: visits whose links or gaps were looked at again, failed raw rows."""

    visits: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)


def process(practice_id: int, raw_ids: Sequence[int]) -> Outcome:
    """Take these stored payloads through every stage, to what their visits lack. Again changes nothing."""
    outcome = Outcome()
    for start in range(0, len(raw_ids), BATCH):
        landed = landing.land(practice_id, raw.load(practice_id, raw_ids[start : start + BATCH]))
        outcome.failed |= landed.failed
        outcome.visits |= halving(practice_id, landed.touched, relate, landed.waiting)
    return outcome


def forget(practice_id: int, resource: Resource, external_id: str) -> None:
    """The source answered that it has no such record any more: its visit must be looked at again."""
    now = clock.now()
    with transaction.atomic():
        landing.lock(practice_id, [resource.name])
        absence = raw.keep_absence(practice_id, resource.name, external_id, now)
        failures.settle(landing.failing_before(practice_id, absence), "gone")
        gone = mark_record_gone(practice_id, resource.record, external_id, now)
        rows = waiting.add(practice_id, gone, now)
    halving(practice_id, gone, relate, rows)


def rejudge(practice_id: int, visit_ids: Sequence[int]) -> None:
    """Time has passed, or evidence has changed: ask the rules again about these visits."""
    halving(practice_id, {Touched.VISIT: [str(pk) for pk in visit_ids]}, relate)


def learn_prices(practice_id: int) -> bool:
    """What the practice is usually paid, anew; whether visits became due by it. Nobody waits while it is read."""
    lesson = correlation.learn(practice_id)
    with transaction.atomic():
        lock(practice_id)
        return correlation.keep(practice_id, lesson)


def compare_days(practice_id: int) -> bool:
    """Where far more is missing than usual, anew; whether visits became due by it."""
    found = cohorts.find(practice_id)
    with transaction.atomic():
        lock(practice_id)
        return cohorts.keep(practice_id, found)


def learn_weights(practice_id: int) -> bool:
    """What its claims with ids say of those without, as a version for a person to try out; whether one was made."""
    with transaction.atomic():
        lock(practice_id)
        return reweighing.learn_weights(practice_id) is not None


def apply_weights(practice_id: int) -> bool:
    """One batch of claims tied by the active weights; whether there are more. Killed, it goes on where it was."""
    with transaction.atomic():
        lock(practice_id)
        claims = reweighing.next_batch(practice_id, BATCH)
        if claims:
            relate(practice_id, {"claim": set(claims)})
    return bool(claims)


def drain(practice_id: int) -> set[int]:
    """Relate whatever waits: first every record, then, each once, the visits around them."""
    arrived = correlate_waiting(practice_id)
    visits = judge_waiting(practice_id)
    lag.seen(arrived)
    return visits


def correlate_waiting(practice_id: int) -> list[int]:
    """The arrivals whose records are tied now."""
    while True:
        # before the look that finds nothing: what they touched is related then
        arrived = lag.landed(practice_id)
        touched, rows = waiting.take(practice_id)
        if not rows:
            return arrived
        if sum(map(len, touched.values())) >= MANY:
            statistics.introduce_everywhere(practice_id)
        halving(practice_id, touched, correlate, rows)


def judge_waiting(practice_id: int) -> set[int]:
    """Until no visit waits, beside whoever else is at it; those judged here."""
    visits: set[int] = set()
    while waiting.parts(practice_id):
        found = judge_part(practice_id)
        if found is None:
            await_judges(practice_id)
        else:
            visits |= found
    return visits


def judge_part(practice_id: int) -> set[int] | None:
    """The next part that nobody has; None when all are had. A judge that is killed leaves its part to the next."""
    with transaction.atomic():
        share(practice_id)
        part = waiting.claim(practice_id)
        return halving(practice_id, {Touched.VISIT: part.ids}, judge, [part.pk]) if part else None


def await_judges(practice_id: int) -> None:
    with transaction.atomic():
        lock(practice_id)


def drain_if_due(practice_id: int) -> None:
    """Between two pages: unless somebody is at it already."""
    if waiting.is_due(practice_id) and is_free(practice_id):
        drain(practice_id)


# -- steps, in the caller's transaction and under the lock ------------------------------------------------


def relate(practice_id: int, touched: Touches) -> set[int]:
    """Changed rows → links, and what the visits around them now lack. The visits are returned."""
    lock(practice_id)
    named = {int(pk) for pk in touched.get(Touched.VISIT, ())}
    records = {table: ids for table, ids in touched.items() if table != Touched.VISIT}
    return find_gaps(practice_id, named | tie(practice_id, records) if records else named)


def judge(practice_id: int, touched: Touches) -> set[int]:
    """What these visits lack; under the shared lock."""
    return find_gaps(practice_id, {int(pk) for pk in touched[Touched.VISIT]})


def find_gaps(practice_id: int, visits: set[int]) -> set[int]:
    correlation.judge_visits(practice_id, visits, evidence_of(practice_id))
    failures.settle(failing(practice_id, {Touched.VISIT: {str(pk) for pk in visits}}), "processed")
    return visits


def correlate(practice_id: int, touched: Touches) -> set[int]:
    """Changed rows → links; the visits around them wait for the judge."""
    lock(practice_id)
    visits = tie(practice_id, touched)
    waiting.add_visits(practice_id, visits, clock.now())
    return visits


def tie(practice_id: int, touched: Touches) -> set[int]:
    visits = correlation.correlate(practice_id, touched)
    correlation.judge_orphans(practice_id, touched.get("clinicalfact", ()))
    failures.settle(failing(practice_id, touched), "processed")
    return visits


Step = Callable[[int, Touches], set[int]]


def halving(practice_id: int, touched: Touches, step: Step, rows: Collection[int] = ()) -> set[int]:
    """Run the step and remove the rows that asked for it, in one transaction."""
    count = sum(map(len, touched.values()))
    if not count:
        return set()
    try:
        with transaction.atomic():
            visits = step(practice_id, touched)
            waiting.remove(rows)
        return visits
    except Exception as error:
        if count == 1:
            keep_fault(practice_id, touched, error)
            waiting.remove(rows)
            return set()
    first, second = list(cut(touched, (count + 1) // 2))
    return halving(practice_id, first, step) | halving(practice_id, second, step, rows)


def cut(touched: Touches, size: int) -> Iterator[dict[str, list[str]]]:
    """Parts of `size` ids, table by table."""
    part: dict[str, list[str]] = {}
    room = size
    for table, ids in touched.items():
        rest = sorted(ids)
        while rest:
            part[table], rest, room = rest[:room], rest[room:], room - len(rest[:room])
            if not room:
                yield part
                part, room = {}, size
    if part:
        yield part


# -- one at a time, and what goes wrong --------------------------------------------------------------------

PIPELINE_LOCK = 7_001


def lock(practice_id: int) -> None:
    """One relater per practice, so that no two ever correlate one visit, and none judges it meanwhile. Landing goes on:
    what it changes is touched again."""
    ask("pg_advisory_xact_lock", practice_id)


def share(practice_id: int) -> None:
    """Judges of different visits share the practice; whoever moves links waits for them."""
    ask("pg_advisory_xact_lock_shared", practice_id)


def is_free(practice_id: int) -> bool:
    return bool(ask("pg_try_advisory_xact_lock", practice_id))


def ask(verb: str, practice_id: int) -> Any:
    (((answer,),),) = fetch(
        {"lock": PIPELINE_LOCK, "practice": practice_id}, f"select {verb}(%(lock)s, %(practice)s)"
    )
    return answer


def keep_fault(practice_id: int, touched: Touches, error: Exception) -> None:
    """Everything of this one was rolled back; the failure is kept outside of that."""
    ((table, (id,)),) = touched.items()
    if table == Touched.VISIT:
        visit = failures.Subject(practice_id=practice_id, kind=Failure.SubjectKind.VISIT, id=id)
        failures.record(Stage.GAPS, visit, error)
        return
    for row in raw.load(practice_id, [payload_of(practice_id, table, id)]):
        subject = landing.subject_of(row, landing.feed_of(row))
        failures.record(Stage.CORRELATE, replace(subject, record_kind=table, record_id=id), error)


FAILING = """
select id, subject_kind, subject_id, record_kind, record_id from sync_failure
where practice_id = %(practice)s and resolved_at is null
  and (stage = 'correlate' or stage = 'gaps' and subject_kind = 'visit')
"""


def failing(practice_id: int, touched: Touches) -> list[int]:
    """Open failures of relating these."""
    (rows,) = fetch({"practice": practice_id}, FAILING)
    return [
        pk
        for pk, kind, subject_id, table, record_id in rows
        if (
            subject_id in touched.get(Touched.VISIT, ())
            if kind == Failure.SubjectKind.VISIT
            else record_id in touched.get(table, ())
        )
    ]


def payload_of(practice_id: int, table: str, external_id: str) -> int:
    """The raw row that last said something of this record, or failed to; 0 when there is none."""
    model: Any = apps.get_model("records", table)
    found = model.objects.for_practice(practice_id).filter(external_id=external_id, raw_id__isnull=False)
    resources = [resource.name for resource in RESOURCES.values() if resource.record == table]
    kept = RawRecord.objects.for_practice(practice_id).filter(resource__in=resources, external_id=external_id)
    return (
        found.values_list("raw_id", flat=True).first()
        or kept.order_by("-pk").values_list("pk", flat=True).first()
        or 0
    )
