"""Open gaps that share a root cause → one bundle each, with its visits and dollars.

Each gap has exactly one cause, the first of the list in `cause` that fits, so no dollar is counted twice; the same
expression filters the worklist, so a bundle's link lists what the bundle counted. A cause is named by a key of ids:
`kind|practice|…`. No PHI: what a hold's note says stands in the key as its hash.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import MD5, Cast, Concat, Length, Substr
from django.utils.text import capfirst

from athena_dash.core.templatetags.ui import written
from athena_dash.correlation.models import Coverage, Link, Verdict
from athena_dash.correlation.verdict import PROVIDER
from athena_dash.records.models import ClaimNote
from athena_dash.sync.resources import spoken
from athena_dash.worklist.filters import Filters
from athena_dash.worklist.freshness import Freshness
from athena_dash.worklist.names import Names
from athena_dash.worklist.words import gap_title

LEAST = 3  # visits: two of a kind are no pattern
MOST = 6  # bundles shown


class Kind(StrEnum):
    FEED = "feed"  # a feed that is behind now
    COHORT = "day"  # a department's day that lacks far more than usual (D6)
    SHIFT = "shift"  # the same of one provider's day there
    EPISODE = "episode"  # visits that a claim for many may pay for: a person says so once (docs/adr/0011)
    IMPORT = "import"  # records stuck on our own side, by feed and day
    HOLD = "hold"  # claims held with the same note
    DESK = "desk"  # a department that leaves visits open at its desk
    PROVIDER = "provider"  # one provider's unsigned or uncharged visits
    PAYER = "payer"  # one provider's claims with one payer, such as an enrolment


AT_THE_DESK = ("G01", "G02", "G03", "G04", "G05")
AT_THE_PROVIDER = ("G11", "G12", "G13", "G15", "G18")
HELD = ("G24", "G25")
UNCHARGED = ("G13", "G23")


def cause(freshness: Freshness) -> Case:
    """The key of the open gap's root cause, for SQL over `open_gap`."""
    gap = "open_gap__"

    def when(where: Q, kind: Kind, *columns: Any) -> When:
        parts = [Value(kind.value), F("practice__slug"), *columns]
        between = [piece for part in parts for piece in (Value("|"), part)][1:]
        return When(where, then=Concat(*between, output_field=CharField()))

    feed, code, day = F(f"{gap}needs_feed"), F(f"{gap}code"), Cast("service_date", CharField())
    return Case(
        When(open_gap__isnull=True, then=Value("")),
        when(freshness.suspect(gap), Kind.FEED, feed),
        when(
            Q(open_gap__evidence__contains=[{"signal": "D6", "whose": PROVIDER}]),
            Kind.SHIFT,
            feed,
            F("provider_id"),
            day,
        ),
        when(Q(open_gap__evidence__contains=[{"signal": "D6"}]), Kind.COHORT, feed, F("department_id"), day),
        when(Q(open_gap__verdict=Verdict.NOT_SYNCED), Kind.IMPORT, feed, day),
        when(Q(Exists(asked()), open_gap__code__in=UNCHARGED), Kind.EPISODE, F("department_id")),
        when(Q(open_gap__code__in=HELD), Kind.HOLD, code, MD5(Subquery(hold_note()))),
        when(Q(open_gap__code__in=AT_THE_DESK), Kind.DESK, code, F("department_id")),
        when(Q(open_gap__code__in=AT_THE_PROVIDER), Kind.PROVIDER, code, F("provider_id")),
        default=Concat(
            Value(f"{Kind.PAYER}|"),
            F("practice__slug"),
            Value("|"),
            code,
            Value("|"),
            F("provider_id"),
            Value("|"),
            Substr("payer_name", 1, 80),
            output_field=CharField(),
        ),
        output_field=CharField(),
    )


def asked() -> Any:
    return Coverage.objects.filter(visit=OuterRef("pk"), state=Coverage.State.ASKED)


def hold_note() -> Any:
    """What the newest note on the visit's claims says."""
    claims = Link.objects.filter(visit=OuterRef(OuterRef("pk")), kind=Link.Kind.CLAIM).values("record_id")
    notes = ClaimNote.objects.filter(practice=OuterRef("practice"), claim_id__in=claims).exclude(text="")
    return notes.order_by("-claim_id", Length("external_id").desc(), "-external_id").values("text")[:1]


@dataclass(frozen=True)
class Bundle:
    key: str
    title: str
    count: int
    dollars: Decimal  # expected

    @property
    def url(self) -> str:
        return Filters(cause=self.key).query()


def bundles(
    open_visits: Any, freshness: Freshness, names: Names, practices: Mapping[str, int]
) -> list[Bundle]:
    """Of visits with their open gap, the dearest shared causes. `practices`: slug → id."""
    groups = (
        open_visits.annotate(cause=cause(freshness))
        .values("cause")
        .annotate(count=Count("pk"), dollars=Sum("open_gap__at_risk"))
        .filter(count__gte=LEAST)
        .order_by("-dollars", "cause")[: MOST * 2]
    )
    found = [
        Bundle(
            group["cause"],
            title_of(group["cause"], names, practices),
            group["count"],
            group["dollars"] or Decimal(0),
        )
        for group in groups
    ]
    return sorted((one for one in found if one.title), key=lambda one: -one.dollars)[:MOST]


def title_of(key: str, names: Names, practices: Mapping[str, int]) -> str:
    """A cause in words; empty for what names no cause of ours, such as a key somebody typed."""
    kind, _, rest = key.partition("|")
    slug, *parts = rest.split("|", 3)
    if kind not in WORDS or slug not in practices:
        return ""
    say, wanted = WORDS[Kind(kind)]
    if len(parts) != wanted:
        return ""
    return say(names, practices[slug], *parts)


def day_words(day: str) -> str:
    try:
        return written(dt.date.fromisoformat(day))
    except ValueError:
        return "an unknown day"


def named(names: Names, kind: str, practice_id: int, external_id: str) -> str:
    return names.of(kind, practice_id, external_id) or f"no {kind}"


Say = Callable[..., str]
WORDS: Mapping[Kind, tuple[Say, int]] = {
    Kind.FEED: (lambda names, practice, feed: f"The {spoken(feed)} feed is behind", 1),
    Kind.COHORT: (
        lambda names, practice, feed, department, day: (
            f"{named(names, 'department', practice, department)} on {day_words(day)}: "
            f"far more {spoken(feed)} missing than usual"
        ),
        3,
    ),
    Kind.SHIFT: (
        lambda names, practice, feed, provider, day: (
            f"{named(names, 'provider', practice, provider)} on {day_words(day)}: "
            f"far more {spoken(feed)} missing than usual"
        ),
        3,
    ),
    Kind.EPISODE: (
        lambda names, practice, department: (
            f"May be part of a claim for many visits: {named(names, 'department', practice, department)}"
        ),
        1,
    ),
    Kind.IMPORT: (
        lambda names, practice, feed, day: f"{capfirst(spoken(feed))} of {day_words(day)} failed to come in",
        2,
    ),
    Kind.HOLD: (
        lambda names, practice, code, note: (
            f"{gap_title(code)}, {'all with the same' if note else 'without a'} note"
        ),
        2,
    ),
    Kind.DESK: (
        lambda names, practice, code, department: (
            f"{gap_title(code)}: {named(names, 'department', practice, department)}"
        ),
        2,
    ),
    Kind.PROVIDER: (
        lambda names, practice, code, provider: (
            f"{gap_title(code)}: {named(names, 'provider', practice, provider)}"
        ),
        2,
    ),
    Kind.PAYER: (
        lambda names, practice, code, provider, payer: (
            f"{gap_title(code)}: {named(names, 'provider', practice, provider)} with {payer or 'no payer'}"
        ),
        3,
    ),
}
