"""Fills an empty store with practices whose last 18 months have happened and whose next 3 weeks are booked.

Same seed, arguments and `as_of` give the same bytes. All is one transaction: a killed start begins afresh.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from random import Random

import msgspec

from integrations.sandbox.ledger import write_truth
from integrations.sandbox.population import sidelines
from integrations.sandbox.population.blueprints import PRACTICE_IDS, blueprint
from integrations.sandbox.population.clinics import hold_clinics
from integrations.sandbox.population.course import Clinic, Plan
from integrations.sandbox.population.episodes import tell_episodes
from integrations.sandbox.population.ids import Ids
from integrations.sandbox.population.merging import apply_merge, tell_merge
from integrations.sandbox.population.mishaps import MISHAPS
from integrations.sandbox.population.noise import PROFILES
from integrations.sandbox.population.pending import queue
from integrations.sandbox.population.people import Person, invent_person, invent_providers
from integrations.sandbox.population.planning import (
    draft,
    draw_start,
    pick_encounter,
    register_twice,
    weekday,
)
from integrations.sandbox.population.script import Script, fold
from integrations.sandbox.population.visit import tell
from integrations.sandbox.store import Store
from integrations.sandbox.world import Department, Practice, Thing

HISTORY = timedelta(days=548)
AHEAD = timedelta(days=21)
PREGNANCY = timedelta(days=240)  # so long before a birth the first visit may be
BEHIND = timedelta(days=45)
BATCH = 500  # scripts folded before they are written
OPEN_SLOTS = 40
PROGRESS_EVERY = 500  # visits


Progress = Callable[[str, int, int], None]  # practice, visits told, visits asked for


class Population(msgspec.Struct, frozen=True):
    """What a store was populated with; `life` continues in the same spirit."""

    seed: int
    visits: int
    profile: str
    practices: tuple[str, ...]
    as_of: datetime
    mishaps: str = "usual"


def populate(
    store: Store,
    *,
    seed: int,
    practices: int,
    visits: int,
    as_of: datetime,
    profile: str = "demo",
    mishaps: str = "usual",
    progress: Progress | None = None,
) -> None:
    """`visits` counts booked visits per practice over the history, whatever became of them."""
    if store.setting("population") is not None:
        return
    if not 1 <= practices <= len(PRACTICE_IDS):
        raise ValueError(f"practices must be 1 to {len(PRACTICE_IDS)}")
    about = Population(seed, visits, profile, PRACTICE_IDS[:practices], as_of, mishaps)
    with store.transaction():
        for practice in about.practices:
            rng = Random(f"{seed} {practice}")  # noqa: S311
            clinic = Clinic(
                practice, blueprint(practice), Ids(), rng, PROFILES[profile], as_of - BEHIND, MISHAPS[mishaps]
            )
            furnish(store, clinic, as_of)
            scripts = tell_all(clinic, visits, as_of)
            write(store, practice, counted(scripts, practice, visits, progress), as_of)
            clinic.ids.save(store, practice)
        store.set("population", msgspec.json.encode(about))
        store.set("life", msgspec.json.encode(as_of))


def furnish(store: Store, clinic: Clinic, as_of: datetime) -> None:
    """The practice itself: departments and providers, older than any visit."""
    opened = as_of - HISTORY - timedelta(days=400)
    store.put(
        clinic.practice,
        "practice",
        [Practice(id=clinic.practice, modified=opened, name=clinic.blueprint.name)],
    )
    departments = [
        Department(
            id=site.id,
            modified=opened,
            name=site.name,
            timezone=site.timezone,
            city=site.city,
            state=site.state,
            place_of_service=site.place_of_service,
            clinicals=site.clinicals,
        )
        for site in clinic.blueprint.sites
    ]
    store.put(clinic.practice, "department", departments)
    store.put(clinic.practice, "provider", invent_providers(clinic.rng, clinic.blueprint, opened))


def tell_all(clinic: Clinic, visits: int, as_of: datetime) -> Iterator[Script]:
    """Every script of a practice: its people, their visits as they come, and what happens beside."""
    rng, today = clinic.rng, as_of.date()
    people = [invent_patient(clinic, as_of) for _ in range(max(25, int(visits * 0.35)))]
    plans = draft(clinic, people, today - HISTORY, today, visits)
    plans += draft(clinic, people, today, today + AHEAD, round(visits * (AHEAD / HISTORY) * 1.3))
    plans += hold_clinics(clinic, people, today)
    plans, merges = register_twice(clinic, plans, clinic.noise.merges)
    losers = {merge.loser.patient.id: merge for merge in merges}
    of = defaultdict[str, list[Plan]](list)
    for plan in plans:
        of[plan.person.patient.id].append(plan)
    for person in people:
        yield sidelines.register(clinic, person, person.patient.modified, of[person.patient.id])
    for merge in merges:
        yield tell_merge(clinic, merge)
    for plan in plans:
        script = tell(clinic, plan)
        if plan.person.patient.id in losers:
            apply_merge(clinic, script, losers[plan.person.patient.id])
        yield script
    seen = [plan for plan in plans if plan.starts_at < as_of]
    asides = (  # beside visits, per visit
        (clinic.mishaps.outside_results, sidelines.outside_result),
        (clinic.mishaps.orders_only, sidelines.orders_only),
        (0.010, sidelines.rounds),
    )
    for share, tell_aside in asides:
        for plan in rng.sample(seen, min(len(seen), round(visits * share))):
            at = plan.starts_at + timedelta(days=rng.uniform(0, 40))
            script = tell_aside(clinic, plan.person, plan.clinician, plan.site, at)
            if found_out := losers.get(
                plan.person.patient.id
            ):  # all of it: FHIR finds nothing by the loser's id
                script.repoint(
                    found_out.loser.patient.id, found_out.survivor.patient.id, found_out.at, frozenset()
                )
            yield script
    for plan in rng.sample(seen, min(len(seen), max(1, round(visits * clinic.blueprint.stays)))):
        yield sidelines.stay(clinic, plan.person, plan.clinician, plan.site, plan.starts_at)
    of_patient = {plan.person.patient.id: plan for plan in seen if charts(plan)}  # one episode each
    charted = [plan for id, plan in of_patient.items() if id not in losers]
    cared_for = rng.sample(charted, min(len(charted), round(visits * clinic.noise.episodes)))
    since = today - HISTORY + PREGNANCY
    yield from tell_episodes(clinic, cared_for, since, today + timedelta(days=120))
    for _ in range(OPEN_SLOTS):
        clinician, site, _ = pick_encounter(clinic)
        day = weekday(today + timedelta(days=rng.randrange(1, AHEAD.days)))
        yield sidelines.open_slot(
            clinic, clinician, site, day, draw_start(clinic, site), as_of - timedelta(days=9)
        )


def charts(plan: Plan) -> bool:
    return plan.site.clinicals and plan.clinician.makes_encounters


def invent_patient(clinic: Clinic, as_of: datetime) -> Person:
    rng = clinic.rng
    registered = as_of - HISTORY - timedelta(days=rng.uniform(100, 380))
    return invent_person(clinic.ids, rng, clinic.blueprint, rng.choice(clinic.blueprint.sites), registered)


def write(store: Store, practice: str, scripts: Iterable[Script], as_of: datetime) -> None:
    """Fold scripts to `as_of`, in batches. Changed feeds are not retroactive: the past is not announced."""
    scripts = iter(scripts)
    while batch := [fold(script, as_of) for script in islice(scripts, BATCH)]:
        by_kind: dict[str, list[Thing]] = {}
        for folded in batch:
            for (kind, _), thing in folded.things.items():
                by_kind.setdefault(kind, []).append(thing)
        for kind, things in by_kind.items():
            store.put(practice, kind, things)
        write_truth(store, (row for folded in batch for row in folded.truth.values()))
        queue(store, practice, (step for folded in batch for step in folded.steps))


def counted(
    scripts: Iterator[Script], practice: str, visits: int, progress: Progress | None
) -> Iterator[Script]:
    done = 0
    for script in scripts:
        yield script
        if script.visit is not None:
            done += 1
            if progress and done % PROGRESS_EVERY == 0:
                progress(practice, done, visits)
