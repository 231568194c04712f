"""Invents patients with their insurances, and providers. Seeded Faker fills the name pools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from random import Random

from faker import Faker

from integrations.sandbox.population.blueprints import Blueprint, Site
from integrations.sandbox.population.ids import Ids
from integrations.sandbox.population.payers import PAYERS, SUPPLEMENTS
from integrations.sandbox.world import Insurance, Patient, Provider


@dataclass(frozen=True)
class Person:
    patient: Patient
    insurances: tuple[Insurance, ...] = ()

    @property
    def primary(self) -> Insurance | None:
        return self.insurances[0] if self.insurances else None

    @property
    def secondary(self) -> Insurance | None:
        return self.insurances[1] if len(self.insurances) > 1 else None


@cache
def name_pools() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(women's first names, men's first names, last names), the same for every seed."""
    fake = Faker("en_US")
    fake.seed_instance(195900)
    return (
        tuple(fake.first_name_female() for _ in range(300)),
        tuple(fake.first_name_male() for _ in range(300)),
        tuple(fake.last_name() for _ in range(600)),
    )


def invent_person(ids: Ids, rng: Random, blueprint: Blueprint, site: Site, registered_at: datetime) -> Person:
    women, men, last_names = name_pools()
    sex = rng.choice("FM")
    # Clinics see the old more than the young.
    age = min(97, max(1, rng.gauss(52, 21)))
    today = registered_at.date()
    patient = Patient(
        id=ids.next("patient"),
        modified=registered_at,
        first_name=rng.choice(women if sex == "F" else men),
        last_name=rng.choice(last_names),
        dob=today - timedelta(days=int(age * 365.25)),
        sex=sex,
        department_id=site.id,
        provider_id=rng.choice([one.id for one in blueprint.clinicians if site.id in one.sites]),
        city=site.city,
        state=site.state,
        zip=f"{rng.randrange(10000, 99999)}",
        registered_on=today,
    )
    return Person(patient, invent_insurances(ids, rng, patient, age, registered_at))


def invent_insurances(
    ids: Ids, rng: Random, patient: Patient, age: float, at: datetime
) -> tuple[Insurance, ...]:
    if rng.random() < 0.06:
        return ()  # self-pay
    old = age >= 65
    choice = [payer for payer in PAYERS if old == payer.type.startswith("Medicare") or rng.random() < 0.08]
    payer = rng.choices(choice or PAYERS, [one.share for one in choice or PAYERS])[0]
    policies = [(payer.package_id, payer.name, payer.plan, payer.type)]
    if rng.random() < (0.6 if payer.type == "Medicare Part B" else 0.07):
        policies.append(SUPPLEMENTS[0] if old else SUPPLEMENTS[1])
    return tuple(
        Insurance(
            id=ids.next("insurance"),
            modified=at,
            patient_id=patient.id,
            package_id=package,
            payer_name=name,
            plan_name=plan,
            insurance_type=kind,
            member_id=f"{rng.choice('ABCDEFGHJK')}{rng.randrange(10**8, 10**9)}",
            sequence=sequence,
            # Three-valued, and "Unverified" is common: revenue-cycle.md §1.3.
            eligibility_status=rng.choices(("Eligible", "Unverified", "Ineligible"), (0.6, 0.34, 0.06))[0],
            eligibility_checked_on=at.date() if rng.random() < 0.7 else None,
            issued_on=date(at.year - 1, 1, 1),
        )
        for sequence, (package, name, plan, kind) in enumerate(policies, start=1)
    )


def invent_providers(rng: Random, blueprint: Blueprint, at: datetime) -> list[Provider]:
    women, men, last_names = name_pools()
    return [
        Provider(
            id=one.id,
            modified=at,
            first_name=rng.choice(women + men),
            last_name=rng.choice(last_names),
            npi=f"1{rng.randrange(10**8, 10**9)}",
            specialty=one.specialty,
            specialty_id=one.specialty_id,
            provider_type=one.type,
            create_encounter_on_checkin=one.makes_encounters,
            supervisor_id=one.supervisor,
        )
        for one in blueprint.clinicians
    ]
