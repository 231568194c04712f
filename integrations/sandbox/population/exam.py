"""Turns an arrival into a documented visit: check-in, intake, exam, check-out and signature.

The two halves are independent, as in athena: the desk moves the appointment, the provider the encounter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from integrations.sandbox.population import lag
from integrations.sandbox.population.attendance import open_encounter
from integrations.sandbox.population.catalogue import DIAGNOSES, FEES
from integrations.sandbox.population.course import Course, later, minutes, sooner
from integrations.sandbox.population.facts import chart_findings, chart_vitals
from integrations.sandbox.population.office import staffed
from integrations.sandbox.world import Service


@dataclass(frozen=True)
class Exam:
    """How a visit went. `codes` is what was truly done, whether or not anybody documented it.

    `closed_at` is None while the note is unsigned; where there is no chart, it equals `checked_out_at`.
    """

    done_at: datetime
    codes: tuple[str, ...]
    slip_forgotten: bool
    checked_out_at: datetime | None
    closed_at: datetime | None


def examine(course: Course, arrival: datetime) -> Exam:
    plan, rng = course.plan, course.rng
    check_in(course, arrival)
    ready = arrival + minutes(6, 16, rng)
    course.appoint(ready, intake_done_at=ready)
    course.chart(arrival + minutes(1, 5, rng), progress="WITHSTAFF")
    course.chart(ready, stage="EXAM", progress="READYFORPROVIDER")
    chart_vitals(course, ready)
    done = ready + plan.type.minutes * minutes(0.6, 1.3, rng)
    course.appoint(done, exam_done_at=done)
    codes = draw_codes(course)
    forgotten = rng.random() < plan.clinician.forgets_slip
    diagnoses = plan.diagnoses or tuple(rng.sample(DIAGNOSES, rng.choice((1, 1, 2, 3))))
    course.chart(done, stage="SIGNOFF", diagnoses=diagnoses)
    if course.encounter and not forgotten:
        course.document(done, services(course, done, codes))
    left = done + minutes(2, 7, rng)
    clinic = course.clinic
    left_open = clinic.errs(clinic.mishaps.left_open)
    stuck = left_open or clinic.errs(clinic.mishaps.not_checked_out)
    delay = None if stuck else clinic.wait(plan.site.check_out, left)
    checked_out = staffed(left + delay, plan.zone, rng) if delay else None
    closed = sign(course, done, checked_out) if course.encounter and not left_open else checked_out
    if checked_out:
        course.appoint(checked_out, "CheckOut", status="3", checked_out_at=checked_out)
    blame(course, left, checked_out, closed)
    return Exam(done, codes, forgotten, checked_out, closed)


def check_in(course: Course, at: datetime) -> None:
    if course.encounter is None and makes_chart(course):
        open_encounter(course, at, status="OPEN")
    else:
        course.chart(at, status="OPEN", started_at=at)
    course.appoint(
        at,
        "CheckIn",
        status="2",
        checked_in_at=at,
        encounter_id=course.encounter.id if course.encounter else None,
    )


def makes_chart(course: Course) -> bool:
    return course.plan.site.clinicals and course.plan.clinician.makes_encounters


def leave_unseen(course: Course, arrival: datetime) -> None:
    """Tired of waiting. The desk takes the check-in back when it notices, if it does."""
    rng, plan = course.rng, course.plan
    check_in(course, arrival)
    left = arrival + minutes(25, 90, rng)
    delay = course.clinic.wait(lag.LEFT_NOTED, left)
    noted = staffed(left + delay, plan.zone, rng) if delay else None
    course.script.cause("G04", "left_without_being_seen", left, noted, ("appointment", course.appointment.id))
    if noted:
        course.appoint(
            noted, "CancelAppointment", status="x", cancelled_at=noted, cancel_reason="PATIENT LEFT"
        )
        course.chart(noted, status="DELETED")


def sign(course: Course, done: datetime, checked_out: datetime | None) -> datetime | None:
    """The instant the note closed. Check-out and signature come in either order."""
    rng, clinician = course.rng, course.plan.clinician
    delay = course.clinic.wait(clinician.signs, done)
    signed = done + delay if delay else None
    closed = signed
    if signed and rng.random() < max(clinician.cosigned, course.clinic.mishaps.cosigned):
        cosign = course.clinic.wait(lag.COSIGN)
        closed = signed + cosign if cosign else None
    beats: list[tuple[datetime, dict[str, object]]] = []
    if checked_out:
        # The desk may check out while the chart still says the patient is with staff (athena-api.md §2.2).
        left = {} if rng.random() < 0.1 else {"progress": "CHECKEDOUT"}
        beats.append((checked_out, {"ended_at": checked_out, **left}))
    if signed and signed != closed:
        beats.append((signed, {"status": "REVIEW", "progress": "CHECKEDOUT"}))
        course.script.cause("G12", "cosign_pending", signed, closed, encounter(course))
    if closed:
        beats.append((closed, {"status": "CLOSED", "progress": "CHECKEDOUT", "closed_at": closed}))
    for at, changes in sorted(beats, key=lambda beat: beat[0]):
        course.chart(at, **changes)
    if signed:
        chart_findings(course, done, signed)
    if checked_out:
        course.script.cause("G11", "note_unsigned", checked_out, signed, encounter(course))
    return closed


def blame(course: Course, left: datetime, checked_out: datetime | None, closed: datetime | None) -> None:
    """The patient has left and the desk has not checked them out: stuck (G03), and once signed, G05."""
    subject = ("appointment", course.appointment.id)
    signed = closed if course.encounter else None
    course.script.cause("G03", "desk_forgot_checkout", left, sooner(signed, checked_out), subject)
    if signed and (checked_out is None or signed < checked_out):
        course.script.cause("G05", "desk_forgot_checkout", later(left, signed) or left, checked_out, subject)


def draw_codes(course: Course) -> tuple[str, ...]:
    rng, type = course.rng, course.plan.type
    codes = rng.choices([codes for _, codes in type.levels], [weight for weight, _ in type.levels])[0]
    if type.by_age:
        age = (course.plan.day - course.plan.person.patient.dob).days / 365.25
        codes = type.levels[(age >= 40) + (age >= 65)][1]
    return codes + tuple(code for share, code in type.extras if rng.random() < share)


def services(course: Course, at: datetime, codes: tuple[str, ...]) -> tuple[Service, ...]:
    if course.encounter is None:
        return ()
    icd10 = tuple(one.icd10 for one in course.encounter.diagnoses)
    video = ("95",) if course.plan.site.telehealth else ()
    return tuple(
        Service(
            id=course.clinic.ids.next("service"),
            modified=at,
            encounter_id=course.encounter.id,
            procedure_code=code,
            description=FEES[code][0],
            modifiers=video,
            icd10=icd10,
        )
        for code in codes
    )


def reopen(course: Course, at: datetime) -> None:
    """An addendum opens a signed note again; it may wait long for its second signature."""
    delay = course.clinic.wait(lag.READDENDUM)
    closed = at + delay if delay else None
    course.chart(at, status="OPEN", stage="SIGNOFF", reopened_at=at, closed_at=None)
    course.script.cause("G11", "reopened_for_addendum", at, closed, encounter(course))
    if closed:
        course.chart(closed, status="CLOSED", closed_at=closed)


def unbill(course: Course, at: datetime, service: Service) -> None:
    """The coder rules that a documented service is not billable."""
    course.script.put(at, "service", replace(service, bill_for_service=False))


def encounter(course: Course) -> tuple[str, str] | None:
    return ("encounter", course.encounter.id) if course.encounter else None
