"""One grouped query into the filter menus: each value with the visits it gives beside the other filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, Sum

from athena_dash.core.templatetags.ui import written
from athena_dash.correlation.models import Verdict
from athena_dash.worklist.causes import title_of
from athena_dash.worklist.deadlines import deadline_menu
from athena_dash.worklist.filters import MANY, Filters
from athena_dash.worklist.menus import Menu, Option
from athena_dash.worklist.names import Names
from athena_dash.worklist.queries import Desktop, visits
from athena_dash.worklist.words import gap_title

LABELS: Mapping[str, str] = {
    "code": "Gap",
    "owner": "Owner",
    "verdict": "Verdict",
    "payer": "Payer",
    "provider": "Provider",
    "department": "Department",
    "practice": "Practice",
}


@dataclass(frozen=True)
class Chip:
    label: str
    url: str


@dataclass(frozen=True)
class Facets:
    """`total` visits worth `dollars` match all filters; `menus` offer the next step, `chips` take one back."""

    total: int
    dollars: Decimal
    menus: tuple[Menu, ...]
    chips: tuple[Chip, ...]


@dataclass(frozen=True)
class _Group:
    """Visits alike in every counted filter."""

    values: Mapping[str, str]
    count: int
    dollars: Decimal


def facets(filters: Filters, desk: Desktop, names: Names, found: Q | None = None) -> Facets:
    groups = [_group(row, desk) for row in _counted(filters, desk, found)]
    chosen = [g for g in groups if _matches(g, filters, MANY)]
    shown = [name for name in LABELS if name != "practice" or len(desk.practices) > 1]
    return Facets(
        total=sum(g.count for g in chosen),
        dollars=sum((g.dollars for g in chosen), Decimal(0)),
        menus=(
            *(_menu(name, groups, filters, desk, names) for name in shown),
            deadline_menu(filters),
        ),
        chips=tuple(_chips(filters, desk, names)),
    )


def _counted(filters: Filters, desk: Desktop, found: Q | None) -> Any:
    return (
        visits(filters, desk, found, without=frozenset(MANY))
        .values("practice_id", "payer_name", "provider_id", "department_id", "verdict")
        .annotate(
            code=F("open_gap__code"),
            owner=F("open_gap__owner"),
            count=Count("pk"),
            dollars=Sum("open_gap__at_risk"),
        )
        .order_by()
    )


def _group(row: Mapping[str, Any], desk: Desktop) -> _Group:
    slug = desk.practices[row["practice_id"]].slug
    values = {
        "practice": slug,
        "code": row["code"] or "",
        "owner": row["owner"] or "",
        "verdict": row["verdict"] or "",
        "payer": row["payer_name"] or "none",
        "provider": f"{slug}:{row['provider_id']}" if row["provider_id"] else "",
        "department": f"{slug}:{row['department_id']}" if row["department_id"] else "",
    }
    return _Group(values, row["count"], row["dollars"] or Decimal(0))


def _matches(group: _Group, filters: Filters, names: Iterable[str]) -> bool:
    return all(not filters.values(name) or group.values[name] in filters.values(name) for name in names)


def _menu(name: str, groups: Iterable[_Group], filters: Filters, desk: Desktop, names: Names) -> Menu:
    others = [other for other in MANY if other != name]
    counts: Counter[str] = Counter(dict.fromkeys(filters.values(name), 0))
    for group in groups:
        if group.values[name] and _matches(group, filters, others):
            counts[group.values[name]] += group.count
    options = [
        Option(
            value,
            label_of(name, value, desk, names),
            count,
            value in filters.values(name),
            filters.toggled(name, value).query(),
        )
        for value, count in counts.most_common()
    ]
    return Menu(name, LABELS[name], bool(filters.values(name)), tuple(options))


def label_of(name: str, value: str, desk: Desktop, names: Names) -> str:
    """A filter's value in words."""
    if name == "code":
        return gap_title(value)
    if name == "verdict":
        return str(dict(Verdict.choices).get(value, value))
    if name == "payer" and value == "none":
        return "No payer"
    if name == "practice":
        return next((p.name for p in desk.practices.values() if p.slug == value), value)
    if name in ("provider", "department"):
        slug, _, external_id = value.partition(":")
        practice_id = next((pk for pk, p in desk.practices.items() if p.slug == slug), 0)
        return names.of(name, practice_id, external_id)
    return value.capitalize() if name == "owner" else value


def _chips(filters: Filters, desk: Desktop, names: Names) -> Iterable[Chip]:
    for name in MANY:
        for value in filters.values(name):
            yield Chip(label_of(name, value, desk, names), filters.toggled(name, value).query())
    slugs = {practice.slug: pk for pk, practice in desk.practices.items()}
    said = {
        "cause": filters.cause and (title_of(filters.cause, names, slugs) or "An unknown cause"),
        "start": filters.start and f"From {written(filters.start)}",
        "end": filters.end and f"Until {written(filters.end)}",
        "least": filters.least and f"At least ${filters.least:,.0f}",
        "limit": filters.limit is not None and f"Filing limit within {filters.limit} days",
        "passed": filters.passed and "Limit has passed",
        "limit_on": filters.limit_on and f"Filing limit on {written(filters.limit_on)}",
        "overdue": filters.overdue and "Overdue",
        "opened": filters.opened and f"Opened since {written(filters.opened)}",
        "closed": filters.closed and f"Closed since {written(filters.closed)}",
    }
    for name, words in said.items():
        if words:
            yield Chip(str(words), filters.but(**{name: Filters.__dataclass_fields__[name].default}).query())
