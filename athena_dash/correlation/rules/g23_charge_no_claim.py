"""G23: services of a signed encounter that no appointment carries were marked to be billed, and no claim was
made."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """With an appointment, the same fault is G13 or G14, which know more. So it is for an encounter of kind VISIT
    that names none: its appointment is there, and only the id that joins them is lost.
    """
    if visit.appointment is not None or visit.claims or not visit.signed or not visit.billable_services:
        return NO_GAP
    day = visit.signed_on or visit.service_date
    if day is None or any(encounter.kind == "VISIT" for encounter in visit.encounters):
        return NO_GAP
    since = close_of_business(day, visit.zone)
    count = len(visit.billable_services)
    what = "1 service" if count == 1 else f"{count} services"
    sentence = f"{what} signed {on(day, visit)} and marked to bill, no claim made"
    return after_grace(since, policies.grace_hours("G23"), visit, policies, now, sentence)


RULE = Rule(
    code="G23",
    title="Charges without a claim",
    stage=GapStage.CLAIM,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G23, G19",
    find=find,
    default_suspect=True,
)
