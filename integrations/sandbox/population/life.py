"""Lets time pass in a populated store: people book, come, are signed, billed and paid, on the real calendar.

`advance` foresees what newly begins since the last time (scripts, queued whole in one transaction with the
clock) and then plays every step that is due. Killed anywhere, it neither repeats nor forgets.
"""

from __future__ import annotations

from dataclasses import replace as amend
from datetime import UTC, datetime, time, timedelta
from random import Random

import msgspec

from integrations.sandbox.population import sidelines
from integrations.sandbox.population.blueprints import blueprint
from integrations.sandbox.population.course import Clinic, Plan
from integrations.sandbox.population.ids import Ids
from integrations.sandbox.population.merging import apply_merge, tell_merge
from integrations.sandbox.population.mishaps import MISHAPS
from integrations.sandbox.population.noise import PROFILES
from integrations.sandbox.population.office import is_open
from integrations.sandbox.population.pending import play, queue
from integrations.sandbox.population.people import Person, invent_person
from integrations.sandbox.population.planning import (
    NEW_PATIENTS,
    draw_notice,
    draw_start,
    next_moment,
    pick_encounter,
    register_again,
    weekday,
)
from integrations.sandbox.population.populate import AHEAD, BEHIND, HISTORY, Population
from integrations.sandbox.population.script import Script, fold
from integrations.sandbox.population.visit import tell
from integrations.sandbox.store import Store
from integrations.sandbox.world import Appointment, Insurance, Patient

SAME_DAY = 0.4  # share of new visits that walk in or call for today
AFTER_HOURS = 0.35  # share of those that somebody still sees when the office is closed
SLOTS_A_DAY = 2
NEVER = datetime.min.replace(tzinfo=UTC)

# What happens beside visits, per new visit.
ASIDES = (
    (0.30, sidelines.moved_address),
    (0.02, sidelines.outside_result),
    (0.02, sidelines.orders_only),
    (0.01, sidelines.rounds),
)


def advance(store: Store, now: datetime, speed: float, rng: Random) -> int:
    """What happened since the last advance, up to `now`; how many records changed.

    `speed` multiplies how much newly begins: 1 is a practice of this size, 60 a lively demo; at 0 nothing begins,
    and what is under way goes on.
    """
    left_over = play(store, lived_until(store))  # by an advance that was killed
    if speed > 0:
        begin_new(store, now, speed, rng)
    return left_over + play(store, now)


def lived_until(store: Store) -> datetime:
    life = store.setting("life")
    if life is None:
        raise LookupError("this sandbox has no generated population to bring to life")
    return msgspec.json.decode(life, type=datetime)


def begin_new(store: Store, now: datetime, speed: float, rng: Random) -> None:
    population = msgspec.json.decode(store.setting("population") or b"null", type=Population)
    with store.transaction():
        last = lived_until(store)
        if now <= last:
            return
        for practice in population.practices:
            foresee(store, population, practice, last, now, speed, rng)
        store.set("life", msgspec.json.encode(now))


def foresee(
    store: Store,
    population: Population,
    practice: str,
    last: datetime,
    now: datetime,
    speed: float,
    rng: Random,
) -> None:
    """Queue the scripts of what begins in a practice between two instants, as a Poisson process."""
    daily = population.visits / HISTORY.days * speed
    clinic = Clinic(
        practice,
        blueprint(practice),
        Ids.load(store, practice),
        rng,
        PROFILES[population.profile],
        population.as_of - BEHIND,
        MISHAPS[population.mishaps],
    )
    slots = open_slots(store, practice, now)
    scripts = release_slots(clinic, last, now)
    at = last
    while (at := at + timedelta(days=rng.expovariate(daily))) <= now:
        scripts += begin_at(store, clinic, slots, at)
    for script in scripts:
        queue(store, practice, fold(script, NEVER).steps)
    clinic.ids.save(store, practice)


def begin_at(store: Store, clinic: Clinic, slots: list[Appointment], at: datetime) -> list[Script]:
    """A new visit, perhaps of a new patient, and now and then something beside it."""
    rng = clinic.rng
    clinician, site, type = pick_encounter(clinic)
    scripts: list[Script] = []
    if type.id in NEW_PATIENTS:
        person = invent_person(clinic.ids, rng, clinic.blueprint, site, at)
        scripts.append(sidelines.register(clinic, person, at))
    else:
        person = somebody(store, clinic)
    day, start = next_moment(at, site)
    plan = Plan(person=person, clinician=clinician, site=site, type=type, day=day, start=start, booked_at=at)
    here = is_open(at, plan.zone) or rng.random() < AFTER_HOURS
    if not (here and rng.random() < SAME_DAY):
        plan = book_ahead(clinic, slots, plan)
    if type.id not in NEW_PATIENTS and rng.random() < clinic.noise.merges:
        scripts += tell_twice_registered(clinic, plan)
    else:
        scripts += [sidelines.cover_asked(clinic, plan), tell(clinic, plan)]
    lot = rng.random()
    for share, tell_aside in ASIDES:
        lot -= share
        if lot < 0:
            other = somebody(store, clinic)
            scripts.append(tell_aside(clinic, other, clinician, site, at))
            break
    return scripts


def tell_twice_registered(clinic: Clinic, plan: Plan) -> list[Script]:
    """The visit of somebody whom the desk registered again, and the merge when that is found out."""
    merge = register_again(clinic, plan)
    script = tell(clinic, amend(plan, person=merge.loser))
    apply_merge(clinic, script, merge)
    return [tell_merge(clinic, merge), script]


def book_ahead(clinic: Clinic, slots: list[Appointment], plan: Plan) -> Plan:
    """Take an open slot of that clinician, which is then gone, or any later time."""
    for slot in slots:
        if slot.provider_id == plan.clinician.id and clinic.rng.random() < 0.5:
            slots.remove(slot)
            site = clinic.blueprint.by_site[slot.department_id]
            return amend(plan, site=site, day=slot.day, start=slot.start, slot=slot.id)
    day = weekday(plan.day + timedelta(days=1) + draw_notice(clinic))
    return amend(plan, day=day, start=draw_start(clinic, plan.site))


def open_slots(store: Store, practice: str, now: datetime) -> list[Appointment]:
    """Slots nobody holds, from tomorrow on."""
    tomorrow = (now + timedelta(days=1)).date().isoformat()
    slots = store.find(practice, "appointment", "patient_id is null and day > ?", (tomorrow,))
    return [slot for slot in slots if isinstance(slot, Appointment) and slot.status == "o"]


def release_slots(clinic: Clinic, last: datetime, now: datetime) -> list[Script]:
    """Each midnight the schedule opens one more day."""
    scripts = []
    for days in range((now.date() - last.date()).days):
        midnight = datetime.combine(last.date() + timedelta(days=days + 1), time(0), UTC)
        for _ in range(SLOTS_A_DAY):
            clinician, site, _ = pick_encounter(clinic)
            day = weekday(midnight.date() + AHEAD)
            start = draw_start(clinic, site)
            scripts.append(sidelines.open_slot(clinic, clinician, site, day, start, midnight))
    return scripts


def somebody(store: Store, clinic: Clinic) -> Person:
    """A patient of the practice, drawn by chance, with their insurances as they are now."""
    sql = "select id from thing where practice=? and kind='patient' order by id"
    ids = [id for (id,) in store.db.execute(sql, (clinic.practice,))]
    patient = store.get(clinic.practice, "patient", clinic.rng.choice(ids))
    while not isinstance(patient, Patient) or patient.merged_into is not None:
        patient = store.get(clinic.practice, "patient", clinic.rng.choice(ids))
    policies = store.find(clinic.practice, "insurance", "patient_id=?", (patient.id,))
    insured = [policy for policy in policies if isinstance(policy, Insurance)]
    return Person(patient, tuple(sorted(insured, key=lambda policy: policy.sequence)[:2]))
