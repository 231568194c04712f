"""The story in one place: raw payloads → facts → rows → links → gaps, in one transaction per batch.

A record that cannot be understood becomes a Failure and does not stop its batch. A batch that the database or our own
code refuses is halved until the record at fault stands alone; that one becomes a Failure too. `processed_version` is
set in the same transaction, so a killed worker leaves rows that the sweeper finds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from athena_dash.core import clock
from athena_dash.correlation import cohorts
from athena_dash.correlation import service as correlation
from athena_dash.practices.models import Practice
from athena_dash.practices.policies import policies_of
from athena_dash.practices.statuses import unmapped
from athena_dash.records.facts import ClaimFact, Sourced
from athena_dash.records.history import append_statuses
from athena_dash.records.models import Department
from athena_dash.records.upsert import Touched, mark_record_gone, upsert
from athena_dash.sync import conformance, failures, raw, subjects
from athena_dash.sync.evidence import evidence_of
from athena_dash.sync.models import Failure, Feed, RawRecord, Stage
from athena_dash.sync.normalise import Context, normalise
from athena_dash.sync.normalise.context import Unmapped
from athena_dash.sync.resources import RESOURCES, Resource
from integrations.athena.payloads.naming import usable_id

BATCH = 1000


@dataclass(slots=True)
class Outcome:
    """What processing a set of raw rows came to: visits whose links or gaps were looked at again, failed raw rows."""

    visits: set[int] = field(default_factory=set)
    failed: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Understood:
    """One batch after normalise: facts to write, and the raw rows that could not be read, each with why."""

    facts: list[Sourced]
    errors: list[tuple[RawRecord, Exception]]


def process(practice_id: int, raw_ids: Sequence[int]) -> Outcome:
    """Run these raw rows through every stage. Running it again changes nothing."""
    outcome = Outcome()
    for start in range(0, len(raw_ids), BATCH):
        process_halving(practice_id, raw_ids[start : start + BATCH], outcome)
    return outcome


def process_halving(practice_id: int, raw_ids: Sequence[int], outcome: Outcome) -> None:
    try:
        process_batch(practice_id, raw_ids, outcome)
    except Exception as error:
        if len(raw_ids) == 1:
            keep_crash(practice_id, raw_ids[0], error)
            outcome.failed.add(raw_ids[0])
            return
        middle = len(raw_ids) // 2
        process_halving(practice_id, raw_ids[:middle], outcome)
        process_halving(practice_id, raw_ids[middle:], outcome)


def process_batch(practice_id: int, raw_ids: Sequence[int], outcome: Outcome) -> None:
    now = clock.now()
    with transaction.atomic():
        lock(practice_id)
        rows = newest_of(practice_id, raw_ids)
        understood = understand(practice_id, rows)
        touched = upsert(practice_id, understood.facts)
        append_statuses(practice_id, touched.get("claim", ()), now)
        for resource in {row.resource for row in rows}:
            subjects.route(practice_id, resource, touched, now)
        keep_errors(understood.errors)
        unmapped_rows = keep_unmapped(practice_id, rows, understood.facts)
        resolve(practice_id, rows, {row.pk for row, _ in understood.errors}, unmapped_rows)
        conformance.sample(practice_id, rows)
        visits = relate(practice_id, with_failed(touched, understood.errors))
        RawRecord.objects.filter(practice_id=practice_id, pk__in=raw_ids).update(
            processed_version=raw.VERSION
        )
    outcome.visits |= visits
    outcome.failed |= {row.pk for row, _ in understood.errors}


def relate(practice_id: int, touched: Touched) -> set[int]:
    """Changed rows → links, and what the visits around them now lack."""
    visits = correlation.correlate(practice_id, touched)
    correlation.judge_visits(practice_id, visits, evidence_of(practice_id))
    correlation.judge_orphans(practice_id, touched.get("clinicalfact", ()))
    return visits


def forget(practice_id: int, resource: Resource, external_id: str) -> None:
    """The source answered that it has no such record any more: its visit must be looked at again."""
    now = clock.now()
    with transaction.atomic():
        lock(practice_id)
        absence = raw.keep_absence(practice_id, resource.name, external_id, now)
        failures.resolve(practice_id, STAGES, Failure.SubjectKind.RAW, failing_before([absence]), "gone")
        relate(practice_id, mark_record_gone(practice_id, resource.record, external_id, now))


def rejudge(practice_id: int, visit_ids: Sequence[int]) -> None:
    """Time has passed, or evidence has changed: ask the rules again about these visits."""
    with transaction.atomic():
        lock(practice_id)
        correlation.judge_visits(practice_id, set(visit_ids), evidence_of(practice_id))


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


def lock(practice_id: int) -> None:
    """One writer per practice: pulls overlap, writing takes turns, and so no two batches correlate one visit."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [PIPELINE_LOCK, practice_id])


PIPELINE_LOCK = 7_001


def newest_of(practice_id: int, raw_ids: Iterable[int]) -> list[RawRecord]:
    """The rows in the order they were fetched, without those a newer payload of the same record has superseded."""
    statement = """
        select r.* from sync_rawrecord r
        where r.practice_id = %s and r.id = any(%s) and r.purged_at is null and not exists (
            select from sync_rawrecord newer
            where newer.practice_id = r.practice_id and newer.resource = r.resource
              and newer.external_id = r.external_id and newer.parent_id = r.parent_id and newer.id > r.id)
        order by r.id
    """
    return list(RawRecord.objects.raw(statement, [practice_id, list(raw_ids)]))


def understand(practice_id: int, rows: Sequence[RawRecord]) -> Understood:
    base = context_of(practice_id)
    facts: list[Sourced] = []
    errors: list[tuple[RawRecord, Exception]] = []
    for row in rows:
        context = Context(base.practice, row.parent_id, base.zones, base.fallback)
        try:
            found = normalise(row.resource, raw.read(row), context)
        except Exception as error:
            errors.append((row, error))
        else:
            facts += [Sourced(fact, row.pk, row.fetched_at) for fact in found]
    return Understood(facts, errors)


def context_of(practice_id: int) -> Context:
    practice = Practice.objects.get(pk=practice_id)
    zones = Department.objects.for_practice(practice_id).values_list("external_id", "timezone")
    return Context(
        practice.athena_id, "", {key: ZoneInfo(zone) for key, zone in zones}, ZoneInfo(practice.timezone)
    )


def keep_errors(errors: Iterable[tuple[RawRecord, Exception]]) -> None:
    for row, error in errors:
        failures.record(Stage.NORMALISE, subject_of(row, feed_of(row)), error)


def keep_unmapped(practice_id: int, rows: Sequence[RawRecord], facts: Iterable[Sourced]) -> set[int]:
    """A claim status nobody mapped is stored as it is and reported: the claim neither vanishes nor crashes.
    Returns the raw rows that hold one."""
    mapped = policies_of(practice_id).claim_statuses
    by_id = {row.pk: row for row in rows}
    found = set()
    for sourced in facts:
        if isinstance(claim := sourced.fact, ClaimFact):
            words = (claim.primary_status, claim.secondary_status, claim.patient_status)
            for word in sorted(unmapped(words, mapped))[:1]:
                row = by_id[sourced.raw_id]
                error = Unmapped("status", "Claim status", word)
                failures.record(Stage.GAPS, subject_of(row, feed_of(row)), error)
                found.add(row.pk)
    return found


def feed_of(row: RawRecord) -> int | None:
    name = row.resource.removesuffix(".roster")
    feed: int | None = (
        Feed.objects.for_practice(row.practice_id).filter(resource=name).values_list("pk", flat=True).first()
    )
    return feed


def keep_crash(practice_id: int, raw_id: int, error: Exception) -> None:
    """Everything of this record was rolled back; the failure is kept outside of that."""
    row = RawRecord.objects.get(practice_id=practice_id, pk=raw_id)
    failures.record(Stage.UPSERT, subject_of(row, feed_of(row)), error)
    RawRecord.objects.filter(pk=raw_id).update(processed_version=raw.VERSION)


def subject_of(row: RawRecord, feed_id: int | None) -> failures.Subject:
    """The raw row, with whatever ids its payload still shows, so that the judge can recognise the visit (D1)."""
    seen = peek(raw.read(row))
    resource = RESOURCES.get(row.resource)
    known = not row.external_id.startswith("?")
    return failures.Subject(
        practice_id=row.practice_id,
        kind=Failure.SubjectKind.RAW,
        id=str(row.pk),
        feed_id=feed_id,
        resource=row.resource,
        record_kind=resource.record if resource else row.resource,
        record_id=row.external_id if known else "",
        patient_id=seen.get("patientid", "") or (row.parent_id.partition("/")[0] if is_patients(row) else ""),
        appointment_id=row.external_id
        if known and row.resource == "appointments"
        else seen.get("appointmentid", ""),
    )


def is_patients(row: RawRecord) -> bool:
    resource = RESOURCES.get(row.resource)
    return bool(resource and resource.subject == "patient")


def peek(body: bytes) -> dict[str, str]:
    """The ids at the top of a payload that failed, as text; none when it is not even an object."""
    document = raw.parsed(body)
    if not isinstance(document, dict):
        return {}
    return {name: usable_id(document, name) for name in ("patientid", "appointmentid")}


def with_failed(touched: Touched, errors: Iterable[tuple[RawRecord, Exception]]) -> Touched:
    """Also look again at visits whose record has just failed: their gap may now be our own fault."""
    together: Touched = defaultdict(set, {table: set(ids) for table, ids in touched.items()})
    for row, _ in errors:
        subject = subject_of(row, None)
        if subject.appointment_id:
            together["appointment"].add(subject.appointment_id)
        if subject.record_id:
            together[subject.record_kind].add(subject.record_id)
    return dict(together)


STAGES = (Stage.NORMALISE, Stage.UPSERT, Stage.CORRELATE, Stage.GAPS)


def resolve(practice_id: int, rows: Sequence[RawRecord], bad: set[int], unmapped_rows: set[int]) -> None:
    """Close the failures of payloads that came through, and those of older payloads of the same records: whatever
    is wrong with a record now, its newest payload says it."""
    settled = [row.pk for row in rows if row.pk not in bad]
    mapped = [str(pk) for pk in settled if pk not in unmapped_rows]
    raws = Failure.SubjectKind.RAW
    failures.resolve(practice_id, STAGES[:-1], raws, [str(pk) for pk in settled], "processed")
    failures.resolve(practice_id, [Stage.GAPS], raws, mapped, "processed")
    failures.resolve(practice_id, STAGES, raws, failing_before([row.pk for row in rows]), "superseded")


def failing_before(raw_ids: Sequence[int]) -> list[str]:
    """Raw rows with an open failure that are older payloads of the same records."""
    statement = """
        select older.id::text from sync_rawrecord newer
        join sync_rawrecord older
          on older.practice_id = newer.practice_id and older.resource = newer.resource
         and older.external_id = newer.external_id and older.parent_id = newer.parent_id and older.id < newer.id
        join sync_failure f
          on f.practice_id = older.practice_id and f.subject_kind = 'raw' and f.subject_id = older.id::text
         and f.resolved_at is null
        where newer.id = any(%s)
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(raw_ids)])
        return [pk for (pk,) in cursor.fetchall()]
