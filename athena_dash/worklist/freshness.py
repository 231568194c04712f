"""Feeds into what may be believed now: a "missing" from a feed gone quiet reads as suspect sync, unless athena itself
was asked since the feed last came through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import Case, CharField, F, Q, Value, When

from athena_dash.core import clock
from athena_dash.correlation.models import Verdict
from athena_dash.practices.models import Practice
from athena_dash.sync.feeds import FeedState, state
from athena_dash.sync.feeds import Freshness as FeedFreshness
from athena_dash.sync.models import Feed
from athena_dash.sync.resources import spoken

# Which nodes of the visit track (core.templatetags.track.NODES) we know only through a feed.
NODES_OF_FEED: Mapping[str, range] = {
    "appointments": range(0, 2),
    "encounters": range(2, 4),
    "claims": range(4, 8),
    "transactions": range(7, 8),
}


@dataclass(frozen=True)
class AsFresh:
    """Feeds of a practice that stand alike; `state` says how, `oldest` when the one that has waited longest came."""

    state: FeedState
    feeds: tuple[Feed, ...]

    @property
    def names(self) -> list[str]:
        return [spoken(feed.resource) for feed in self.feeds]

    @property
    def oldest(self) -> dt.datetime | None:
        return min((feed.last_success_at for feed in self.feeds if feed.last_success_at), default=None)


@dataclass(frozen=True)
class HeardFrom:
    practice: Practice
    groups: tuple[AsFresh, ...]


@dataclass(frozen=True)
class Quiet:
    """A feed not to be trusted now, and when it last came through."""

    sentence: str
    heard_at: dt.datetime | None


@dataclass(frozen=True)
class Freshness:
    """Every feed of some practices and what to say of it; `quiet` are those not to be trusted now."""

    feeds: tuple[tuple[Feed, FeedState], ...] = ()
    quiet: Mapping[tuple[int, str], Quiet] = field(default_factory=dict)

    def why_suspect(self, practice_id: int, needs_feed: str, asked_at: dt.datetime | None) -> str:
        """Why a gap that needs this feed cannot be believed; empty when it can. `asked_at`: as Gap keeps it."""
        quiet = self.quiet.get((practice_id, needs_feed))
        if quiet is None or (asked_at and (quiet.heard_at is None or asked_at > quiet.heard_at)):
            return ""
        return f"The {needs_feed.replace('_', ' ')} feed is behind: {quiet.sentence}"

    @property
    def hides_visits(self) -> bool:
        """Whether a feed that visits are read from is quiet; others cannot make a charge look missing."""
        return any(resource in NODES_OF_FEED for _, resource in self.quiet)

    @property
    def heard_at(self) -> dt.datetime | None:
        return max((feed.last_success_at for feed, _ in self.feeds if feed.last_success_at), default=None)

    def by_practice(self) -> list[HeardFrom]:
        """For each practice, its feeds by how fresh they are, the fresh ones first."""
        heard: dict[Practice, dict[FeedFreshness, list[tuple[Feed, FeedState]]]] = {}
        for feed, told in self.feeds:
            heard.setdefault(feed.practice, {}).setdefault(told.freshness, []).append((feed, told))
        return [
            HeardFrom(
                practice,
                tuple(
                    AsFresh(alike[0][1], tuple(feed for feed, _ in alike))
                    for freshness in FeedFreshness
                    if (alike := groups.get(freshness))
                ),
            )
            for practice, groups in heard.items()
        ]

    def verdict(self, gap: str = "") -> Case:
        """The verdict as it reads now; Gap rows keep what the judge said. `gap`: how the query names the gap, such as
        "open_gap__"."""
        whens = [When(self.suspect(gap), then=Value(Verdict.SUSPECT_SYNC.value))] if self.quiet else []
        return Case(*whens, default=F(f"{gap}verdict"), output_field=CharField())

    def suspect(self, gap: str = "") -> Q:
        """`why_suspect` for SQL."""
        behind = Q(pk__in=())
        for (practice_id, resource), quiet in self.quiet.items():
            unasked = Q(**{f"{gap}asked_at__isnull": True})
            if quiet.heard_at:
                unasked |= Q(**{f"{gap}asked_at__lte": quiet.heard_at})
            behind |= unasked & Q(**{f"{gap}practice_id": practice_id, f"{gap}needs_feed": resource})
        return behind

    def heard(self, practice_id: int, track: str) -> str:
        """The track with what we cannot know hatched (Q): steps not seen done, of a feed gone quiet."""
        letters = list(track)
        for resource, nodes in NODES_OF_FEED.items():
            if (practice_id, resource) in self.quiet:
                for n in nodes:
                    letters[n] = "Q" if letters[n] in "MC-" else letters[n]
        return "".join(letters)


def freshness_of(practice_ids: Collection[int]) -> Freshness:
    now = clock.now()
    found = Feed.objects.filter(practice_id__in=practice_ids).select_related("practice")
    read = tuple((feed, state(feed, now)) for feed in found.order_by("practice__name", "resource"))
    quiet = {
        (feed.practice_id, feed.resource): Quiet(told.sentence, feed.last_success_at)
        for feed, told in read
        if not told.trusted
    }
    return Freshness(read, quiet)
