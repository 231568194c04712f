"""Decides who means to visit whom and when: plans over office days, with twins and double registrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as amend
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from integrations.sandbox.population.blueprints import Clinician, Site
from integrations.sandbox.population.catalogue import VisitType
from integrations.sandbox.population.course import Clinic, Plan
from integrations.sandbox.population.office import instant
from integrations.sandbox.population.people import Person, invent_person

NEW_PATIENTS = frozenset({"81", "92", "71"})  # visit types that register somebody
TYPE_WEIGHTS = (6, 2, 2, 2, 1)


@dataclass(frozen=True)
class Merge:
    """`loser` was registered by mistake; from `at` on, athena knows them as `survivor`."""

    loser: Person
    survivor: Person
    at: datetime


@dataclass
class Diary:
    """Who is booked where, so that a provider's slot is given once."""

    taken: set[tuple[str, date, time]] = field(default_factory=set)

    def find(
        self, clinic: Clinic, clinician: Clinician, site: Site, pick_day: Callable[[], date]
    ) -> tuple[date, time]:
        """A free slot, or after some tries a double booking, as in life."""
        for _ in range(6):
            day = weekday(pick_day())
            start = draw_start(clinic, site)
            if (clinician.id, day, start) not in self.taken:
                break
        self.taken.add((clinician.id, day, start))
        return day, start


def draft(clinic: Clinic, people: list[Person], first: date, last: date, visits: int) -> list[Plan]:
    """`visits` plans between two days; the practice grows, so later days are fuller."""
    rng, diary, plans = clinic.rng, Diary(), list[Plan]()
    span = (last - first).days

    def pick_day() -> date:
        place = max(rng.random(), rng.random() if rng.random() < 0.45 else 0.0)
        return first + timedelta(days=int(place * span))

    while len(plans) < visits:
        plan = draft_one(clinic, people, diary, pick_day)
        if plan.type.id not in NEW_PATIENTS and rng.random() < clinic.noise.twins:
            plans += twins(clinic, plan)
        else:
            plans.append(plan)
    return sorted(plans[:visits], key=lambda plan: plan.starts_at)


def twins(clinic: Clinic, plan: Plan) -> tuple[Plan, Plan]:
    """The same patient with the same provider twice on one day, in the morning and in the afternoon."""
    rng = clinic.rng
    morning, afternoon = (
        amend(plan, twin=True, start=time(hour, rng.choice((0, 20, 40))))
        for hour in (rng.randrange(8, 11), rng.randrange(13, 16))
    )
    booked_at = min(plan.booked_at, morning.starts_at - timedelta(hours=1))
    return amend(morning, booked_at=booked_at), amend(afternoon, booked_at=booked_at)


def draft_one(clinic: Clinic, people: list[Person], diary: Diary, pick_day: Callable[[], date]) -> Plan:
    rng = clinic.rng
    clinician, site, type = pick_encounter(clinic)
    day, start = diary.find(clinic, clinician, site, pick_day)
    booked_at = instant(day, start, ZoneInfo(site.timezone)) - draw_notice(clinic)
    if type.id in NEW_PATIENTS:
        person = invent_person(clinic.ids, rng, clinic.blueprint, site, booked_at)
        people.append(person)
    else:
        person = rng.choice(people)
        while person.patient.modified > booked_at:  # not registered yet
            person = rng.choice(people)
    return Plan(
        person=person, clinician=clinician, site=site, type=type, day=day, start=start, booked_at=booked_at
    )


def pick_encounter(clinic: Clinic) -> tuple[Clinician, Site, VisitType]:
    rng = clinic.rng
    clinician = rng.choice(clinic.blueprint.clinicians)
    site = clinic.blueprint.by_site[rng.choice(clinician.sites)]
    types = clinician.visit_types
    return clinician, site, rng.choices(types, TYPE_WEIGHTS[: len(types)])[0]


def draw_start(clinic: Clinic, site: Site) -> time:
    """On the quarter hour; telehealth mostly in the evening, when a UTC date is already tomorrow's."""
    evening = site.telehealth and clinic.rng.random() < 0.6
    hour = (
        clinic.rng.randrange(17, 20)
        if evening
        else clinic.rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 14, 15, 16))
    )
    return time(hour, clinic.rng.choice((0, 15, 30, 45)))


def draw_notice(clinic: Clinic) -> timedelta:
    rng = clinic.rng
    hours = (
        rng.uniform(0.7, 6) if rng.random() < 0.15 else min(90 * 24.0, 20 + rng.expovariate(1 / (15 * 24)))
    )
    return timedelta(seconds=round(hours * 3600))


def register_twice(clinic: Clinic, plans: list[Plan], share: float) -> tuple[list[Plan], list[Merge]]:
    """Some people are registered again when they book; until that is found out, plans name the duplicate."""
    merges = dict[str, Merge]()
    for plan in plans:
        survivor = plan.person.patient.id
        if survivor not in merges and plan.type.id not in NEW_PATIENTS and clinic.rng.random() < share:
            merges[survivor] = register_again(clinic, plan)
    renamed = []
    for plan in plans:
        merge = merges.get(plan.person.patient.id)
        if merge and merge.loser.patient.modified <= plan.booked_at < merge.at:
            plan = amend(plan, person=merge.loser)
        renamed.append(plan)
    return renamed, list(merges.values())


def register_again(clinic: Clinic, plan: Plan) -> Merge:
    """The desk does not find the person and registers them anew, policies and all."""
    ids, survivor, at = clinic.ids, plan.person, plan.booked_at
    duplicate = replace(survivor.patient, id=ids.next("patient"), modified=at, registered_on=at.date())
    policies = tuple(
        replace(policy, id=ids.next("insurance"), patient_id=duplicate.id, modified=at)
        for policy in survivor.insurances
    )
    found_out = plan.starts_at + timedelta(days=clinic.rng.lognormvariate(2.6, 0.9))
    return Merge(Person(duplicate, policies), survivor, found_out)


def weekday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday() if day.weekday() > 4 else 0)


def next_moment(at: datetime, site: Site) -> tuple[date, time]:
    """The department's local day and time of a walk-in: the next five minutes."""
    local = at.astimezone(ZoneInfo(site.timezone)) + timedelta(minutes=5)
    return local.date(), time(local.hour, local.minute // 5 * 5)
