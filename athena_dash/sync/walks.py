"""The four ways a feed learns of records, each a stream of Steps: a list, the changed feed, windows, subjects.

A walk talks to athena and never to the database. Lists and subjects are fetched a few pages ahead of sync.pull, which
commits step by step; the changed feed never is, because it forgets a page as soon as it has handed it out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from athena_dash.sync.models import Feed, Subject
from athena_dash.sync.resources import Resource
from athena_dash.sync.source import Source
from integrations.athena.endpoints import endpoint
from integrations.athena.errors import AthenaError, InvalidResponse, SubscriptionMissing
from integrations.athena.page import Page
from integrations.athena.subscriptions import State
from integrations.athena.values import EASTERN

HISTORY = timedelta(days=550)  # 18 months: beyond every common filing limit
AHEAD = timedelta(days=30)
WINDOW = timedelta(days=30)
DAY = timedelta(days=1)
OVERLAP = timedelta(minutes=10)
SAFETY_NET = timedelta(minutes=15)  # how often windows are walked although the changed feed is active
LISTED = 2000  # records of a list committed in one go, as many as are landed in one,
TOGETHER = 1000  # or of subjects,
PATIENCE = 2.0  # unless it takes longer than so many seconds to gather them,
MOST_TOGETHER = 250  # or they are of so many subjects,
MOST_ERRORS = 5  # or so many errors say that it may be of no use to go on
WAITING = 32  # subjects asked about ahead of the commit
WATCH = timedelta(hours=1)  # how often an active subscription is looked at
ACTIVATION = timedelta(minutes=20)  # 5 in production, 10 to 15 in preview, and some patience
SMALLER_PAGES = (100, 10)

Cursor = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Pages to commit together with what the cursor becomes and which subjects are thereby asked."""

    pages: tuple[tuple[Page, str], ...] = ()  # (page, parent id)
    cursor: Cursor = field(default_factory=dict)
    asked: tuple[Subject, ...] = ()
    errors: tuple[tuple[Subject, AthenaError], ...] = ()
    subscription: str | None = None
    counts_as: str = (
        ""  # "fed" by the changed feed, or "netted" by a window although the feed should have handed it out
    )

    @property
    def moves(self) -> bool:
        """Whether it says anything of the feed itself, beside its records."""
        return bool(self.cursor or self.subscription or self.counts_as)


def walk_list(source: Source, resource: Resource) -> Iterator[Step]:
    yield from some_at_once(source.pages(resource.name))


def walk_changed(source: Source, resource: Resource, feed: Feed, now: datetime) -> Iterator[Step]:
    """Drain the changed feed, once its subscription is seen to be active; every hour that is looked at again, for
    athena or another program may have ended it or narrowed it to some events. `reading` in the cursor marks a drain
    that has begun: whoever finds it set re-reads what athena handed out since the last whole drain, because those
    answers may have been lost."""
    active = feed.subscription == Feed.Subscription.ACTIVE
    watched_at = feed.cursor.get("watched_at")
    if not active or not watched_at or now - datetime.fromisoformat(watched_at) >= WATCH:
        state = subscribe(source, resource, feed, now)
        yield Step(cursor={"watched_at": now.isoformat()}, subscription=state)
        if not active or state != Feed.Subscription.ACTIVE:
            return
    read_at = feed.cursor.get("read_at")
    try:
        if feed.cursor.get("reading") and read_at:
            since = datetime.fromisoformat(read_at) - OVERLAP
            handed_out = partial(source.v1.changed, resource.name, processed_between=(since, now))
            yield from to_the_end(handed_out)
        yield Step(cursor={"reading": True, "read_at": read_at or now.isoformat()})
        for page in source.v1.changed(resource.name):
            yield Step(pages=((page, ""),), counts_as="fed")
    except SubscriptionMissing:
        yield Step(subscription=Feed.Subscription.MISSING)
    else:
        yield Step(cursor={"reading": False, "read_at": now.isoformat()})


def subscribe(source: Source, resource: Resource, feed: Feed, now: datetime) -> str:
    """Ask for the whole subscription when it is not there; it becomes active minutes later and is not retroactive:
    until then every run walks the windows. One that was asked for a moment ago is only waited for."""
    state = source.v1.subscriptions.read(resource.name).state
    if state is State.ACTIVE:
        return Feed.Subscription.ACTIVE
    asked_at = feed.subscribed_at if feed.subscription == Feed.Subscription.PENDING else None
    if state is State.PARTIAL or asked_at is None or now - asked_at >= ACTIVATION:
        source.v1.subscriptions.start(resource.name)
    return Feed.Subscription.PARTIAL if state is State.PARTIAL else Feed.Subscription.PENDING


def walk_windows(source: Source, resource: Resource, feed: Feed, now: datetime) -> Iterator[Step]:
    """What was recently modified, and the days that have come into sight since. The cursor begins now: what is older
    comes in by a backfill, which reads it later than this and so misses nothing in between."""
    last = now.date() + ahead_of(resource)
    covered = feed.cursor.get("covered_to")
    if not covered:
        yield Step(cursor={"covered_to": last.isoformat(), "walked_at": now.isoformat()})
        return
    start = date.fromisoformat(covered)
    while start < last:
        end = min(start + WINDOW, last)
        yield from window(source, resource, start, end, {"covered_to": end.isoformat()})
        start = end
    walked = datetime.fromisoformat(feed.cursor.get("walked_at") or now.isoformat())
    active = feed.subscription == Feed.Subscription.ACTIVE
    if not active or now - walked >= SAFETY_NET:
        since = walked - OVERLAP
        for step in walk_recent(source, resource, now, since):
            yield replace(step, counts_as="netted" if should_be_fed(resource, feed, since) else "")


def should_be_fed(resource: Resource, feed: Feed, since: datetime) -> bool:
    """Whatever was modified since then, up to this run, the feed has handed out before, if to us: it was active all
    the time. Of claims nobody can say so, for their windows go by creation."""
    active_since = feed.subscribed_at if feed.subscription == Feed.Subscription.ACTIVE else None
    return resource.windows == "service" and active_since is not None and active_since <= since


def ahead_of(resource: Resource) -> timedelta:
    return AHEAD if resource.windows == "service" else DAY


def walk_recent(source: Source, resource: Resource, now: datetime, since: datetime) -> Iterator[Step]:
    """Appointments by modification time; claims, which have no such filter, by creation day."""
    done = {"walked_at": now.isoformat()}
    if resource.windows == "service":
        modified = {"startlastmodified": eastern(since), "endlastmodified": eastern(now)}
        yield from window(source, resource, now.date() - HISTORY, now.date() + AHEAD, done, modified)
    else:
        yield from window(source, resource, since.date() - DAY, now.date() + DAY, done)


def window(
    source: Source,
    resource: Resource,
    first: date,
    last: date,
    cursor: Cursor,
    more: dict[str, str] | None = None,
) -> Iterator[Step]:
    """Both days included. The cursor moves only after the last page of the window."""
    start, end = endpoint(resource.name).dates or ("", "")
    params: dict[str, Any] = {start: first, end: last, **(more or {})}
    yield from to_the_end(partial(source.pages, resource.name, **params))
    yield Step(cursor=cursor)


def to_the_end(pages: Callable[..., Iterator[Page]]) -> Iterator[Step]:
    """No snapshot spans two pages, so a list that came out shorter than athena counts it is read again. One that
    cannot be read is asked for in smaller pages: it may have been too large for us or for a gateway on the way."""
    smaller: dict[str, Any] = {}
    for limit in (*SMALLER_PAGES, None):
        seen = total = 0
        try:
            for step in some_at_once(pages(**smaller)):
                for page, _ in step.pages:
                    seen, total = seen + len(page.items), page.total or 0
                yield step
        except InvalidResponse:
            if limit is None:
                raise
            smaller = {"limit": limit}
        else:
            if seen >= total:
                return


def some_at_once(pages: Iterator[Page]) -> Iterator[Step]:
    """Of a list that can be read again: pages that come quickly are committed together. What came before an error is
    committed all the same."""
    gathered: list[tuple[Page, str]] = []
    since = time.monotonic()
    try:
        for page in pages:
            gathered.append((page, ""))
            if sum(len(one.items) for one, _ in gathered) >= LISTED or time.monotonic() - since > PATIENCE:
                yield Step(pages=tuple(gathered))
                gathered, since = [], time.monotonic()
    except AthenaError:
        if gathered:
            yield Step(pages=tuple(gathered))
        raise
    if gathered:
        yield Step(pages=tuple(gathered))


def eastern(at: datetime) -> str:
    """startlastmodified and endlastmodified want `mm/dd/yyyy hh:mi:ss` (athena-api.md §2.0)."""
    return at.astimezone(EASTERN).strftime("%m/%d/%Y %H:%M:%S")


def walk_subjects(source: Source, resource: Resource, subjects: Sequence[Subject]) -> Iterator[Step]:
    """Ask about each subject, some at once; an error of one subject does not keep the others waiting."""

    def ask(subject: Subject) -> Answered:
        try:
            return Answered(subject, list(source.about(resource.name, subject.key, subject.scope)))
        except AthenaError as error:
            return Answered(subject, error=error)

    gathered: list[Answered] = []
    since = time.monotonic()
    with closing(source.ahead([partial(ask, subject) for subject in subjects], held=WAITING)) as answers:
        for answer in answers:
            gathered.append(answer)
            if enough(gathered) or time.monotonic() - since > PATIENCE:
                yield together(gathered)
                gathered, since = [], time.monotonic()
    if gathered:
        yield together(gathered)


@dataclass(frozen=True, slots=True)
class Answered:
    subject: Subject
    pages: list[Page] = field(default_factory=list)
    error: AthenaError | None = None


def enough(gathered: Sequence[Answered]) -> bool:
    return (
        len(gathered) >= MOST_TOGETHER
        or sum(len(page.items) for one in gathered for page in one.pages) >= TOGETHER
        or sum(one.error is not None for one in gathered) >= MOST_ERRORS
    )


def together(gathered: Sequence[Answered]) -> Step:
    return Step(
        pages=tuple((page, owner(one.subject)) for one in gathered for page in one.pages),
        asked=tuple(one.subject for one in gathered if one.error is None),
        errors=tuple((one.subject, one.error) for one in gathered if one.error is not None),
    )


def owner(subject: Subject) -> str:
    """Whom a payload was asked for, as sync.normalise's Context reads it."""
    return f"{subject.key}/{subject.scope}" if subject.scope else subject.key
