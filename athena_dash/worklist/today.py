"""Open gaps and what changed since yesterday into the numbers of Today: one grouped query each."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, DateField, F, Min, Q, Sum, Value, When

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Verdict
from athena_dash.worklist.asleep import awake
from athena_dash.worklist.filters import Filters, Stage
from athena_dash.worklist.queries import DEADLINE_DAYS, Desktop, closed_since, visits
from athena_dash.worklist.words import gap_title


@dataclass
class Tally:
    """Visits, their expected dollars, and since when the oldest waits."""

    count: int = 0
    dollars: Decimal = Decimal(0)
    oldest: dt.datetime | None = None
    opened: int = 0
    closed: int = 0

    def add(self, row: dict[str, Any]) -> None:
        self.count += row["count"]
        self.dollars += row["dollars"] or Decimal(0)
        self.opened += row["opened"]
        self.oldest = min(self.oldest or row["oldest"], row["oldest"])

    @property
    def oldest_days(self) -> int:
        return (clock.now() - self.oldest).days if self.oldest else 0


@dataclass(frozen=True)
class CodeLine:
    code: str
    title: str
    tally: Tally


@dataclass(frozen=True)
class Deadline:
    on: dt.date
    days: int
    tally: Tally


@dataclass(frozen=True)
class Today:
    yesterday: dt.date
    everything: Tally
    near_limit: Tally
    overdue: Tally
    unheard: Tally  # not synced or suspect: for support, not for the desk
    codes: tuple[CodeLine, ...]
    deadlines: tuple[Deadline, ...]


def today_of(desk: Desktop) -> Today:
    yesterday = desk.today - dt.timedelta(days=1)
    everything, near_limit, overdue, unheard = Tally(), Tally(), Tally(), Tally()
    by_code: defaultdict[str, Tally] = defaultdict(Tally)
    by_day: defaultdict[dt.date, Tally] = defaultdict(Tally)
    for row in _open_groups(desk, yesterday):
        everything.add(row)
        by_code[row["code"]].add(row)
        if row["limit_on"]:
            near_limit.add(row)
            by_day[row["limit_on"]].add(row)
        if row["late"]:
            overdue.add(row)
        if row["verdict_now"] in (Verdict.NOT_SYNCED, Verdict.SUSPECT_SYNC):
            unheard.add(row)
    everything.closed, closed_by_code = _closed_since(desk, yesterday)
    for code, closed in closed_by_code:
        by_code[code].closed = closed
    lines = sorted(by_code.items(), key=lambda item: -item[1].dollars)
    return Today(
        yesterday,
        everything,
        near_limit,
        overdue,
        unheard,
        tuple(CodeLine(code, gap_title(code), tally) for code, tally in lines),
        tuple(Deadline(on, (on - desk.today).days, by_day[on]) for on in sorted(by_day)),
    )


def _open_groups(desk: Desktop, yesterday: dt.date) -> Iterable[dict[str, Any]]:
    now = clock.now()
    until = desk.today + dt.timedelta(days=DEADLINE_DAYS)
    near = Q(filing_limit__gte=desk.today, filing_limit__lte=until)
    groups: Iterable[dict[str, Any]] = (
        Gap.objects.filter(
            awake(now, "visit__work__", ""),
            practice_id__in=desk.practices,
            closed_at__isnull=True,
            primary=True,
            visit__isnull=False,
        )
        .values(
            "code",
            limit_on=Case(When(near, then=F("filing_limit")), output_field=DateField()),
            late=Case(When(due_at__lt=now, then=Value(True)), default=Value(False)),
            verdict_now=desk.freshness.verdict(),
        )
        .annotate(
            count=Count("pk"),
            dollars=Sum("at_risk"),
            oldest=Min("since"),
            opened=Count("pk", filter=Q(opened_at__date__gte=yesterday)),
        )
        .order_by()
    )
    return groups


def _closed_since(desk: Desktop, yesterday: dt.date) -> tuple[int, Iterable[tuple[str, int]]]:
    """Visits of which a gap closed, as the list behind the number has them; and how many by code."""
    listed = visits(Filters(stage=Stage.ALL, closed=yesterday), desk)
    closed: Iterable[tuple[str, int]] = (
        closed_since(desk, yesterday)
        .filter(visit__in=listed.values("pk"))
        .values_list("code")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return listed.count(), closed
