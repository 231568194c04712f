"""Turns a documented visit into a claim, a waived slip (charge entry not required) or a missing one."""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations.sandbox.population import lag
from integrations.sandbox.population.billing import bill
from integrations.sandbox.population.claim import Bill
from integrations.sandbox.population.course import Course, later
from integrations.sandbox.population.exam import Exam, reopen, services, unbill
from integrations.sandbox.population.office import staffed
from integrations.sandbox.population.people import Person

STOPPED = "charges_stopped"  # of a clinic's whole day

# Reasons athena ships (revenue-cycle.md §1.1 S7), with their weight.
NOT_REQUIRED = ((0.45, "No Services Performed"), (0.25, "Other"), (0.30, "Global Period"))


def charge(course: Course, exam: Exam) -> None:
    """athena makes no claim before check-out; most practices none before the signature either."""
    rng, clinician = course.rng, course.plan.clinician
    early = course.encounter is not None and rng.random() < clinician.charges_before_signing
    ready = exam.checked_out_at if early else later(exam.checked_out_at, exam.closed_at)
    slip_ready = later(exam.checked_out_at, exam.closed_at)
    habit = lag.SLIP_FORGOTTEN if exam.slip_forgotten else course.clinic.blueprint.charge_entry
    delay = course.clinic.wait(habit, exam.done_at)
    entered = (
        staffed(ready + delay, course.plan.zone, rng) if ready and delay and course.plan.charged else None
    )
    if slip_ready:
        blame(course, exam, slip_ready, entered)
    if not entered:
        return
    lot, mishaps = rng.random(), course.clinic.mishaps
    if lot < mishaps.slip_waived:
        waive(course, entered)
    elif lot < mishaps.slip_waived + mishaps.billed_by_hand:
        bill_by_hand(course, exam, entered)
    else:
        bill_visit(course, exam, entered)
        if course.encounter and exam.closed_at and course.clinic.errs(mishaps.note_reopened):
            reopen(course, max(entered, exam.closed_at) + timedelta(days=rng.uniform(0.5, 20)))


def blame(course: Course, exam: Exam, ready: datetime, entered: datetime | None) -> None:
    if not course.plan.charged:
        course.script.cause("G13", STOPPED, ready, None, ("appointment", course.appointment.id))
        return
    name = "codes_not_chosen" if exam.slip_forgotten else "charge_entry_waits"
    if entered is None and not exam.slip_forgotten:
        name = "charge_interface_failed" if course.rng.random() < 0.25 else "charge_entry_forgotten"
    course.script.cause("G13", name, ready, entered, ("appointment", course.appointment.id))


def waive(course: Course, at: datetime) -> None:
    """Charge entry not required. `Other` on a visit with billable services is how revenue leaks (G18)."""
    reason = course.rng.choices([why for _, why in NOT_REQUIRED], [weight for weight, _ in NOT_REQUIRED])[0]
    if reason != "Other":
        for service in course.services:
            unbill(course, at, service)
    elif course.services:
        course.script.cause("G18", "billable_visit_waived", at, None, ("appointment", course.appointment.id))
    settle(course, at, reason)


def bill_by_hand(course: Course, exam: Exam, at: datetime) -> None:
    """A biller keys the claim outside the visit, so it names no appointment, and waives the slip."""
    settle(course, at, "Duplicate Slip")
    bill(terms(course, exam, at, by_hand=True))


def bill_visit(course: Course, exam: Exam, at: datetime) -> None:
    rng = course.rng
    if exam.slip_forgotten and course.encounter:
        course.document(at - timedelta(minutes=3), services(course, at, exam.codes))
    codes = exam.codes
    course.appoint(at, "UpdateAppointment", status="4")
    if len(course.services) > 1 and course.clinic.errs(course.clinic.mishaps.line_left_off):
        codes = codes[:-1]
        left_off = course.services[-1]
        ruled = at + timedelta(days=rng.uniform(1, 30)) if rng.random() < 0.4 else None
        course.script.cause("G15", "line_left_off_claim", at, ruled, ("service", left_off.id))
        if ruled:
            unbill(course, ruled, left_off)
    bill(terms(course, exam, at, codes=codes))


def settle(course: Course, at: datetime, reason: str) -> None:
    course.appoint(
        at,
        "UpdateAppointment",
        status="4",
        charge_entry_not_required=True,
        charge_entry_not_required_reason=reason,
    )


def terms(
    course: Course, exam: Exam, at: datetime, *, codes: tuple[str, ...] | None = None, by_hand: bool = False
) -> Bill:
    """What goes on the claim. Incident-to bills the supervisor for what the NP or PA did."""
    plan, rng = course.plan, course.rng
    supervisor = plan.clinician.supervisor
    incident_to = supervisor is not None and rng.random() < plan.clinician.incident_to
    oddities = (("manual_claim", by_hand), ("same_day_twin", plan.twin), ("incident_to", incident_to))
    unseen = by_hand or course.script.disguise.hide_claim
    left_out = plan.person.primary is not None and course.clinic.errs(course.clinic.mishaps.card_left_out)
    return Bill(
        clinic=course.clinic,
        script=course.script,
        person=Person(plan.person.patient) if left_out else plan.person,
        card_left_out=left_out,
        zone=plan.zone,
        at=at,
        codes=codes or exam.codes,
        left_off=exam.codes[len(codes) :] if codes else (),
        service_day=plan.day,
        department_id=plan.site.id,
        billed_provider_id=supervisor if incident_to and supervisor else plan.clinician.id,
        supervising_provider_id=supervisor,
        appointment_id=None if by_hand else course.appointment.id,
        diagnoses=course.encounter.diagnoses if course.encounter else (),
        linkable=not (plan.twin and unseen),
        reason=next((reason for reason, applies in oddities if applies), None),
    )
