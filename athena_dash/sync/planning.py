"""Feeds the planner and does what it decides: subjects due again, and a Plan that says why; holds raw SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Sum

from athena_dash.core import clock
from athena_dash.practices.filing import UNKNOWN
from athena_dash.practices.models import Connection, Practice
from athena_dash.practices.opening_hours import opening_hours
from athena_dash.sync import planner
from athena_dash.sync.models import Audit, Plan, Run, Subject
from athena_dash.sync.planner import Candidate, Kind
from athena_dash.sync.subjects import STILL_OPEN

EVERY = timedelta(minutes=2)
KEPT = 500  # plans of a practice
MOST = 20_000  # candidates of one kind that are weighed
FILING_ALARM = timedelta(days=30)  # before the limit, which is assumed where no contract is on file

UNREAD = """
select s.id, s.fetched_at, {dollars} from sync_subject s {joined}
where s.practice_id = %(practice)s and s.resource = %(resource)s and s.due_at is null
  and s.fetched_at < %(before)s and {wanted}
order by s.fetched_at limit %(most)s
"""
OF_CLAIM = (
    "join records_claim c on c.practice_id = s.practice_id and c.external_id = s.key and c.gone_at is null"
)
HELD = (
    "(c.primary_status like '%%HOLD' or c.secondary_status like '%%HOLD' or c.patient_status like '%%HOLD')"
)
NEAR_LIMIT = "coalesce(c.service_date < %(alarm)s, false)"
CHARGED = "coalesce(c.charge_amount, 0)"
USUAL = "(select coalesce(avg(charge_amount), 0) from records_claim where practice_id = %(practice)s)"

FOUND: dict[Kind, tuple[str, str, str]] = {
    planner.HOLDS: (CHARGED, OF_CLAIM, HELD),
    planner.FILING: (CHARGED, OF_CLAIM, f"{STILL_OPEN} and not {HELD} and {NEAR_LIMIT}"),
    planner.OPEN: (CHARGED, OF_CLAIM, f"{STILL_OPEN} and not {HELD} and not {NEAR_LIMIT}"),
    planner.NOTES: (CHARGED, OF_CLAIM, HELD),
    planner.MONEY: (CHARGED, OF_CLAIM, STILL_OPEN),
    # an unsigned note keeps its visit from becoming a claim
    planner.CHARTS: (
        USUAL,
        "",
        """exists (select from records_encounter e where e.practice_id = s.practice_id and e.patient_id = s.key
                   and e.department_id = s.scope and e.status in ('OPEN', 'REVIEW'))""",
    ),
    # what is documented after the note was begun changes no encounter until it is signed
    planner.SERVICES: (
        USUAL,
        "join records_encounter e on e.practice_id = s.practice_id and e.external_id = s.key and e.gone_at is null",
        "e.status in ('OPEN', 'REVIEW')",
    ),
    # three days before, the day before and on the day itself
    planner.ELIGIBILITY: (
        USUAL,
        "",
        """s.fetched_at < %(midnight)s and exists (
               select from records_appointment a where a.practice_id = s.practice_id and a.patient_id = s.key
               and a.gone_at is null and a.status = 'f' and a.date in (%(today)s, %(tomorrow)s, %(third)s))""",
    ),
}


def plan(practice: Practice) -> Plan | None:
    """Make what was chosen due and keep the decision; None when the practice has no connection."""
    connected = Connection.objects.filter(practice=practice).first()
    if connected is None:
        return None
    now = clock.now()
    left = connected.calls_per_day - spent_today(practice.pk, now)
    allowed = planner.allowance(left, connected.calls_per_day, rest_of_day(practice, now), EVERY)
    decision = planner.decide(candidates(practice, now), allowed, now)
    with transaction.atomic():
        chosen = [one.subject_id for one in decision.chosen]
        Subject.objects.filter(pk__in=chosen, due_at__isnull=True).update(due_at=now)
        lines = [asdict(line) | {"oldest": line.oldest.isoformat()} for line in decision.lines]
        made: Plan = Plan.objects.create(
            practice=practice, at=now, calls_left=max(0, left), allowed=allowed, lines=lines
        )
        outdated = Plan.objects.for_practice(practice).order_by("-at", "-pk").values("pk")[KEPT:]
        Plan.objects.filter(pk__in=outdated).delete()
    return made


def due(now: datetime) -> list[int]:
    """Practices whose last plan is old enough."""
    recent = Plan.objects.filter(at__gt=now - EVERY).values("practice_id")
    waiting = Practice.objects.active().filter(connection__isnull=False).exclude(pk__in=recent)
    return list(waiting.values_list("pk", flat=True))


def decided(practice: Practice) -> dict[str, Any] | None:
    """What the newest plan decided, ready for JSON; None before the first."""
    newest: Plan | None = Plan.objects.for_practice(practice).order_by("-at", "-pk").first()
    if newest is None:
        return None
    return {
        "at": newest.at.isoformat(),
        "calls_left": newest.calls_left,
        "allowed": newest.allowed,
        "lines": newest.lines,
    }


def candidates(practice: Practice, now: datetime) -> Iterator[Candidate]:
    today = clock.today(ZoneInfo(practice.timezone))
    with connection.cursor() as cursor:
        for kind, (dollars, joined, wanted) in FOUND.items():
            cursor.execute(
                UNREAD.format(dollars=dollars, joined=joined, wanted=wanted),
                {
                    "practice": practice.pk,
                    "resource": kind.resource,
                    "before": now if kind is planner.ELIGIBILITY else now - kind.every,
                    "most": MOST,
                    "alarm": today - timedelta(days=UNKNOWN.days) + FILING_ALARM,
                    "today": today,
                    "tomorrow": today + timedelta(days=1),
                    "third": today + timedelta(days=3),
                    "midnight": datetime(
                        today.year, today.month, today.day, tzinfo=ZoneInfo(practice.timezone)
                    ),
                },
            )
            for subject_id, read_at, worth in cursor.fetchall():
                yield Candidate(kind, subject_id, read_at, float(worth))


def spent_today(practice_id: int, now: datetime) -> int:
    """Since midnight GMT, as athena counts the day; from the rows that count calls."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return sum(
        rows.for_practice(practice_id).filter(started_at__gte=midnight).aggregate(n=Sum("calls"))["n"] or 0
        for rows in (Run.objects, Audit.objects)
    )


def rest_of_day(practice: Practice, now: datetime) -> planner.Rest:
    hours = opening_hours(practice)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    still_open = hours.open_between(now, midnight)
    return planner.Rest(still_open, midnight - now - still_open, hours.is_open(now))
