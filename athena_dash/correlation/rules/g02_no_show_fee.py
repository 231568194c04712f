"""G02: the practice charges for a no-show, and days later this patient has not been charged."""

from datetime import datetime
from decimal import Decimal

from athena_dash.correlation.business_time import end_of_day
from athena_dash.correlation.estimate import Estimate
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, Suppressor, after_grace, on
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import Policies

CENT = Decimal("0.01")


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Nobody charges before the desk has noted it. A fee that was charged and voided has been forgiven."""
    appointment = visit.appointment
    if appointment is None or appointment.status != "x" or not appointment.no_show:
        return NO_GAP
    fee = Decimal(str(policies.value("no_show_fee")))
    if fee <= 0 or visit.claims or forbidden(visit) or visit.service_date is None:
        return NO_GAP
    since = end_of_day(visit.service_date, visit.zone)
    if appointment.cancelled_at:
        since = max(since, end_of_day(appointment.cancelled_at.astimezone(visit.zone).date(), visit.zone))
    sentence = f"No-show on {on(visit.service_date, visit)}, the fee of ${fee:.2f} was not charged"
    estimate = Estimate(fee.quantize(CENT), "")
    return after_grace(since, policies.grace_hours("G02"), visit, policies, now, sentence, estimate=estimate)


def forbidden(visit: VisitFacts) -> bool:
    """Medicaid lets nobody charge its patients for staying away."""
    return "medicaid" in f"{visit.insurance_type} {visit.payer_name}".lower()


RULE = Rule(
    code="G02",
    title="No-show fee not charged",
    stage=GapStage.SCHEDULE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.1 G02",
    find=find,
    only="x",
    despite=frozenset({Suppressor.CANCELLED}),
)
