"""A hard practice at scale → the CSV set of docs/evaluation.md, with its truth, in seconds and without the sandbox.

`python -m bench.linkage.population DIR [--visits N] [--seed S] [--profile P]`. The shares of a profile are those of the
sandbox (`noise.PROFILES`), except that every encounter keeps its appointment: the set has no other place for one. On
top, in every profile: second visits of one patient and day, incident-to billing, split and recreated claims, visits
that bill nothing, episodes billed once, orphans near other visits, charts that were not exported, and claims keyed by
hand, which never had an id and are noisier than those whose id is hidden.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.population.noise import PROFILES, Noise

FIRST, DAYS = date(2025, 1, 6), 365
SITES = [
    ("d1", "America/New_York"),
    ("d2", "America/New_York"),
    ("d3", "America/Chicago"),
    ("d4", "America/Phoenix"),
]
PROVIDERS = 40
EXTENDERS = 10  # the last of them work under a physician
VISITS_A_PATIENT = 3.5
EVENING = 0.12  # of the visits begin when a UTC date is already tomorrow's in most zones
LEVELS = ("99212", "99213", "99213", "99213", "99214", "99214", "99215")
EXTRAS = tuple(
    f"{number}"
    for number in (36415, 81002, 93000, 90471, 87880, 96372, 20610, 11102, 94640, 85025, 80053, 71046)
)
CONDITIONS = tuple(f"{letter}{number}" for letter in "EFIJKLMNRZ" for number in range(10, 40))
FEES = {code: 40 + 7 * place for place, code in enumerate(sorted({*LEVELS, *EXTRAS}))}

SECOND_VISIT = 0.015  # same patient and day, another provider
UNCHARTED, SILENT, EPISODE = 0.01, 0.10, 0.01  # not exported; services not documented; a course billed once
UNBILLED, SPLIT, RECREATED = 0.06, 0.02, 0.005
ORPHAN = 0.01  # claims of no visit here, half of them near a visit of the same patient
BY_HAND = 0.06
INCIDENT_TO = 0.5  # of an extender's claims bill the physician
RECODED, ADDED, REDIAGNOSED = 0.04, 0.02, 0.05
HIDDEN, BY_HAND_REASON = "its id was hidden by the noise profile", "keyed by hand: it never had an id"


@dataclass(frozen=True, slots=True)
class Visit:
    id: str
    patient: str
    at: datetime  # with its zone
    zone: str
    site: str
    provider: int
    codes: tuple[str, ...]
    conditions: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.linkage.population", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--visits", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", choices=PROFILES, default="combined")
    options = parser.parse_args()
    write_set(options.directory, options.visits, options.seed, options.profile)


def write_set(directory: Path, visits: int, seed: int, profile: str) -> None:
    """Same arguments, same files."""
    rng, noise = Random(f"{seed} {profile}"), PROFILES[profile]  # noqa: S311
    directory.mkdir(parents=True, exist_ok=True)
    people = round(visits / VISITS_A_PATIENT)
    twice = {f"p{n}": f"q{n}" for n in range(people) if rng.random() < noise.merges}
    booked = draw_visits(rng, noise, visits, people)
    claims, charges, truths = [], [], []
    for claim in bill(rng, noise, booked, twice, people):
        lines = claim.pop("lines")
        encounter_id, reason = claim.pop("truth")
        claims.append(claim)
        truths.append(
            {"kind": "claim", "id": claim["claim_id"], "encounter_id": encounter_id, "reason": reason}
        )
        for number, (code, amount) in enumerate(lines):
            line_id = f"{claim['claim_id']}-{number}"
            charges.append(
                {
                    "charge_id": line_id,
                    "claim_id": claim["claim_id"],
                    "procedure_code": code,
                    "amount": amount,
                }
            )
            truths.append({"kind": "charge", "id": line_id, "encounter_id": encounter_id, "reason": reason})
    write(
        directory / "encounters.csv",
        (chart(rng, visit, twice) for visit in booked if rng.random() >= UNCHARTED),
    )
    write(directory / "claims.csv", iter(claims))
    write(directory / "charges.csv", iter(charges))
    write(directory / "truth.csv", iter(truths))
    write(
        directory / "merges.csv", ({"old_patient_id": old, "patient_id": new} for new, old in twice.items())
    )


def draw_visits(rng: Random, noise: Noise, visits: int, people: int) -> list[Visit]:
    conditions = [tuple(rng.sample(CONDITIONS, rng.randrange(1, 4))) for _ in range(people)]
    home = [rng.randrange(PROVIDERS) for _ in range(people)]
    zones = {zone: ZoneInfo(zone) for _, zone in SITES}
    found: list[Visit] = []
    while len(found) < visits:
        person = rng.randrange(people)
        day = FIRST + timedelta(days=rng.randrange(DAYS))
        provider = home[person] if rng.random() < 0.6 else rng.randrange(PROVIDERS)
        providers = [provider]
        if rng.random() < noise.twins:
            providers.append(provider)
        elif rng.random() < SECOND_VISIT:
            providers.append(rng.randrange(PROVIDERS))
        hours = [
            rng.randrange(17, 21) if rng.random() < EVENING else rng.randrange(8, 12),
            rng.randrange(13, 17),
        ]
        for one, hour in zip(providers, hours, strict=False):
            site, zone = SITES[one % len(SITES)]
            codes = (rng.choice(LEVELS), *(rng.sample(EXTRAS, rng.choice((0, 0, 0, 1, 1, 2)))))
            fresh = (rng.choice(CONDITIONS),) if rng.random() < 0.6 else ()
            chronic = tuple(code for code in conditions[person] if rng.random() < 0.5)
            at = datetime.combine(day, time(hour, rng.choice((0, 15, 30, 45))), zones[zone])
            found.append(
                Visit(
                    f"{len(found)}",
                    f"p{person}",
                    at,
                    zone,
                    site,
                    one,
                    codes,
                    fresh + chronic or conditions[person][:1],
                )
            )
    return found


def chart(rng: Random, visit: Visit, twice: dict[str, str]) -> dict[str, Any]:
    return {
        "encounter_id": f"e{visit.id}",
        "appointment_id": f"a{visit.id}",
        "patient_id": known_as(rng, visit.patient, twice),
        "service_start": visit.at.isoformat(),
        "timezone": visit.zone,
        "provider_id": f"dr{visit.provider}",
        "supervising_provider_id": supervisor(visit.provider),
        "department_id": visit.site,
        "class": "AMB",
        "procedure_codes": "" if rng.random() < SILENT else "|".join(visit.codes),
        "diagnosis_codes": "|".join(visit.conditions),
    }


def supervisor(provider: int) -> str:
    return f"dr{provider - EXTENDERS}" if provider >= PROVIDERS - EXTENDERS else ""


def known_as(rng: Random, patient: str, twice: dict[str, str]) -> str:
    return twice[patient] if patient in twice and rng.random() < 0.5 else patient


def bill(
    rng: Random, noise: Noise, visits: list[Visit], twice: dict[str, str], people: int
) -> Iterator[dict[str, Any]]:
    """Claims with their charge `lines` and their `truth`: encounter id, and why it is hard."""
    numbers = count()
    episode: set[str] = set()  # patients whose next visit is part of a course that is billed already
    for visit in visits:
        if visit.patient in episode:
            episode.discard(visit.patient)
            continue
        if rng.random() < UNBILLED:
            continue
        if rng.random() < EPISODE:
            episode.add(visit.patient)
        parts = [visit.codes]
        if len(visit.codes) > 1 and rng.random() < SPLIT:
            parts = [visit.codes[:1], visit.codes[1:]]
        elif rng.random() < RECREATED:
            parts = [visit.codes, visit.codes]
        for codes in parts:
            by_hand, hidden = rng.random() < BY_HAND, rng.random() < noise.claim_without_id
            yield claim_of(
                rng, noise, f"c{next(numbers)}", visit, codes, twice, by_hand=by_hand, hidden=hidden
            )
    for _ in range(round(len(visits) * ORPHAN)):
        yield orphan(rng, f"c{next(numbers)}", rng.choice(visits), people)


def claim_of(
    rng: Random,
    noise: Noise,
    id: str,
    visit: Visit,
    codes: tuple[str, ...],
    twice: dict[str, str],
    *,
    by_hand: bool,
    hidden: bool,
) -> dict[str, Any]:
    """What is keyed by hand slips more often, and never says the department it does not know."""
    messy = 2 if by_hand else 1
    billed, day, site = visit.provider, visit.at.date(), visit.site
    if supervisor(billed) and rng.random() < INCIDENT_TO:
        billed -= EXTENDERS
    if noise.utc_dates:
        day = visit.at.astimezone(UTC).date()
    if rng.random() < noise.substitution * messy:
        billed = rng.randrange(PROVIDERS)
    if rng.random() < noise.date_slip * messy:
        day += timedelta(days=rng.choice((-1, 1)))
    if rng.random() < noise.wrong_department * messy:
        site = rng.choice(SITES)[0]
    if rng.random() < (0.5 if by_hand else noise.wrong_department * 2):
        site = ""
    if rng.random() < RECODED * messy and codes[0] in LEVELS:
        codes = (rng.choice(LEVELS), *codes[1:])
    if rng.random() < ADDED * messy:
        codes = (*codes, rng.choice(EXTRAS))
    conditions = visit.conditions[: rng.randrange(1, 4)]
    if rng.random() < REDIAGNOSED * messy:
        conditions = (*conditions[1:], rng.choice(CONDITIONS))
    named = not (by_hand or hidden)
    return {
        "claim_id": id,
        "patient_id": known_as(rng, visit.patient, twice),
        "service_date": day.isoformat(),
        "billed_provider_id": f"dr{billed}",
        "department_id": site,
        "appointment_id": f"a{visit.id}" if named else "",
        "amount": sum(FEES[code] for code in codes),
        "procedure_codes": "|".join(codes),
        "diagnosis_codes": "|".join(conditions),
        "lines": [(code, FEES[code]) for code in codes],
        "truth": (f"e{visit.id}", BY_HAND_REASON if by_hand else HIDDEN if hidden else ""),
    }


def orphan(rng: Random, id: str, near: Visit, people: int) -> dict[str, Any]:
    """Hospital rounds and the like. The day is one of a patient who was here about then, or of nobody's."""
    close = rng.random() < 0.5
    codes = (rng.choice(LEVELS),)
    day = near.at.date() + timedelta(days=rng.randrange(-3, 4) if close else rng.randrange(DAYS))
    return {
        "claim_id": id,
        "patient_id": near.patient if close else f"p{rng.randrange(people)}",
        "service_date": day.isoformat(),
        "billed_provider_id": f"dr{rng.randrange(PROVIDERS)}",
        "department_id": "",
        "appointment_id": "",
        "amount": FEES[codes[0]],
        "procedure_codes": codes[0],
        "diagnosis_codes": rng.choice(CONDITIONS),
        "lines": [(codes[0], FEES[codes[0]])],
        "truth": ("", "hospital rounds"),
    }


def write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows, None)
    if first is None:
        path.unlink(missing_ok=True)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
