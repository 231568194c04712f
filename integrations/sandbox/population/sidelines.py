"""What happens beside visits: outside results, orders without a visit, hospital rounds, stays, open slots."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from integrations.sandbox.population import lag
from integrations.sandbox.population.billing import bill
from integrations.sandbox.population.blueprints import Clinician, Site
from integrations.sandbox.population.catalogue import DIAGNOSES, FEES, LABS, MEDICATIONS
from integrations.sandbox.population.claim import Bill
from integrations.sandbox.population.course import Clinic, Plan, minutes
from integrations.sandbox.population.facts import LOINC, RXNORM
from integrations.sandbox.population.office import staffed
from integrations.sandbox.population.people import Person
from integrations.sandbox.population.script import Script
from integrations.sandbox.world import Appointment, Clinical, Encounter, Service


def outside_result(clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime) -> Script:
    """A result another clinic ordered. It belongs to no visit here; somebody must still look at it."""
    script, rng = Script(clinic.practice), clinic.rng
    code, display, unit, mean, spread = rng.choice(LABS)
    result = Clinical(
        id=clinic.ids.next("clinical"),
        modified=at,
        resource="Observation",
        patient_id=person.patient.id,
        at=at - timedelta(hours=rng.uniform(6, 90)),
        code=code,
        code_system=LOINC,
        display=display,
        value=f"{abs(rng.gauss(mean, spread)):.1f}",
        unit=unit,
        category="laboratory",
    )
    script.put(at, "clinical", result, linkable=False, reason="outside_result")
    script.cause("G17", "outside_result_unclaimed", at, None, ("clinical", result.id))
    return script


def orders_only(clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime) -> Script:
    """Work between visits: an ORDERSONLY encounter that has no appointment (athena-api.md §4).

    Mostly a refill. Some of it is billable (an injection, a month of care coordination); nobody's check-out
    reminds the desk of that claim, and it names no appointment when it is made.
    """
    script = Script(clinic.practice, clinic.ids.visit())
    encounter = order_encounter(clinic, person, clinician, site, at)
    script.put(at, "encounter", encounter, reason="orders_only")
    code, display = clinic.rng.choice(MEDICATIONS)
    refill = Clinical(
        id=clinic.ids.next("clinical"),
        modified=at,
        resource="MedicationRequest",
        patient_id=person.patient.id,
        at=at,
        code=code,
        code_system=RXNORM,
        display=display,
        encounter_id=encounter.id,
        provider_id=clinician.id,
        status="active",
        category="outpatient",
    )
    script.put(at, "clinical", refill)
    if clinic.errs(clinic.mishaps.billable_orders):
        bill_orders(clinic, script, person, site, encounter)
    return script


def order_encounter(
    clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime
) -> Encounter:
    return Encounter(
        id=clinic.ids.next("encounter"),
        modified=at,
        patient_id=person.patient.id,
        department_id=site.id,
        provider_id=clinician.id,
        day=at.astimezone(ZoneInfo(site.timezone)).date(),
        started_at=at,
        kind="ORDERSONLY",
        status="CLOSED",
        stage="SIGNOFF",
        progress="CHECKEDOUT",
        closed_at=at,
        visit_name="orders only",
    )


def document_orders(clinic: Clinic, script: Script, encounter: Encounter, code: str) -> Service:
    service = Service(
        id=clinic.ids.next("service"),
        modified=encounter.modified,
        encounter_id=encounter.id,
        procedure_code=code,
        description=FEES[code][0],
    )
    return script.put(encounter.modified, "service", service)


def bill_orders(clinic: Clinic, script: Script, person: Person, site: Site, encounter: Encounter) -> None:
    rng, at = clinic.rng, encounter.modified
    code = rng.choice(("99490", "96372"))
    service = document_orders(clinic, script, encounter, code)
    delay = clinic.wait(lag.CHARGE_WITHOUT_VISIT)
    entered = staffed(at + delay, ZoneInfo(site.timezone), rng) if delay else None
    script.cause("G23", "nobody_billed_the_orders", at, entered, ("service", service.id))
    if entered:
        bill(
            Bill(
                clinic=clinic,
                script=script,
                person=person,
                zone=ZoneInfo(site.timezone),
                at=entered,
                codes=(code,),
                service_day=encounter.day,
                department_id=site.id,
                billed_provider_id=encounter.provider_id,
                reason="no_appointment",
            )
        )


def rounds(clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime) -> Script:
    """A visit in somebody else's hospital: all that athena holds of it is a claim keyed by hand."""
    script = Script(clinic.practice)
    bill(
        Bill(
            clinic=clinic,
            script=script,
            person=person,
            zone=ZoneInfo(site.timezone),
            at=at,
            codes=("99232",),
            service_day=at.date() - timedelta(days=clinic.rng.randrange(1, 6)),
            department_id=site.id,
            billed_provider_id=clinician.id,
            diagnoses=tuple(clinic.rng.sample(DIAGNOSES, 1)),
            linkable=False,
            reason="hospital_rounds",
        )
    )
    return script


def stay(clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime) -> Script:
    """An inpatient stay. FHIR shows it as `stay-`, v1's chart does not; its claim names no appointment."""
    script, rng = Script(clinic.practice, clinic.ids.visit()), clinic.rng
    zone = ZoneInfo(site.timezone)
    ended = at + timedelta(days=rng.randrange(2, 6), minutes=rng.randrange(600))
    encounter = Encounter(
        id=clinic.ids.next("encounter"),
        modified=at,
        patient_id=person.patient.id,
        department_id=site.id,
        provider_id=clinician.id,
        day=at.astimezone(zone).date(),
        started_at=at,
        stage="EXAM",
        progress="WITHSTAFF",
        visit_name="inpatient stay",
        diagnoses=tuple(rng.sample(DIAGNOSES, 2)),
        inpatient=True,
    )
    encounter = script.put(at, "encounter", encounter, reason="inpatient_stay")
    closed = ended + lag.SIGN_USUAL.surely(rng)
    script.put(
        closed,
        "encounter",
        replace(
            encounter,
            status="CLOSED",
            stage="SIGNOFF",
            progress="CHECKEDOUT",
            ended_at=ended,
            closed_at=closed,
        ),
    )
    nights = (ended - at).days
    bill(
        Bill(
            clinic=clinic,
            script=script,
            person=person,
            zone=zone,
            at=closed + lag.CHARGE_SURGICAL.surely(rng),
            codes=("99232",) * nights + ("99238",),
            service_day=encounter.day,
            department_id=site.id,
            billed_provider_id=clinician.id,
            diagnoses=encounter.diagnoses,
            linkable=False,
            reason="inpatient_stay",
        )
    )
    return script


def open_slot(
    clinic: Clinic, clinician: Clinician, site: Site, day: date, start: time, released: datetime
) -> Script:
    script = Script(clinic.practice)
    type = clinician.visit_types[0]
    slot = Appointment(
        id=clinic.ids.next("appointment"),
        modified=released,
        department_id=site.id,
        provider_id=clinician.id,
        day=day,
        start=start,
        minutes=type.minutes,
        type_id=type.id,
        type_name=type.name,
        status="o",
    )
    script.put(released, "appointment", slot, "AddAppointmentSlot", linkable=False, reason="open_slot")
    return script


def moved_address(clinic: Clinic, person: Person, clinician: Clinician, site: Site, at: datetime) -> Script:
    """A patient moved house, and clinic with it: the news that a patients feed mostly carries."""
    script = Script(clinic.practice)
    new_zip = f"{clinic.rng.randrange(10000, 99999)}"
    moved = replace(person.patient, zip=new_zip, department_id=site.id, provider_id=clinician.id)
    script.put(at, "patient", moved, "UpdatePatient")
    return script


def register(clinic: Clinic, person: Person, at: datetime, plans: Iterable[Plan] = ()) -> Script:
    """`plans`: the visits the patient will make. Before most of them the desk asks the payer for cover."""
    script = Script(clinic.practice)
    script.put(at, "patient", person.patient, "AddPatient")
    for insurance in person.insurances:
        script.put(at + minutes(1, 4, clinic.rng), "insurance", insurance)
    for plan in sorted(plans, key=lambda plan: plan.starts_at):
        ask_cover(script, person, plan)
    return script


def ask_cover(script: Script, person: Person, plan: Plan) -> None:
    rng = Random(f"{person.patient.id} {plan.starts_at}")  # noqa: S311 of its own: asking moves nothing else
    if person.primary is None or rng.random() < 0.03:
        return
    asked = max(plan.booked_at, plan.starts_at - timedelta(hours=rng.uniform(1, 66)))
    answer = "Eligible" if rng.random() < 0.985 else "Ineligible"
    day = asked.astimezone(plan.zone).date()
    said = replace(person.primary, eligibility_status=answer, eligibility_checked_on=day)
    script.put(asked, "insurance", said)


def cover_asked(clinic: Clinic, plan: Plan) -> Script:
    """The same of one visit of somebody who has been a patient for long."""
    script = Script(clinic.practice)
    ask_cover(script, plan.person, plan)
    return script
