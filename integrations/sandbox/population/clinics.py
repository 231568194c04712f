"""A department's clinics, the same weekday every week, slot by slot; and the last one, when nobody enters what one of
its providers did.

Only so are there visits enough of one provider on one day, before, and beside them for their absence to stand out (D6).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from integrations.sandbox.population.blueprints import Clinician, Site
from integrations.sandbox.population.course import Clinic, Plan
from integrations.sandbox.population.office import instant
from integrations.sandbox.population.people import Person
from integrations.sandbox.population.planning import NEW_PATIENTS, weekday

WEEK = timedelta(days=7)
NOTICE = timedelta(days=30)
HELD = 4  # on as many days
BEGINNINGS = [time(hour, minute) for hour in (8, 9, 10, 13, 14, 15) for minute in (0, 30)]


def hold_clinics(clinic: Clinic, people: list[Person], today: date) -> Iterator[Plan]:
    """One department's, as often as charges stop."""
    rng = clinic.rng
    for _ in range(clinic.mishaps.charges_stop):
        site, colleagues = rng.choice(shared_sites(clinic))
        stopped = rng.choice(colleagues)
        last = weekday(today - timedelta(days=rng.randrange(10, 24)))
        slots = [(clinician, start) for clinician in colleagues for start in BEGINNINGS]
        for week in range(HELD):
            day = last - week * WEEK
            for (clinician, start), person in zip(slots, patients(clinic, people, site, day), strict=False):
                charged = week > 0 or clinician is not stopped
                yield book(clinic, person, clinician, site, day, start, charged)


def patients(clinic: Clinic, people: list[Person], site: Site, day: date) -> list[Person]:
    """In any order, each once: those who were registered before anybody was booked."""
    opening = instant(day, BEGINNINGS[0], ZoneInfo(site.timezone))
    known = [person for person in people if person.patient.modified < opening - NOTICE]
    return clinic.rng.sample(known, len(known))


def shared_sites(clinic: Clinic) -> list[tuple[Site, list[Clinician]]]:
    clinicians = clinic.blueprint.clinicians
    staff = [(site, [one for one in clinicians if site.id in one.sites]) for site in clinic.blueprint.sites]
    return [(site, colleagues) for site, colleagues in staff if len(colleagues) > 1]


def book(
    clinic: Clinic, person: Person, clinician: Clinician, site: Site, day: date, start: time, charged: bool
) -> Plan:
    types = [type for type in clinician.visit_types if type.id not in NEW_PATIENTS]
    return Plan(
        person=person,
        clinician=clinician,
        site=site,
        type=clinic.rng.choice(types),
        day=day,
        start=start,
        booked_at=instant(day, start, ZoneInfo(site.timezone)) - NOTICE * clinic.rng.uniform(0.1, 1),
        charged=charged,
    )
