"""G13, the headline gap: seen, signed and checked out, and nobody entered the charges."""

from datetime import datetime

from athena_dash.correlation.business_time import close_of_business
from athena_dash.correlation.rules.base import NO_GAP, Finding, GapStage, Rule, after_grace, on
from athena_dash.correlation.rules.packaged import charged_by
from athena_dash.correlation.visit_facts import AppointmentFacts, VisitFacts
from athena_dash.practices.policies import FACILITY_PLACES, Policies


def find(visit: VisitFacts, policies: Policies, now: datetime) -> Finding:
    """Only in status 3: in 2 athena cannot make a claim (G05 names that), in 4 one must exist (G14)."""
    appointment = visit.appointment
    if appointment is None or appointment.status != "3" or visit.claims:
        return NO_GAP
    if visit.documents and not visit.signed:
        return NO_GAP
    since = chargeable_at(appointment, visit)
    if since is None:
        return NO_GAP
    if expected := charged_by(visit, policies):
        since = max(since, close_of_business(expected, visit.zone))
    facility = visit.place_of_service in FACILITY_PLACES
    hours = policies.value("grace_hours_facility.G13") if facility else policies.grace_hours("G13")
    if visit.documents:
        what = f"Signed {on(visit.signed_on or since, visit)}, no charge entered"
    else:
        what = f"Checked out {on(since, visit)}, no charge entered"
    owner = "provider" if visit.documents and not visit.billable_services else ""
    return after_grace(since, hours, visit, policies, now, what, owner)


def chargeable_at(appointment: AppointmentFacts, visit: VisitFacts) -> datetime | None:
    """From when a claim could have been made: after check-out and, where there is a note, after its
    signature."""
    moments = [appointment.checked_out_at or appointment.exam_done_at]
    if visit.documents and visit.signed_on:
        moments.append(close_of_business(visit.signed_on, visit.zone))
    if not any(moments) and visit.service_date:
        moments.append(close_of_business(visit.service_date, visit.zone))
    return max((moment for moment in moments if moment), default=None)


RULE = Rule(
    code="G13",
    title="No charge entered",
    stage=GapStage.CHARGE,
    awaits="claim",
    needs_feed="claims",
    source="revenue-cycle.md §2.2 G13, §0.3",
    find=find,
    only="3",
)
