"""What a rule is: a header that says what it looks for, and `find(visit, policies, now)`, which says gap or
not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from enum import IntEnum, StrEnum

import msgspec

from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


class GapStage(IntEnum):
    """Where in the visit the link is broken; the earliest broken link is the primary gap."""

    SCHEDULE = 1
    VISIT = 2
    DOCUMENT = 3
    CHARGE = 4
    CLAIM = 5
    SUBMIT = 6
    ADJUDICATE = 7
    POST = 8


class Suppressor(StrEnum):
    """Why a visit expects nothing more, in the order in which it is asked (revenue-cycle.md §2.0)."""

    GONE = "no longer in athena"
    CANCELLED = "cancelled"
    NOT_REQUIRED = "charge entry not required"
    POLICY = "not billable by policy"
    EPISODE = "part of another claim"
    NOT_A_VISIT = "not a visit"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: when the condition began. `opens_at`: when its grace ran out, hence the gap opened.

    `reconsider_at` is the earliest instant at which time alone could change the answer; None when only new
    data can. `owner` and `estimate` are given when the rule knows better than the policy and the estimators; `deadline`
    when another clock than the first claim's filing limit runs.
    """

    gap: bool = False
    since: datetime | None = None
    opens_at: datetime | None = None
    sentence: str = ""
    reconsider_at: datetime | None = None
    owner: str = ""
    estimate: Estimate | None = None
    deadline: date | None = None


NO_GAP = Finding()

Find = Callable[[VisitFacts, Policies, datetime], Finding]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """`awaits`: kind of record whose arrival closes the gap; `needs_feed`: the feed that would bring it.

    `despite`: suppressors that do not silence the rule. `only`: the appointment statuses in which it can find anything,
    where it is they that say so. `of_settled`: it can find something in a visit whose claims are settled to the cent
    (VisitFacts.settled), as most are; `of_signed`: in one whose notes are signed (VisitFacts.signed).
    `default_suspect`: without other evidence, rather our sync than the desk (D5). `shown`: it rests on a word of
    athena's own record, not on an absence (D9).
    `source`: where the rule is described.
    """

    code: str
    title: str
    stage: GapStage
    awaits: str
    needs_feed: str
    source: str
    find: Find
    despite: frozenset[Suppressor] = frozenset()
    only: str = ""
    of_settled: bool = False
    of_signed: bool = True
    default_suspect: bool = False
    shown: bool = False


def after_grace(
    since: datetime,
    hours: float,
    visit: VisitFacts,
    policies: Policies,
    now: datetime,
    sentence: str,
    owner: str = "",
    estimate: Estimate | None = None,
    deadline: date | None = None,
) -> Finding:
    """The usual end of a rule: a gap once the grace has run out, and until then the instant to look again."""
    opens_at = add_business_hours(since, hours, visit.zone, policies.closed_days)
    if now < opens_at:
        return Finding(since=since, opens_at=opens_at, reconsider_at=opens_at)
    return Finding(
        gap=True,
        since=since,
        opens_at=opens_at,
        sentence=sentence,
        owner=owner,
        estimate=estimate,
        deadline=deadline,
    )


def on(day: date | datetime, visit: VisitFacts) -> str:
    """A date as people write it. Sentences name dates, never ages: they must not grow false while they wait."""
    local = day.astimezone(visit.zone).date() if isinstance(day, datetime) else day
    return f"{local:%b} {local.day}, {local.year}"
