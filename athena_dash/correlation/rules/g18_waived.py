"""G18: somebody said that no charge is needed, and the signed note has services to bill. Leakage, or a slip."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies

NEUTRAL = ("MULTIRESOURCE", "DUPLICATE")
"""Reasons that say the charges are on another slot's claim (revenue-cycle.md §3.2)."""


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    appointment = visit.appointment
    if appointment is None or not appointment.charge_entry_not_required or visit.live_claims:
        return NO_GAP
    if visit.episode:  # another claim pays for all that it documents
        return NO_GAP
    reason = "".join(appointment.charge_entry_not_required_reason.upper().split())
    if reason.startswith(NEUTRAL) or not visit.signed or not visit.billable_services:
        return NO_GAP
    day = visit.signed_on or visit.service_date
    if day is None:
        return NO_GAP
    since = close_of_business(day, visit.zone)
    sentence = f"Marked as needing no charge, but services were signed {on(day, visit)}"
    return after_grace(since, policies.grace_hours("G18"), visit, policies, now, sentence)


RULE = Rule(
    code="G18",
    title="Charge waived on a billable visit",
    stage=GapStage.CHARGE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G18",
    find=find,
    shown=True,
    despite=frozenset({Suppressor.NOT_REQUIRED}),
)
