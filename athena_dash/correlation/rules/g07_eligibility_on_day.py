"""G07: the patient was seen, and the payer never said that they were covered that day; or their policy had ended."""

from datetime import date, datetime, timedelta

from athena_dash.correlation.business_time import end_of_day
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.visit_facts import CoverFacts, VisitFacts
from athena_dash.practices.policies import Policies

BEFORE, AFTER = timedelta(days=3), timedelta(days=1)


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A payer that has paid has answered."""
    day, cover = visit.service_date, visit.cover
    if cover is None or day is None or visit.status not in ("2", "3", "4"):
        return NO_GAP
    if not (problem := unconfirmed(cover, day)) or answered(visit):
        return NO_GAP
    since = end_of_day(day + AFTER, visit.zone)
    sentence = f"Seen {on(day, visit)}, {problem}"
    return after_grace(since, policies.grace_hours("G07"), visit, policies, now, sentence)


def answered(visit: VisitFacts) -> bool:
    claims = visit.live_claims
    return bool(claims) and (all(claim.settled for claim in claims) or any(claim.paid for claim in claims))


def unconfirmed(cover: CoverFacts, day: date) -> str:
    """athena keeps the last answer only: one from later than the window hides what was said within it."""
    if cover.expires_on and cover.expires_on < day or cover.cancelled_on and cover.cancelled_on <= day:
        return "the policy had ended"
    checked = cover.checked_on
    if checked is None or checked < day - BEFORE:
        return "cover not checked for that day"
    if checked <= day + AFTER and cover.status != "Eligible":
        return f"the payer said: {cover.status.lower() or 'unverified'}"
    return ""


RULE = Rule(
    code="G07",
    title="Cover not confirmed for the day",
    stage=GapStage.VISIT,
    awaits="insurance",
    needs_feed="patients",
    source="revenue-cycle.md §2.1 G07",
    find=find,
    only="234",
)
