"""One practice on the Feeds page: its feeds and how it stands with athena, what is wrong in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from redis import RedisError

from athena_dash.core.templatetags.ui import plural
from athena_dash.operations.budget_rows import Budget, budget_of
from athena_dash.operations.completeness_rows import CompletenessRow, completeness_rows
from athena_dash.operations.feed_rows import FeedRow, Hours, metered, rows_of
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.budget import shared
from athena_dash.sync.feeds import Freshness
from athena_dash.sync.meters import OTHER, by_hour
from athena_dash.sync.models import Feed
from athena_dash.sync.standing import Standing, standings

WORDS = {
    Freshness.STALE: "behind its objective,behind their objectives",
    Freshness.FAILING: "failing,failing",
    Freshness.NEVER: "without a first run,without a first run",
    Freshness.PAUSED: "paused,paused",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeFeeds:
    practice: Practice
    rows: tuple[FeedRow, ...]
    completeness: CompletenessRow
    standing: Standing | None  # None while Valkey is away, or without a connection
    budget: Budget | None  # likewise

    @property
    def wrong(self) -> list[str]:
        """Each thing that is, in words; empty when all is well."""
        states = [row.state.freshness for row in self.rows]
        counted = [
            f"{count} {'feed is' if count == 1 else 'feeds are'} {plural(count, words).partition(' ')[2]}"
            for freshness, words in WORDS.items()
            if (count := states.count(freshness))
        ]
        failures = sum(row.open_failures for row in self.rows)
        return counted + ([plural(failures, "open failure,open failures")] if failures else [])

    @property
    def troubled(self) -> bool:
        at_athena = self.standing is not None and (self.standing.open or self.standing.foreign is not None)
        return at_athena or any(row.wrong for row in self.rows)


def practice_feeds(practices: Collection[Practice], now: datetime) -> list[PracticeFeeds]:
    """Those with trouble first; a practice that has no feed is left out."""
    feeds = list(Feed.objects.filter(practice__in=practices).select_related("practice"))
    hours = metered(feeds, now)
    rows = rows_of(feeds, hours, now)
    budgets = budgets_of(practices, hours, now)
    standing = standings_of(practices)
    found = [
        PracticeFeeds(
            practice=one.practice,
            rows=tuple(row for row in rows if row.feed.practice_id == one.practice.pk),
            completeness=one,
            standing=standing.get(one.practice.pk),
            budget=budgets.get(one.practice.pk),
        )
        for one in completeness_rows(practices)
    ]
    return sorted((one for one in found if one.rows), key=lambda one: (not one.troubled, one.practice.name))


def standings_of(practices: Iterable[Practice]) -> Mapping[int, Standing]:
    try:
        return standings([practice.pk for practice in practices])
    except RedisError:
        return {}


def budgets_of(practices: Iterable[Practice], hours: Hours, now: datetime) -> dict[int, Budget]:
    """By practice. `hours` of all its feeds; what no feed asked for is added here."""
    connections = list(Connection.objects.filter(practice__in=list(practices)))
    try:
        unfed = by_hour([(one.practice_id, OTHER) for one in connections], now, shared())
    except RedisError:
        return {}
    return {one.practice_id: budget_of(one, {**hours, **unfed}, now) for one in connections}


def budget(practice: Practice, now: datetime) -> Budget | None:
    feeds = Feed.objects.filter(practice=practice)
    return budgets_of([practice], metered(feeds, now), now).get(practice.pk)
