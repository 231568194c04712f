"""Is everything here that athena has? Each kind, over the last month and one older week → Audit rows and failures.

What is missing is fetched on the spot (sync.census); what is missing even then becomes a Failure that names it, and
whose replay is the same check again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.practices.models import Practice
from athena_dash.sync import census, failures, pipeline
from athena_dash.sync.budget import Share
from athena_dash.sync.census import Census, Lacking
from athena_dash.sync.connections import source_for
from athena_dash.sync.models import Audit, Failure, Feed, Reason, Stage
from athena_dash.sync.resources import RESOURCES
from athena_dash.sync.tally import Tally
from athena_dash.sync.walks import DAY, HISTORY

RECENT = timedelta(days=30)
WEEK = timedelta(days=6)  # from Monday to Sunday
WEEKS = (HISTORY - RECENT).days // 7 - 1  # one older week a night, each in its turn
EVERY = timedelta(hours=20)
NIGHT = range(1, 5)  # local hours: the practice sleeps, and the day's calls are fresh (midnight GMT)
LONGEST = timedelta(minutes=30)  # an audit unfinished for longer was killed
SAME_CHECK = timedelta(seconds=30)
MOST_NAMED = 50  # failures that one window may open by id
AUDITS = Failure.SubjectKind.AUDIT


@dataclass(frozen=True, slots=True)
class Window:
    """`name` is Audit.RECENT, or the Monday of an older week."""

    name: str
    first: date
    last: date


def recent(today: date) -> Window:
    return Window(Audit.RECENT, today - RECENT, today)


def week(monday: date) -> Window:
    return Window(monday.isoformat(), monday, monday + WEEK)


def older(today: date) -> Window:
    """The week whose turn it is tonight: WEEKS nights visit each of them once."""
    newest = (today - RECENT - DAY).toordinal() // 7 - 1  # counted from the first week of year 1
    turn = newest - (newest - today.toordinal()) % WEEKS
    return week(date.fromordinal(turn * 7 + 1))  # day 1 of year 1 was a Monday


def today_at(practice: Practice) -> date:
    return clock.today(ZoneInfo(practice.timezone))


def due(now: datetime) -> list[int]:
    """Practices where it is night and that no audit of every kind has looked at since the last one."""
    alive = Q(finished_at__isnull=False) | Q(started_at__gt=now - LONGEST)
    audits = Audit.objects.filter(alive, started_at__gt=now - EVERY).values("practice_id", "started_at")
    done = audits.alias(kinds=Count("kind", distinct=True)).filter(kinds=len(Audit.Kind))
    waiting = (
        Practice.objects.active().filter(connection__isnull=False).exclude(pk__in=done.values("practice_id"))
    )
    return [p.pk for p in waiting if now.astimezone(ZoneInfo(p.timezone)).hour in NIGHT]


def audit_practice(practice: Practice) -> list[Audit]:
    """Every kind over both windows; nothing while another worker is at it. Errors are kept, not raised."""
    today = today_at(practice)
    rows = begin(practice, list(Audit.Kind), [recent(today), older(today)])
    run(practice, rows)
    return rows


def repeat(failure: Failure) -> set[int]:
    """The same check again, for a replay; what is still wrong is recorded on the failure. Returns visits touched.

    One check speaks for all failures of its window, so that replaying a group of them asks athena once.
    """
    kind, window = Audit.Kind(failure.subject_id.partition("/")[0]), window_of(failure)
    if just_found(failure, kind, window):
        known = failures.Problem(reason=Reason(failure.reason), code=failure.code, message=failure.message)
        same = failures.Subject(
            practice_id=failure.practice_id, kind=AUDITS, id=failure.subject_id, resource=kind
        )
        failures.record_problem(Stage.PULL, same, known, trigger="audit")
        return set()
    rows = begin(failure.practice, [kind], [window])
    if not rows:
        raise AuditRunning
    return run(failure.practice, rows)


def just_found(failure: Failure, kind: Audit.Kind, window: Window) -> bool:
    """A check that has just ended found this very thing missing."""
    checks = Audit.objects.for_practice(failure.practice_id).filter(
        kind=kind, window=window.name, problem="", finished_at__gt=clock.now() - SAME_CHECK
    )
    if failure.record_id:
        return bool(checks.filter(missing__contains=[failure.record_id]).exists())
    return bool(checks.filter(unnamed__gt=0).exists())


class AuditRunning(Exception):
    """Another worker audits this practice right now."""


def window_of(failure: Failure) -> Window:
    today = today_at(failure.practice)
    kind, _, name = failure.subject_id.partition("/")
    if failure.record_id:
        found = Audit.objects.for_practice(failure.practice_id).filter(
            kind=kind, missing__contains=[failure.record_id]
        )
        newest = found.order_by("-pk").first()
        return Window(newest.window, newest.first_day, newest.last_day) if newest else recent(today)
    return recent(today) if name == Audit.RECENT else week(date.fromisoformat(name))


def begin(practice: Practice, kinds: Sequence[Audit.Kind], windows: Sequence[Window]) -> list[Audit]:
    """One row for each kind and window, or none while an earlier audit of the practice still runs."""
    now = clock.now()
    with transaction.atomic():
        Practice.objects.select_for_update(no_key=True).get(pk=practice.pk)  # two clicks take turns
        unfinished = Audit.objects.for_practice(practice).filter(finished_at__isnull=True)
        if unfinished.filter(started_at__gt=now - LONGEST).exists():
            return []
        return [
            Audit.objects.create(
                practice=practice,
                kind=kind,
                window=window.name,
                first_day=window.first,
                last_day=window.last,
                started_at=now,
            )
            for kind in kinds
            for window in windows
        ]


def run(practice: Practice, rows: Sequence[Audit]) -> set[int]:
    """Fill the rows one after the other; returns the visits that what was brought in belongs to."""
    visits: set[int] = set()
    for row in rows:
        tally = Tally()
        try:
            with source_for(practice, tally, share=Share.BACKFILL, feed=row.kind) as source:
                found = census.take(source, practice.pk, row.kind, row.first_day, row.last_day)
        except Exception as error:
            row.problem = failures.understand(error).message
            failures.record(Stage.PULL, subject(row), error, trigger="audit")
        else:
            conclude(row, found)
            visits |= found.visits
        row.calls, row.finished_at = tally.calls, clock.now()
        row.save()
    return visits


def conclude(row: Audit, found: Census) -> None:
    """The figures, and the failures they open or close."""
    here = census.held(row.practice_id, row.kind, found.theirs)
    row.missing = sorted(found.theirs - here)
    row.theirs = max(found.counted, len(found.theirs | found.nameless))
    row.ours, row.healed = len(found.held & here), len(here - found.held)
    row.unnamed = row.theirs - len(found.theirs)
    row.gone, row.drift = len(found.gone), dict(found.drift)
    explained = failing(row)
    unexplained = [record_id for record_id in row.missing if record_id not in explained]
    for record_id in unexplained[:MOST_NAMED]:
        report_missing(row, record_id, found.lacking.get(record_id))
    rejudge(
        row.practice_id, [found.lacking[one].appointment_id for one in unexplained if one in found.lacking]
    )
    if row.unnamed or len(unexplained) > MOST_NAMED:
        report_short(row)
    else:
        failures.resolve(row.practice_id, [Stage.PULL], AUDITS, [subject(row).id], "retried")
    resolve_found(row)


def failing(row: Audit) -> set[str]:
    """Missing ids that a failure of their own explains: their payload came, and could not be used."""
    own = Failure.objects.for_practice(row.practice_id).filter(
        record_kind=RESOURCES[row.kind].record, record_id__in=row.missing, resolved_at__isnull=True
    )
    return set(own.exclude(subject_kind=AUDITS).values_list("record_id", flat=True))


def subject(row: Audit, record_id: str = "", appointment_id: str = "") -> failures.Subject:
    feed = Feed.objects.for_practice(row.practice_id).filter(resource=row.kind).first()
    return failures.Subject(
        practice_id=row.practice_id,
        kind=AUDITS,
        id=f"{row.kind}/{record_id or row.window}",
        feed_id=feed.pk if feed else None,
        resource=row.kind,
        record_kind=RESOURCES[row.kind].record if record_id else "",
        record_id=record_id,
        appointment_id=appointment_id,
    )


def report_missing(row: Audit, record_id: str, encounter: Lacking | None) -> None:
    if encounter:
        reason, appointment_id = encounter.reason, encounter.appointment_id
        said = f"Appointment {appointment_id} names encounter {record_id}, but {encounter.why}"
    else:
        reason, appointment_id = Reason.INVALID, ""
        said = f"athena lists {record_id} and sent it again, but it is still not here"
    message = f"{said}: one of {len(row.missing)} missing {row.get_kind_display()} out of {row.theirs}."
    problem = failures.Problem(reason=reason, code="missing", message=message)
    failures.record_problem(Stage.PULL, subject(row, record_id, appointment_id), problem, trigger="audit")


def rejudge(practice_id: int, appointment_ids: Sequence[str]) -> None:
    """What these visits lack may be our own fault: the failure just kept is the judge's evidence (D1)."""
    visits = Visit.objects.for_practice(practice_id).filter(
        anchor=Visit.Anchor.APPOINTMENT, anchor_id__in=appointment_ids
    )
    if ids := list(visits.values_list("pk", flat=True)):
        pipeline.rejudge(practice_id, ids)


def report_short(row: Audit) -> None:
    named = f"; missing are {', '.join(row.missing[:MOST_NAMED])}" if row.missing else ""
    message = (
        f"athena counts {row.theirs} {row.get_kind_display()} from {row.first_day} to {row.last_day}, "
        f"and {row.ours + row.healed} are here{named}. {row.unnamed} of them it counts without naming them."
    )
    problem = failures.Problem(reason=Reason.INVALID, code="short", message=message)
    failures.record_problem(Stage.PULL, subject(row), problem, trigger="audit")


def resolve_found(row: Audit) -> None:
    """Close the failures of records that were missing once and are here now, whoever brought them."""
    opened = Failure.objects.for_practice(row.practice_id).filter(
        subject_kind=AUDITS, subject_id__startswith=f"{row.kind}/", resolved_at__isnull=True
    )
    ids = opened.exclude(record_id="").values_list("record_id", flat=True)
    here = [f"{row.kind}/{record_id}" for record_id in census.held(row.practice_id, row.kind, ids)]
    failures.resolve(row.practice_id, [Stage.PULL], AUDITS, here, "retried")
