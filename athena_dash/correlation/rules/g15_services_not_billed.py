"""G15: a documented service that should be billed stands on none of the visit's claims."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace
from athena_dash.correlation.service_lines import How, each_on_a_line, tie_lines
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies

ONE = Decimal(1)


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """As service_lines ties them. A service whose Bill? is unchecked was ruled out by somebody and is not missed."""
    missing = left_off(visit) if visit.live_claims and visit.billable_services else []
    if not missing or not all(claim.lines for claim in visit.live_claims):
        return NO_GAP
    made = [claim.created_on for claim in visit.live_claims if claim.created_on]
    if not made:
        return NO_GAP
    since = close_of_business(max(made), visit.zone)
    sentence = f"Documented but on no claim: {', '.join(missing)}"
    return after_grace(since, policies.grace_hours("G15"), visit, policies, now, sentence)


def left_off(visit: VisitFacts) -> list[str]:
    """In whatever order its records were read, the same."""
    lines = [line for claim in visit.live_claims for line in claim.lines]
    if each_on_a_line(visit.billable_services, lines):
        return []
    lines.sort(key=lambda line: (line.procedure_code, line.units or ONE, line.amount))
    services = sorted(
        visit.billable_services, key=lambda service: (service.procedure_code, service.units or ONE)
    )
    ties = tie_lines(services, lines)
    return sorted(tie.service.procedure_code for tie in ties if tie.service and tie.how is How.MISSING)


RULE = Rule(
    code="G15",
    title="Service left off the claim",
    stage=GapStage.CHARGE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G15",
    find=find,
    of_settled=True,
    shown=True,  # the claim is here, and names its lines
)
