"""Filters into one queryset of visits, each with its open primary gap and its verdict as it reads now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    F,
    FilteredRelation,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, Left

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Visit
from athena_dash.practices.models import Practice
from athena_dash.records.models import Patient
from athena_dash.worklist.asleep import asleep, awake
from athena_dash.worklist.causes import Bundle, bundles, cause
from athena_dash.worklist.filters import Desk, Filters, Sort, Stage
from athena_dash.worklist.freshness import Freshness
from athena_dash.worklist.keyset import Key, Page, parse_amount, parse_date, parse_id, take
from athena_dash.worklist.names import Names

PAGE_SIZE = 50
DEADLINE_DAYS = 14  # a filing limit this near leads the list whatever it is worth (design/ui.md, Visits)


@dataclass(frozen=True)
class Desktop:
    """Everything a worklist query needs to know about who asks and when."""

    user: User
    practices: Mapping[int, Practice]
    freshness: Freshness
    today: dt.date

    def practice_ids(self, slugs: Sequence[str] = ()) -> list[int]:
        return [pk for pk, practice in self.practices.items() if not slugs or practice.slug in slugs]


def visits(
    filters: Filters, desk: Desktop, found: Q | None = None, *, without: frozenset[str] = frozenset()
) -> Any:
    """Visits that match; `without` leaves out the named filters, to count what their values would give."""

    def on(name: str) -> tuple[str, ...]:
        return () if name in without else filters.values(name)

    rows: QuerySet[Visit] = Visit.objects.filter(practice_id__in=desk.practice_ids(on("practice")))
    rows = rows.annotate(
        open_gap=FilteredRelation("gaps", condition=Q(gaps__closed_at__isnull=True, gaps__primary=True))
    ).annotate(verdict=desk.freshness.verdict("open_gap__"))
    if filters.stage is Stage.HALF:
        rows = rows.filter(open_gap__isnull=False)
    elif filters.stage is Stage.COMPLETE:
        rows = rows.filter(
            Q(track__endswith="D") | Q(track__endswith="N"), open_gap__isnull=True, suppressor=""
        )
    for name, column in (("code", "open_gap__code"), ("owner", "open_gap__owner"), ("verdict", "verdict")):
        if chosen := on(name):
            rows = rows.filter(**{f"{column}__in": chosen})
    if payers := on("payer"):
        rows = rows.filter(payer_name__in=["" if payer == "none" else payer for payer in payers])
    for name in ("provider", "department"):
        if chosen := on(name):
            rows = rows.filter(_ids_of_practices(f"{name}_id", chosen, desk))
    if filters.cause:
        rows = rows.annotate(cause=cause(desk.freshness)).filter(cause=filters.cause)
    return rows.filter(_narrow(filters, desk), found or Q())


def shared_causes(desk: Desktop, names: Names) -> list[Bundle]:
    """Of everything that is half-complete and awake."""
    slugs = {practice.slug: pk for pk, practice in desk.practices.items()}
    return bundles(visits(Filters(), desk), desk.freshness, names, slugs)


def _ids_of_practices(column: str, chosen: Sequence[str], desk: Desktop) -> Q:
    """`riverside:71` → that id in that practice: athena's ids are unique only inside one."""
    matches = Q(pk__in=())
    for value in chosen:
        slug, _, external_id = value.partition(":")
        if practice_ids := desk.practice_ids((slug,)):
            matches |= Q(practice_id__in=practice_ids, **{column: external_id})
    return matches


def _narrow(filters: Filters, desk: Desktop) -> Q:
    """The filters that are never counted by value."""
    now = clock.now()
    where = asleep(now) if filters.desk in (Desk.SNOOZED, Desk.WORKED) else awake(now)
    if filters.desk in (Desk.SNOOZED, Desk.WORKED):
        where &= Q(work__worked_at__isnull=filters.desk is Desk.SNOOZED)
    if filters.desk is Desk.MINE:
        where &= Q(work__assignee=desk.user)
    elif filters.desk is Desk.UNASSIGNED:
        where &= Q(work__assignee__isnull=True)
    if filters.start:
        where &= Q(service_date__gte=filters.start)
    if filters.end:
        where &= Q(service_date__lte=filters.end)
    if filters.least is not None:
        where &= Q(open_gap__at_risk__gte=filters.least)
    if filters.limit is not None:
        until = desk.today + dt.timedelta(days=filters.limit)
        where &= Q(open_gap__filing_limit__gte=desk.today, open_gap__filing_limit__lte=until)
    if filters.passed:
        where &= Q(open_gap__filing_limit__lt=desk.today)
    if filters.limit_on:
        where &= Q(open_gap__filing_limit=filters.limit_on)
    if filters.overdue:
        where &= Q(open_gap__due_at__lt=now)
    if filters.opened:
        where &= Q(open_gap__opened_at__date__gte=filters.opened)
    if filters.closed:
        where &= Q(pk__in=closed_since(desk, filters.closed).values("visit"))
    return where


def closed_since(desk: Desktop, day: dt.date) -> QuerySet[Gap]:
    """A closed gap is nobody's first any more, so all of them count. From midnight UTC, as an instant: the index on
    `closed_at` knows no days."""
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    found: QuerySet[Gap] = Gap.objects.filter(
        practice_id__in=desk.practice_ids(), closed_at__gte=midnight, visit__isnull=False
    )
    return found


ID = Key("id", True, parse_id)
ORDERS: Mapping[Sort, tuple[Key, ...]] = {
    Sort.RISK: (Key("leads", True, parse_id), Key("amount", True, parse_amount), ID),
    Sort.NEWEST: (Key("service_date", True, parse_date), ID),
    Sort.OLDEST: (Key("service_date", False, parse_date), Key("id", False, parse_id)),
}

GAP_COLUMNS = (
    "code",
    "owner",
    "sentence",
    "at_risk",
    "estimator",
    "needs_feed",
    "since",
    "due_at",
    "filing_limit",
    "asked_at",
    "opened_at",
)


def rows_of(visits: Any, today: dt.date) -> Any:
    """What a row shows. Names stay in the database: a list needs initials only."""
    patient = Patient.objects.filter(practice=OuterRef("practice"), external_id=OuterRef("patient_id"))
    initials = patient.annotate(initials=Concat(Left("first_name", 1), Left("last_name", 1))).values(
        "initials"
    )[:1]
    others = Gap.objects.filter(visit=OuterRef("pk"), closed_at__isnull=True, primary=False).order_by("code")
    near = Q(
        open_gap__filing_limit__gte=today,
        open_gap__filing_limit__lte=today + dt.timedelta(days=DEADLINE_DAYS),
    )
    return visits.select_related("practice", "work__assignee").annotate(
        amount=Coalesce(F("open_gap__at_risk"), Value(Decimal(0))),
        leads=Case(When(near, then=1), default=0, output_field=IntegerField()),
        initials=Subquery(initials),
        other_codes=ArraySubquery(others.values("code")),
        **{f"gap_{column}": F(f"open_gap__{column}") for column in GAP_COLUMNS},
    )


def page_of(visits: Any, order: Sort, cursor: str, today: dt.date) -> Page:
    return take(rows_of(visits, today), ORDERS[order], cursor, PAGE_SIZE)
