"""G06: the patient comes within three business days, and nobody has asked their payer this month."""

from datetime import date, datetime, timedelta

from athena_dash.correlation.business_time import end_of_day, is_business_day, start_of_day
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, on
from athena_dash.correlation.visit_facts import CoverFacts, VisitFacts
from athena_dash.practices.policies import Policies

AHEAD = 3  # business days
FRESH = timedelta(days=30)


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Time alone ends it: after the visit's day it is G07's to say."""
    day, cover = visit.service_date, visit.cover
    if visit.status != "f" or day is None or cover is None or verified(cover, day):
        return NO_GAP
    opens_at, ends_at = start_of_day(days_before(day, policies), visit.zone), end_of_day(day, visit.zone)
    if now >= ends_at:
        return NO_GAP
    if now < opens_at:
        return Finding(since=opens_at, opens_at=opens_at, reconsider_at=opens_at)
    asked = f"last checked {on(cover.checked_on, visit)}" if cover.checked_on else "never checked"
    sentence = f"Comes {on(day, visit)}, cover {cover.status.lower() or 'unverified'}, {asked}"
    return Finding(gap=True, since=opens_at, opens_at=opens_at, sentence=sentence, reconsider_at=ends_at)


def verified(cover: CoverFacts, day: date) -> bool:
    """Cover ends with months: an answer of another month says nothing of this one."""
    checked = cover.checked_on
    if cover.status != "Eligible" or checked is None:
        return False
    return day - checked <= FRESH and (checked.year, checked.month) == (day.year, day.month)


def days_before(day: date, policies: Policies) -> date:
    left = AHEAD
    while left:
        day -= timedelta(days=1)
        left -= is_business_day(day, policies.closed_days)
    return day


RULE = Rule(
    code="G06",
    title="Cover not checked before the visit",
    stage=GapStage.SCHEDULE,
    awaits="insurance",
    needs_feed="patients",
    source="revenue-cycle.md §2.1 G06",
    find=find,
    of_settled=True,
    only="f",
)
