"""Turns a booking into an arrival, or into its end: cancelled, rescheduled, no-show, never resolved."""

from __future__ import annotations

from dataclasses import replace as rebook
from datetime import datetime, timedelta

from integrations.sandbox.population import lag
from integrations.sandbox.population.billing import bill
from integrations.sandbox.population.catalogue import NO_SHOW
from integrations.sandbox.population.claim import Bill
from integrations.sandbox.population.course import Course, book, minutes
from integrations.sandbox.population.office import OPEN, instant, staffed
from integrations.sandbox.population.people import Person
from integrations.sandbox.world import Encounter

CANCEL_REASONS = ("PATIENT CANCELLED", "PROVIDER UNAVAILABLE", "WEATHER", "TRANSPORTATION")


def attend(course: Course) -> datetime | None:
    """The instant of check-in, or None."""
    rng, mishaps = course.rng, course.clinic.mishaps
    if rng.random() < 0.045:
        reschedule(course)
    fate = rng.random()
    if fate < 0.055:
        cancel(course)
        return None
    if rng.random() < 0.06:
        prepare(course)
    if fate < 0.055 + mishaps.no_shows:
        stay_away(course)
        return None
    start = course.plan.starts_at
    if (
        fate < 0.055 + mishaps.no_shows + mishaps.arrival_not_noted
    ):  # seen, but nobody noted the arrival until later; some never do
        noted = lag.ARRIVAL_NOTED_LATE.draw(rng) if rng.random() < 0.75 else None
        arrival = staffed(start + noted, course.plan.zone, rng) if noted else None
        course.script.cause(
            "G01", "arrival_not_noted", start, arrival, ("appointment", course.appointment.id)
        )
        return arrival
    return max(start + minutes(-14, 11, rng), course.plan.booked_at + minutes(0.5, 3, rng))


def cancel(course: Course) -> None:
    notice = course.plan.starts_at - course.plan.booked_at
    at = course.plan.starts_at - notice * course.rng.uniform(0.03, 0.7)
    course.appoint(
        at, "CancelAppointment", status="x", cancelled_at=at, cancel_reason=course.rng.choice(CANCEL_REASONS)
    )


def stay_away(course: Course) -> None:
    """A no-show; the desk says so later, or never: athena then shows a past appointment as future."""
    start = course.plan.starts_at
    noted = course.clinic.wait(lag.NO_SHOW_NOTED, start)
    at = staffed(start + minutes(15, 30, course.rng) + noted, course.plan.zone, course.rng) if noted else None
    course.script.cause("G01", "past_never_resolved", start, at, ("appointment", course.appointment.id))
    if at:
        course.appoint(
            at,
            "CancelAppointment",
            status="x",
            cancelled_at=at,
            cancel_reason="PATIENT NO SHOW",
            cancel_no_show=True,
        )
        course.chart(at, status="DELETED")
        charge_fee(course, at)


def charge_fee(course: Course, at: datetime) -> None:
    """Of the patient, never of an insurance; Medicaid's patients may not be charged."""
    plan, rng = course.plan, course.rng
    insured = plan.person.primary
    if not course.clinic.blueprint.no_show_fee or (insured and insured.insurance_type == "Medicaid"):
        return
    delay = course.clinic.wait(lag.NO_SHOW_CHARGED)
    charged = staffed(at + delay, plan.zone, rng) if delay else None
    course.script.cause("G02", "no_show_not_charged", at, charged, ("appointment", course.appointment.id))
    if charged:
        bill(
            Bill(
                clinic=course.clinic,
                script=course.script,
                person=Person(plan.person.patient),
                zone=plan.zone,
                at=charged,
                codes=(NO_SHOW,),
                service_day=plan.day,
                department_id=plan.site.id,
                billed_provider_id=plan.clinician.id,
                appointment_id=course.appointment.id,
                linkable=not course.script.disguise.hide_claim,
                reason="no_show_fee",
            )
        )


def reschedule(course: Course) -> None:
    """A new appointment id for the same visit; the old one becomes `x` and names it (athena-api.md §2.2)."""
    plan, rng = course.plan, course.rng
    at = plan.starts_at - (plan.starts_at - plan.booked_at) * rng.uniform(0.1, 0.9)
    day = plan.day + timedelta(days=rng.randrange(2, 15))
    while day.weekday() > 4:
        day += timedelta(days=1)
    course.plan = rebook(plan, day=day, booked_at=at, slot=None)
    course.script.disguise = course.script.disguise.on(course.plan.starts_at)
    moved = book(course.clinic, course.plan)
    course.appoint(
        at,
        "CancelAppointment",
        status="x",
        cancelled_at=at,
        cancel_reason="PATIENT RESCHEDULED",
        rescheduled_to=moved.id,
    )
    course.appointment = course.script.put(
        at, "appointment", moved, "ScheduleAppointment", reason="rescheduled"
    )


def prepare(course: Course) -> None:
    """Pre-visit work opens a PEND encounter on an appointment that is still in the future."""
    plan = course.plan
    before = course.rng.randrange(1, 4)
    at = instant(plan.day - timedelta(days=before), OPEN, plan.zone) + minutes(0, 500, course.rng)
    if plan.site.clinicals and plan.clinician.makes_encounters and at > plan.booked_at:
        open_encounter(course, at, status="PEND")
        course.appoint(at, "UpdateAppointment", encounter_id=course.encounter and course.encounter.id)


def open_encounter(course: Course, at: datetime, status: str) -> None:
    plan = course.plan
    course.encounter = course.script.put(
        at,
        "encounter",
        Encounter(
            id=course.clinic.ids.next("encounter"),
            modified=at,
            patient_id=plan.person.patient.id,
            department_id=plan.site.id,
            provider_id=plan.clinician.id,
            day=plan.day,
            started_at=at,
            status=status,
            visit_name=plan.type.name.lower(),
            appointment_id=course.appointment.id,
        ),
        linkable=not (plan.twin and course.script.disguise.hide_encounter),
        reason="same_day_twin" if plan.twin else None,
    )
