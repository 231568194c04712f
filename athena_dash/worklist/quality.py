"""The counted and measured links of some practices into what the Quality page shows; each figure with its list."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse

from athena_dash.core import clock
from athena_dash.core.shares import interval
from athena_dash.core.templatetags.sparkline import Bar
from athena_dash.core.templatetags.ui import written
from athena_dash.correlation.hide_and_compare import KINDS
from athena_dash.correlation.models import Decision, Link, LinkMeasure, LinkQuality, Visit
from athena_dash.correlation.quality import merged_links
from athena_dash.practices.models import Practice
from athena_dash.worklist.keyset import Key, Page, parse_id, take
from athena_dash.worklist.unmatched import OPEN_STATES, STATE_WORDS

DAYS = 30
PAGE_SIZE = 50
NEWEST = (Key("id", True, parse_id),)
MERGED = "merged"
"""Not a method: however it was tied, its record names a patient since merged into another."""

WORDS = {
    Link.Method.ANCHOR: "The visit’s own",
    Link.Method.ID: "By id",
    Link.Method.PATIENT_DAY: "By patient and day",
    Link.Method.SCORED: "By score",
    Link.Method.MANUAL: "By a person",
    MERGED: "After a patient merge",
}


@dataclass(frozen=True)
class Figure:
    """`of`: the whole it is a part of."""

    label: str
    count: int
    url: str
    of: int

    @property
    def percent(self) -> str:
        return share(self.count, self.of)


@dataclass(frozen=True)
class KindRow:
    """All links of one kind, as last counted; `bars`: day by day, the share that has no visit."""

    label: str
    total: Figure
    methods: Sequence[Figure]
    states: Sequence[Figure]
    bars: Sequence[Bar]

    @property
    def trend(self) -> str:
        return f"{self.label}: share without a visit, the last {DAYS} days"


@dataclass(frozen=True)
class MeasureRow:
    """Hide and compare of one kind; without counts until one has ended. Intervals are Wilson's, of 95 %."""

    label: str
    right: int = 0
    wrong: int = 0
    abstained: int = 0
    at: dt.datetime | None = None
    errors: Sequence[Mapping[str, Any]] = ()
    bars: Sequence[Bar] = ()

    @property
    def hidden(self) -> int:
        return self.right + self.wrong + self.abstained

    @property
    def precision(self) -> str:
        return with_interval(self.right, self.right + self.wrong)

    @property
    def recall(self) -> str:
        return with_interval(self.right, self.hidden)

    @property
    def abstention(self) -> str:
        return share(self.abstained, self.hidden)

    @property
    def trend(self) -> str:
        return f"{self.label}: wrong in a hundred tied, the last {DAYS} days"


@dataclass(frozen=True)
class Progress:
    done: int
    size: int
    again_at: dt.datetime | None  # a batch failed, and is tried again then


@dataclass(frozen=True)
class Decided:
    """What people did in the last DAYS days."""

    tied: int
    refused: int
    overruled: int  # among both: the rules had tied it elsewhere


@dataclass(frozen=True)
class Quality:
    kinds: Sequence[KindRow]
    measures: Sequence[MeasureRow]
    decided: Decided
    counted_at: dt.datetime | None  # the oldest of the counts shown
    progress: Progress | None
    errors: Sequence[Mapping[str, Any]]


def quality_of(practices: Sequence[Practice], slug: str) -> Quality:
    """A fixed number of queries, however many practices."""
    ids = [practice.pk for practice in practices]
    since = clock.now() - dt.timedelta(days=DAYS)
    counted = list(LinkQuality.objects.filter(practice_id__in=ids, day__gt=since.date()).order_by("day"))
    measured = LinkMeasure.objects.filter(practice_id__in=ids).order_by("asked_at", "pk")
    ended = list(measured.filter(finished_at__gt=since))
    underway = list(measured.filter(finished_at__isnull=True))
    newest = {(row.practice_id, row.kind): row for row in counted}
    measures = [measure_row(kind, [one for one in ended if one.kind == kind]) for kind in KINDS]
    return Quality(
        kinds=[
            kind_row(kind, [row for (_, of), row in newest.items() if of == kind], counted, slug)
            for kind in Link.Kind
        ],
        measures=measures,
        decided=decided_by_people(ids, since),
        counted_at=min((row.counted_at for row in newest.values()), default=None),
        progress=progress_of(underway) if underway else None,
        errors=errors_of(measures, ids),
    )


def progress_of(underway: Sequence[LinkMeasure]) -> Progress:
    return Progress(
        sum(one.done for one in underway),
        sum(one.size for one in underway),
        max((one.again_at for one in underway if one.again_at and one.again_at > clock.now()), default=None),
    )


def errors_of(measures: Sequence[MeasureRow], practice_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """Those whose two visits are still there: one may have been found since to be the other."""
    errors = [{**error, "kind": row.label} for row in measures for error in row.errors]
    named = {error[side] for error in errors for side in ("visit", "found")}
    known = set(Visit.objects.filter(pk__in=named, practice_id__in=practice_ids).values_list("pk", flat=True))
    return [error for error in errors if {error["visit"], error["found"]} <= known]


def kind_row(
    kind: Link.Kind, newest: Sequence[LinkQuality], counted: Iterable[LinkQuality], slug: str
) -> KindRow:
    methods: defaultdict[str, int] = defaultdict(int)
    for row in newest:
        for method, links in row.methods.items():
            methods[method] += links
    methods[MERGED] = sum(row.merged for row in newest)
    linked = sum(row.linked for row in newest)
    waiting = {state: sum(getattr(row, state) for row in newest) for state in STATE_WORDS}
    whole = linked + sum(waiting.values())
    return KindRow(
        label=kind.label,
        total=Figure("Tied to a visit", linked, links_url(slug, kind=kind), whole),
        methods=[
            Figure(word, methods[method], links_url(slug, kind=kind, method=method), whole)
            for method, word in WORDS.items()
            if methods[method]
        ],
        states=[
            Figure(word, waiting[state], links_url(slug, kind=kind, state=state), whole)
            for state, word in STATE_WORDS.items()
            if waiting[state]
        ],
        bars=days_of([row for row in counted if row.kind == kind]),
    )


def days_of(rows: Iterable[LinkQuality]) -> list[Bar]:
    """A bar for each of the DAYS up to the last one counted: a practice of yesterday has few, and they stay narrow."""
    by_day: defaultdict[dt.date, list[LinkQuality]] = defaultdict(list)
    for row in rows:
        by_day[row.day].append(row)
    if not by_day:
        return []
    last = max(by_day)
    return [bar_of(day, by_day[day]) for day in (last - dt.timedelta(days=n) for n in reversed(range(DAYS)))]


def bar_of(day: dt.date, rows: Sequence[LinkQuality]) -> Bar:
    without = sum(row.review + row.pending + row.unmatched for row in rows)
    whole = without + sum(row.linked for row in rows)
    told = f"{without} of {whole} without a visit" if rows else "not counted"
    return Bar(without / whole if whole else 0, f"{written(day)}: {told}")


def measure_row(kind: Link.Kind, ended: Sequence[LinkMeasure]) -> MeasureRow:
    """The newest measure of each practice together; the bars tell of all of them."""
    newest = list({one.practice_id: one for one in ended}.values())
    return MeasureRow(
        label=kind.label,
        right=sum(one.right for one in newest),
        wrong=sum(one.wrong for one in newest),
        abstained=sum(one.abstained for one in newest),
        at=min((one.finished_at for one in newest if one.finished_at), default=None),
        errors=[error for one in newest for error in one.errors],
        bars=[
            Bar(
                one.wrong / max(one.right + one.wrong, 1),
                f"{written(one.asked_at.date())}: {one.wrong} wrong of {one.right + one.wrong} tied",
                tone="bad" if one.wrong else "",
            )
            for one in ended
        ],
    )


def decided_by_people(practice_ids: Sequence[int], since: dt.datetime) -> Decided:
    rows = Decision.objects.filter(practice_id__in=practice_ids, at__gt=since)
    verbs = Decision.Verb
    return Decided(
        **rows.exclude(verb=verbs.UNDO).aggregate(
            tied=Count("pk", filter=Q(verb=verbs.TIE)),
            refused=Count("pk", filter=Q(verb=verbs.NONE)),
            overruled=Count("pk", filter=Q(was_state=Link.State.LINKED)),
        )
    )


def links_url(slug: str, **filters: str) -> str:
    """The list behind a figure; what waits has a screen of its own kind of row, but only across practices."""
    chosen = {name: str(value) for name, value in ({"practice": slug} | filters).items() if value}
    return reverse("quality-links") + "?" + urlencode(chosen)


def listed(practice_ids: Sequence[int], kind: str, state: str, method: str, cursor: str) -> Page:
    """The links behind a figure, the last made first. Without a state: those tied."""
    links = Link.objects.filter(practice_id__in=practice_ids, state=state or Link.State.LINKED)
    if kind:
        links = links.filter(kind=kind)
    if method == MERGED:
        merged = merged_links(practice_ids)
        links = links.filter(pk__in=merged[kind] if kind else [pk for pks in merged.values() for pk in pks])
    elif method:
        links = links.filter(method=method)
    return take(links.select_related("practice", "visit", "decided_by"), NEWEST, cursor, PAGE_SIZE)


def state_named(value: str) -> str:
    return value if value in OPEN_STATES else ""


def method_named(value: str) -> str:
    return value if value in WORDS else ""


def with_interval(part: int, whole: int) -> str:
    bounds = interval(part, whole)
    if bounds is None:
        return "–"
    low, high = bounds
    return f"{share(part, whole)} ({low:.1%} to {high:.1%})"


def share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
