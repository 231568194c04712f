"""G08: the claim names no insurance, and the patient had a policy in force that day."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Before there is a claim, nothing tells a patient who chose to pay from one whose card nobody took."""
    if not visit.insured or not visit.open_slots:
        return NO_GAP
    day = max((claim.created_on for claim in visit.live_claims if claim.created_on), default=None)
    if day is None:
        return NO_GAP
    sentence = f"Claim of {on(day, visit)} names no insurance, but a policy was in force"
    since = close_of_business(day, visit.zone)
    return after_grace(since, policies.grace_hours("G08"), visit, policies, now, sentence)


RULE = Rule(
    code="G08",
    title="Insured, billed to the patient",
    stage=GapStage.VISIT,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.1 G08",
    find=find,
    shown=True,
)
