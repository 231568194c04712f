"""What the writers of a visit share: the clinic it happens in, its plan, and its records so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from integrations.sandbox.population.blueprints import Blueprint, Clinician, Site
from integrations.sandbox.population.catalogue import VisitType
from integrations.sandbox.population.ids import Ids
from integrations.sandbox.population.lag import Lag
from integrations.sandbox.population.mishaps import Mishaps
from integrations.sandbox.population.noise import Disguise, Noise, disguise
from integrations.sandbox.population.office import instant
from integrations.sandbox.population.people import Person
from integrations.sandbox.population.script import Script
from integrations.sandbox.world import Appointment, Diagnosis, Encounter, Service


@dataclass
class Clinic:
    """One practice being simulated."""

    practice: str
    blueprint: Blueprint
    ids: Ids
    rng: Random
    noise: Noise
    behind_since: datetime
    mishaps: Mishaps

    def wait(self, lag: Lag, at: datetime | None = None) -> timedelta | None:
        """How long it takes until somebody does it, or None: never. `at`: it is work of then, and practices have been
        short of staff lately: half-complete visits crowd in the last weeks."""
        strain = self.mishaps.strain if at and at >= self.behind_since else 0.0
        return lag.draw(self.rng, strain, self.mishaps.forgotten)

    def errs(self, share: float) -> bool:
        return share > 0 and self.rng.random() < share


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A visit somebody means to make. `slot`: the open slot it fills. `twin`: another one on the same day.
    `diagnoses`: what it is about, where that is known beforehand. Unless `charged`, nobody ever enters its charges."""

    person: Person
    clinician: Clinician
    site: Site
    type: VisitType
    day: date
    start: time
    booked_at: datetime
    slot: str | None = None
    twin: bool = False
    diagnoses: tuple[Diagnosis, ...] = ()
    charged: bool = True

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.timezone)

    @property
    def starts_at(self) -> datetime:
        return instant(self.day, self.start, self.zone)


@dataclass
class Course:
    """A visit under way: its appointment and encounter as they stand at the last instant written."""

    clinic: Clinic
    plan: Plan
    script: Script
    appointment: Appointment
    encounter: Encounter | None = None
    services: tuple[Service, ...] = ()

    @property
    def rng(self) -> Random:
        return self.clinic.rng

    def appoint(self, at: datetime, event: str | None = None, **changes: Any) -> None:
        self.appointment = self.script.put(at, "appointment", replace(self.appointment, **changes), event)

    def chart(self, at: datetime, **changes: Any) -> None:
        if self.encounter is not None:
            self.encounter = self.script.put(at, "encounter", replace(self.encounter, **changes))

    def document(self, at: datetime, services: tuple[Service, ...]) -> None:
        self.services = tuple(self.script.put(at, "service", service) for service in services)


def begin(clinic: Clinic, plan: Plan) -> Course:
    """Book the appointment."""
    script = Script(clinic.practice, clinic.ids.visit(), disguise_for(clinic, plan))
    appointment = book(clinic, plan)
    script.put(
        plan.booked_at,
        "appointment",
        appointment,
        "ScheduleAppointment",
        reason="same_day_twin" if plan.twin else None,
    )
    return Course(clinic, plan, script, appointment)


def book(clinic: Clinic, plan: Plan) -> Appointment:
    primary = plan.person.primary
    return Appointment(
        id=plan.slot or clinic.ids.next("appointment"),
        modified=plan.booked_at,
        department_id=plan.site.id,
        provider_id=plan.clinician.id,
        day=plan.day,
        start=plan.start,
        minutes=plan.type.minutes,
        type_id=plan.type.id,
        type_name=plan.type.name,
        status="f",
        patient_id=plan.person.patient.id,
        rendering_provider_id=plan.clinician.id,
        supervising_provider_id=plan.clinician.supervisor,
        scheduled_at=plan.booked_at,
        copay=Decimal(25) if primary and primary.insurance_type == "Commercial" else Decimal(0),
    )


def disguise_for(clinic: Clinic, plan: Plan) -> Disguise:
    return disguise(
        clinic.noise,
        clinic.rng,
        plan.starts_at,
        [one.id for one in clinic.blueprint.clinicians if one.id != plan.clinician.id],
        [site.id for site in clinic.blueprint.sites if site.id != plan.site.id],
    )


def minutes(low: float, high: float, rng: Random) -> timedelta:
    return timedelta(seconds=round(60 * rng.uniform(low, high)))


def later(*instants: datetime | None) -> datetime | None:
    """The last of several instants, or None when one of them never comes."""
    known = [at for at in instants if at is not None]
    return max(known) if len(known) == len(instants) else None


def sooner(*instants: datetime | None) -> datetime | None:
    """The first of several instants that come at all."""
    return min((at for at in instants if at is not None), default=None)
