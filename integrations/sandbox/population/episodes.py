"""Care that is billed once for many visits: pregnancies, operations and their after-care, months of coordination.

The truth tells which visit is part of which claim, from the claim's making on. What else befalls these people is told
as of anybody: an ultrasound or a cold in between is charged by itself, if somebody remembers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from integrations.sandbox.population import lag
from integrations.sandbox.population.attendance import attend
from integrations.sandbox.population.billing import live
from integrations.sandbox.population.blueprints import Clinician, Site
from integrations.sandbox.population.catalogue import DIAGNOSES, VisitType
from integrations.sandbox.population.charging import blame, charge, settle, terms
from integrations.sandbox.population.claim import Bill
from integrations.sandbox.population.course import Clinic, Plan, begin, later
from integrations.sandbox.population.exam import examine, unbill
from integrations.sandbox.population.office import instant, staffed
from integrations.sandbox.population.people import Person
from integrations.sandbox.population.planning import draw_start, weekday
from integrations.sandbox.population.script import Script
from integrations.sandbox.population.sidelines import document_orders, order_encounter
from integrations.sandbox.world import Claim, Diagnosis

PREGNANT = Diagnosis(icd10="Z34.80", snomed="77386006", description="Pregnancy under care")
BORN = Diagnosis(icd10="Z39.2", snomed="169762003", description="Check-up after a birth")
HERNIA = Diagnosis(icd10="K40.90", snomed="396232000", description="Groin hernia")
HEALING = Diagnosis(icd10="Z48.815", snomed="182996002", description="After-care of an operation")
DIABETES = Diagnosis(icd10="E11.9", snomed="44054006", description="Type 2 diabetes")

PRENATAL = VisitType("301", "Prenatal Visit", 15, ((0.85, ("0502F",)), (0.15, ("99213",))))
POSTPARTUM = VisitType("302", "Postpartum Visit", 20, ((1.0, ("0503F",)),))
ULTRASOUND = VisitType("303", "Ultrasound", 30, ((1.0, ("76805",)),))
SICK = VisitType("304", "Sick Visit", 15, ((0.6, ("99213",)), (0.4, ("99214",))))
OPERATION = VisitType("305", "Operation", 60, ((1.0, ("49505",)),))
FOLLOW_UP = VisitType("306", "After-care", 15, ((0.75, ("99024",)), (0.25, ("99213",))))


@dataclass
class Episode:
    """Who is cared for by whom and where, and what is told of it so far. `inside`: visits without a claim, and
    when each was over."""

    clinic: Clinic
    person: Person
    clinician: Clinician
    site: Site
    scripts: list[Script] = field(default_factory=list)
    inside: list[tuple[datetime, Script]] = field(default_factory=list)

    def plan(self, day: date, type: VisitType, *diagnoses: Diagnosis) -> Plan:
        day, start = weekday(day), draw_start(self.clinic, self.site)
        starts_at = instant(day, start, ZoneInfo(self.site.timezone))
        return Plan(
            person=self.person,
            clinician=self.clinician,
            site=self.site,
            type=type,
            day=day,
            start=start,
            booked_at=starts_at - timedelta(days=self.clinic.rng.uniform(3, 25)),
            diagnoses=diagnoses,
        )

    def see(self, plan: Plan, *, alone: bool = False) -> None:
        """`alone`: what is done there is charged by itself. Else the desk leaves the slip, or waives it."""
        course = begin(self.clinic, plan)
        self.scripts.append(course.script)
        arrival = attend(course)
        if arrival is None:
            return
        exam = examine(course, arrival)
        if alone:
            charge(course, exam)
            return
        self.inside.append((exam.done_at, course.script))
        ready = later(exam.checked_out_at, exam.closed_at)
        if ready and self.clinic.rng.random() < 0.2:
            waived = staffed(ready + timedelta(hours=5), plan.zone, self.clinic.rng)
            for service in course.services:
                unbill(course, waived, service)
            settle(course, waived, "Global Period")

    def pay(self, claim: Claim) -> None:
        """From its making on, the claim pays for all that stood inside."""
        for over, script in self.inside:
            script.part(max(over, claim.created_at), claim.id)


def tell_episodes(clinic: Clinic, visits: Sequence[Plan], first: date, last: date) -> Iterator[Script]:
    """Whoever made one of these visits has an episode where they made it, some time between the two days; of some the
    end is still to come."""
    for visit in visits:
        day = first + timedelta(days=clinic.rng.randrange((last - first).days))
        episode = Episode(clinic, visit.person, visit.clinician, visit.site)
        kinds = [operation, coordination] + [pregnancy] * 2 * (visit.person.patient.sex == "F")
        clinic.rng.choice(kinds)(episode, day)
        yield from episode.scripts


def pregnancy(episode: Episode, birth: date) -> None:
    """The birth is in a hospital: all that athena holds of it is the claim."""
    rng = episode.clinic.rng
    for before in range(rng.randrange(190, 230), 6, -28):
        day = birth - timedelta(days=before + rng.randrange(-4, 5))
        lot = rng.random()
        if lot < 0.08:
            episode.see(episode.plan(day, ULTRASOUND, PREGNANT), alone=True)
        elif lot < 0.14:
            episode.see(episode.plan(day, SICK, DIAGNOSES[3]), alone=True)
        else:
            episode.see(episode.plan(day, PRENATAL, PREGNANT))
    episode.see(episode.plan(birth + timedelta(days=rng.randrange(20, 41)), POSTPARTUM, BORN))
    script = Script(episode.clinic.practice)
    episode.scripts.append(script)
    plan = episode.plan(birth, PRENATAL)
    claim = live(
        Bill(
            clinic=episode.clinic,
            script=script,
            person=episode.person,
            zone=plan.zone,
            at=staffed(plan.starts_at + lag.CHARGE_SURGICAL.surely(rng), plan.zone, rng),
            codes=(rng.choice(("59400", "59400", "59510")),),
            service_day=birth,
            department_id=episode.site.id,
            billed_provider_id=episode.clinician.id,
            diagnoses=(Diagnosis(icd10="O80", snomed="48782003", description="Birth"),),
            linkable=False,
            reason="hospital_birth",
        )
    )
    episode.pay(claim.claim)


def operation(episode: Episode, day: date) -> None:
    """Its own visit carries the claim; what follows for weeks is part of it, unless it is about something else."""
    rng = episode.clinic.rng
    plan = episode.plan(day, OPERATION, HERNIA)
    course = begin(episode.clinic, plan)
    episode.scripts.append(course.script)
    arrival = attend(course)
    exam = examine(course, arrival) if arrival else None
    ready = later(exam.checked_out_at, exam.closed_at) if exam else None
    if exam is None or ready is None:
        return
    entered = staffed(ready + lag.CHARGE_SURGICAL.surely(rng), plan.zone, rng)
    blame(course, exam, ready, entered)
    course.appoint(entered, "UpdateAppointment", status="4")
    claim = live(terms(course, exam, entered)).claim
    for after in (rng.randrange(8, 13), rng.randrange(25, 36), rng.randrange(60, 86)):
        then = plan.day + timedelta(days=after)
        if rng.random() < 0.15:
            episode.see(episode.plan(then, SICK, DIAGNOSES[5]), alone=True)
        else:
            episode.see(episode.plan(then, FOLLOW_UP, rng.choice((HEALING, HEALING, HERNIA))))
    episode.pay(claim)


def coordination(episode: Episode, day: date) -> None:
    """A month of calls, each noted, billed once with the last."""
    clinic, rng = episode.clinic, episode.clinic.rng
    first = min(day, clinic.behind_since.date()).replace(day=1)  # a month that is over
    days = sorted(rng.sample(range(26), rng.randrange(2, 5)))
    for number in days:
        plan = episode.plan(first, SICK)
        at = plan.starts_at + timedelta(days=number - (plan.day - first).days)
        script = Script(clinic.practice, clinic.ids.visit())
        encounter = order_encounter(clinic, episode.person, episode.clinician, episode.site, at)
        script.put(at, "encounter", encounter, reason="orders_only")
        document_orders(clinic, script, encounter, "99490")
        episode.scripts.append(script)
        if number != days[-1]:
            episode.inside.append((at, script))
            continue
        claim = live(
            Bill(
                clinic=clinic,
                script=script,
                person=episode.person,
                zone=plan.zone,
                at=staffed(at + lag.CHARGE.surely(rng), plan.zone, rng),
                codes=("99490",),
                service_day=encounter.day,
                department_id=episode.site.id,
                billed_provider_id=episode.clinician.id,
                diagnoses=(DIABETES,),
                reason="no_appointment",
            )
        )
        episode.pay(claim.claim)
