"""Tells a whole visit from its booking to its last cent, or to wherever it gets stuck."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from integrations.sandbox.population.attendance import attend
from integrations.sandbox.population.charging import charge
from integrations.sandbox.population.course import Clinic, Course, Plan, begin, minutes
from integrations.sandbox.population.exam import examine, leave_unseen, makes_chart
from integrations.sandbox.population.script import Script
from integrations.sandbox.world import Appointment


def tell(clinic: Clinic, plan: Plan) -> Script:
    course = begin(clinic, plan)
    arrival = attend(course)
    if arrival is None:
        return course.script
    if clinic.rng.random() < clinic.blueprint.multi_resource:
        occupy_resource(course, arrival)
    if makes_chart(course) and clinic.errs(clinic.mishaps.left_unseen):
        leave_unseen(course, arrival)
    else:
        charge(course, examine(course, arrival))
    return course.script


def occupy_resource(course: Course, arrival: datetime) -> None:
    """The visit holds a second slot, e.g. a technician's: athena settles it as MULTIRESOURCE, no claim."""
    plan, others = course.plan, course.clinic.blueprint.clinicians
    resource = course.rng.choice([one for one in others if one.id != plan.clinician.id])
    put = course.script.put
    slot = Appointment(
        id=course.clinic.ids.next("appointment"),
        modified=plan.booked_at,
        department_id=plan.site.id,
        provider_id=resource.id,
        day=plan.day,
        start=plan.start,
        minutes=plan.type.minutes,
        type_id=plan.type.id,
        type_name=plan.type.name,
        status="f",
        patient_id=plan.person.patient.id,
        scheduled_at=plan.booked_at,
    )
    slot = put(plan.booked_at, "appointment", slot, "ScheduleAppointment", reason="multi_resource_slot")
    slot = put(arrival, "appointment", settled(slot, arrival, "2"), "CheckIn")
    done = arrival + minutes(3, 9, course.rng)
    put(done, "appointment", settled(slot, arrival, "4"), "UpdateAppointment")


def settled(slot: Appointment, arrival: datetime, status: str) -> Appointment:
    done = status == "4"
    return replace(
        slot,
        status=status,
        checked_in_at=arrival,
        charge_entry_not_required=done,
        charge_entry_not_required_reason="MULTIRESOURCE" if done else None,
    )
