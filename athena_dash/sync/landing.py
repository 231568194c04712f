"""Stored payloads → facts, in one transaction per batch, and what they touched left for sync.pipeline to relate; holds
raw SQL.

Decoding needs no lock and is done before it. A record that cannot be understood becomes a Failure and does not stop
its batch. A batch that the database or our own code refuses is halved until the record at fault stands alone; that
one becomes a Failure too. A segment is finished in the transaction of its facts, so a killed worker leaves segments
that the sweeper finds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction
from psycopg.errors import DeadlockDetected, UniqueViolation

from athena_dash.core import clock, literals
from athena_dash.core.collector import no_collector
from athena_dash.core.one_trip import fetch
from athena_dash.practices.policies import policies_of
from athena_dash.practices.statuses import unmapped
from athena_dash.records import merges
from athena_dash.records.facts import ClaimFact, Sourced
from athena_dash.records.history import end_statuses
from athena_dash.records.upsert import Touched, upsert
from athena_dash.sync import conformance, failures, raw, segments, subjects, waiting
from athena_dash.sync.models import Failure, Feed, Stage
from athena_dash.sync.normalise import Context, normalise
from athena_dash.sync.normalise.context import Unmapped
from athena_dash.sync.payloads import parsed
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.segments import Stored
from integrations.athena.payloads.naming import usable_id

COLLISIONS = 3
ROWS = 2000
"""Raw rows landed in one transaction, whose locks, looks and statements cost what the facts of some 200 do. Of 3000,
payloads and facts at once took a worker past 200 MB when PostgreSQL was slow."""


@dataclass(slots=True)
class Landed:
    """What was changed, the rows of sync.Touched that say so, and the raw rows that failed."""

    touched: Touched = field(default_factory=lambda: defaultdict(set))
    waiting: list[int] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Understood:
    """One batch after normalise: facts to write, and the raw rows that could not be read, each with why."""

    facts: list[Sourced]
    errors: list[tuple[Stored, Exception]]


@no_collector()
def land(practice_id: int, rows: Sequence[Stored]) -> Landed:
    """Write what these payloads say. Running it again changes nothing."""
    landed = Landed()
    for batch in batches(rows):
        land_halving(practice_id, batch, landed)
    return landed


def batches(rows: Sequence[Stored]) -> Iterator[list[Stored]]:
    """Whole segments, so that each is finished together with its facts."""
    batch: list[Stored] = []
    for _, segment in groupby(rows, key=attrgetter("segment_id")):
        batch += segment
        if len(batch) >= ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


def land_halving(practice_id: int, rows: Sequence[Stored], landed: Landed) -> None:
    try:
        insist(partial(land_batch, practice_id, rows, landed))
    except Exception as error:
        if len(rows) == 1:
            keep_crash(rows[0], error)
            landed.failed.add(rows[0].pk)
            return
        middle = len(rows) // 2
        land_halving(practice_id, rows[:middle], landed)
        land_halving(practice_id, rows[middle:], landed)
        segments.finish(rows)


def insist(step: Callable[[], None]) -> None:
    """Feeds that write one table take its rows in one order; where that is not enough, or both add the same row,
    PostgreSQL ends one of the two writers, who only has to try again."""
    for _ in range(COLLISIONS):
        try:
            step()
            return
        except DatabaseError as error:
            if not isinstance(error.__cause__, DeadlockDetected | UniqueViolation):
                raise
    step()


def land_batch(practice_id: int, rows: Sequence[Stored], landed: Landed) -> None:
    now = clock.now()
    understood = understand(practice_id, rows)
    findings = conformance.check(rows)
    with transaction.atomic():
        lock(practice_id, {segments.feed_of(resource) for resource in {row.resource for row in rows}})
        old = raw.superseded(rows)
        current = [row for row in rows if row.pk not in old] if old else rows
        facts = [one for one in understood.facts if one.raw_id not in old] if old else understood.facts
        errors = [pair for pair in understood.errors if pair[0].pk not in old]
        claims = [one for one in facts if isinstance(one.fact, ClaimFact)]
        end_statuses(practice_id, claims)
        touched = upsert(practice_id, facts)
        if unmerged := merges.unmerge(practice_id, touched.get("patient", ())):
            touched["patient"] |= unmerged
        for resource in {row.resource for row in current}:
            subjects.route(practice_id, resource, subjects.telling(resource, touched, facts), now)
        keep_errors(errors)
        unmapped_rows = keep_unmapped(practice_id, current, claims)
        touched = with_records(
            touched,
            [*failing_records(errors), *resolve(practice_id, current, errors, unmapped_rows)],
        )
        conformance.add(practice_id, findings)
        kept = waiting.add(practice_id, touched, now)
        segments.finish(rows)
    landed.waiting += kept
    landed.failed |= {row.pk for row, _ in errors}
    for table, ids in touched.items():
        landed.touched[table] |= ids


def lock(practice_id: int, feeds: Iterable[str]) -> None:
    """One writer per feed of a practice, so that what was fetched later is landed later."""
    names = [f"landing {practice_id} {feed}" for feed in sorted(feeds)]
    fetch({"names": literals.text_array(names)}, LOCK)


LOCK = "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest(%(names)s::text[]) as name"


def understand(practice_id: int, rows: Sequence[Stored]) -> Understood:
    base = context_of(practice_id)
    facts: list[Sourced] = []
    errors: list[tuple[Stored, Exception]] = []
    context = base
    for row in rows:
        if row.parent_id != context.parent:
            context = Context(base.practice, row.parent_id, base.zones, base.fallback)
        try:
            found = normalise(row.resource, row.body, context)
        except Exception as error:
            errors.append((row, error))
        else:
            for fact in found:
                facts.append(Sourced(fact, row.pk, row.fetched_at))
    return Understood(facts, errors)


def context_of(practice_id: int) -> Context:
    ((own,), zones) = fetch({"practice": practice_id}, PRACTICE, ZONES)
    athena_id, zone = own
    return Context(athena_id, "", {key: ZoneInfo(of) for key, of in zones}, ZoneInfo(zone))


PRACTICE = "select athena_id, timezone from practices_practice where id = %(practice)s"
ZONES = "select external_id, timezone from records_department where practice_id = %(practice)s"


# -- failures ------------------------------------------------------------------------------------------


def keep_errors(errors: Iterable[tuple[Stored, Exception]]) -> None:
    for row, error in errors:
        failures.record(Stage.NORMALISE, subject_of(row, feed_of(row)), error)


def keep_unmapped(practice_id: int, rows: Sequence[Stored], facts: Iterable[Sourced]) -> set[int]:
    """A claim status nobody mapped is stored as it is and reported: the claim neither vanishes nor crashes.
    Returns the raw rows that hold one."""
    claims: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for sourced in facts:
        if isinstance(claim := sourced.fact, ClaimFact):
            words = (claim.primary_status, claim.secondary_status, claim.patient_status)
            claims[words].append(sourced.raw_id)
    if not claims:
        return set()
    mapped = policies_of(practice_id).claim_statuses
    by_id = {row.pk: row for row in rows}
    found = set()
    for words, raw_ids in claims.items():
        for word in sorted(unmapped(words, mapped))[:1]:
            for raw_id in raw_ids:
                row = by_id[raw_id]
                error = Unmapped("status", "Claim status", word)
                failures.record(Stage.GAPS, subject_of(row, feed_of(row)), error)
                found.add(raw_id)
    return found


def feed_of(row: Stored) -> int | None:
    feeds = Feed.objects.for_practice(row.practice_id).filter(resource=segments.feed_of(row.resource))
    feed: int | None = feeds.values_list("pk", flat=True).first()
    return feed


def keep_crash(row: Stored, error: Exception) -> None:
    """Everything of this record was rolled back; the failure is kept outside of that."""
    failures.record(Stage.UPSERT, subject_of(row, feed_of(row)), error)
    segments.finish([row])


def subject_of(row: Stored, feed_id: int | None) -> failures.Subject:
    """The raw row, with whatever ids its payload still shows, so that the judge can recognise the visit (D1)."""
    seen = peek(row.body)
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


def is_patients(row: Stored) -> bool:
    resource = RESOURCES.get(row.resource)
    return bool(resource and resource.subject == "patient")


def peek(body: bytes) -> dict[str, str]:
    """The ids at the top of a payload that failed, as text; none when it is not even an object."""
    document = parsed(body)
    return {name: usable_id(document, name) for name in ("patientid", "appointmentid")}


Record = tuple[str, str]
"""(records table, external id)."""


def failing_records(errors: Iterable[tuple[Stored, Exception]]) -> Iterator[Record]:
    """Also look again at visits whose record has just failed: their gap may now be our own fault."""
    for row, _ in errors:
        subject = subject_of(row, None)
        if subject.appointment_id:
            yield "appointment", subject.appointment_id
        if subject.record_id:
            yield subject.record_kind, subject.record_id


def with_records(touched: Touched, more: Iterable[Record]) -> Touched:
    for table, record_id in more:
        touched.setdefault(table, set()).add(record_id)
    return touched


ANY_OPEN = """
select exists (
    select from sync_failure where practice_id = %(practice)s and subject_kind = 'raw' and resolved_at is null)
"""
OF_SAME_RECORDS = """
select f.id, older.id = newer.id, newer.id, f.stage, f.record_kind, f.record_id
from sync_failure f
join sync_rawrecord older on older.id = f.subject_id::bigint
join sync_rawrecord newer
  on newer.practice_id = older.practice_id and newer.resource = older.resource
 and newer.external_id = older.external_id and newer.parent_id = older.parent_id and newer.id >= older.id
where f.practice_id = %s and f.subject_kind = 'raw' and f.resolved_at is null and newer.id = any(%s)
"""


def resolve(
    practice_id: int,
    rows: Sequence[Stored],
    errors: Sequence[tuple[Stored, Exception]],
    unmapped_rows: set[int],
) -> list[Record]:
    """Close the failures of payloads that came through, and those of older payloads of the same records: whatever
    is wrong with a record now, its newest payload says it. Returns the records whose relating had failed: it has
    to be tried again although they may not have changed."""
    (((any_open,),),) = fetch({"practice": practice_id}, ANY_OPEN)
    if not any_open:
        return []
    with connection.cursor() as cursor:
        cursor.execute(OF_SAME_RECORDS, [practice_id, [row.pk for row in rows]])
        found = cursor.fetchall()
    bad = {row.pk for row, _ in errors}
    processed, over, again = [], [], []
    for pk, own, raw_id, stage, kind, record_id in found:
        if stage == Stage.CORRELATE:
            again.append((kind, record_id))
        elif not own:
            over.append(pk)
        elif raw_id not in (unmapped_rows if stage == Stage.GAPS else bad):
            processed.append(pk)
    failures.settle(processed, "processed")
    failures.settle(over, "superseded")
    return again


def failing_before(practice_id: int, raw_id: int) -> list[int]:
    """Open failures of older payloads of this record."""
    with connection.cursor() as cursor:
        cursor.execute(OF_SAME_RECORDS, [practice_id, [raw_id]])
        return [pk for (pk, *_) in cursor.fetchall()]
