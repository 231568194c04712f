"""G14: athena says the charges are entered, and we hold no claim: more likely our sync than their desk."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """A voided claim is a claim: its absence of a successor is G22's to say."""
    appointment = visit.appointment
    if appointment is None or appointment.status != "4" or visit.claims or visit.service_date is None:
        return NO_GAP
    since = appointment.checked_out_at or close_of_business(visit.service_date, visit.zone)
    sentence = f"Charges entered for {on(visit.service_date, visit)}, but no claim has reached us"
    return after_grace(since, policies.grace_hours("G14"), visit, policies, now, sentence)


RULE = Rule(
    code="G14",
    title="Charged, no claim here",
    stage=GapStage.CHARGE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §0.2, §2.2 G14",
    find=find,
    only="4",
    default_suspect=True,
)
