"""Noise profiles: what makes a claim hard to tie to its visit, applied as records are written.

`demo`          only what nature does: ids are missing where a cause says so; 1 % twins, 1 % merges.
`clean`         30 % of claims lose their appointment id; nothing else is wrong. The yardstick for the others.
`zone`          clean, and every claim's and encounter's date is the UTC date, not the department's.
`substitution`  clean, and 10 % of claims bill another provider than the one seen.
`merges`        clean, and 6 % of patients were registered twice and merged later.
`combined`      30 % of claims without id, UTC dates, 8 % substitution, 5 % claim dates off by a day,
                5 % merges, 5 % wrong departments, 2 % same-day twins.
`episodes`      30 % of claims without id, 5 % substitution, 3 % merges, and care that is billed once for
                many visits (episodes.py), an episode for every fifteen visits.
`hostile`       60 % of claims and 10 % of encounters without id, UTC dates, 20 % substitution, 15 % claim
                dates off by a day, 10 % wrong departments, 8 % merges, 10 % twins.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as amend
from datetime import UTC, date, datetime, timedelta
from random import Random

from msgspec.structs import replace

from integrations.sandbox.world import Appointment, Claim, Encounter, Thing


@dataclass(frozen=True)
class Noise:
    """Shares of visits (merges: of patients) that suffer each kind of noise."""

    claim_without_id: float = 0.0
    encounter_without_id: float = 0.0
    utc_dates: bool = False
    substitution: float = 0.0
    date_slip: float = 0.0
    wrong_department: float = 0.0
    merges: float = 0.01
    twins: float = 0.01
    episodes: float = 0.0


PROFILES = {
    "demo": Noise(),
    "clean": Noise(claim_without_id=0.30, merges=0, twins=0),
    "zone": Noise(claim_without_id=0.30, utc_dates=True, merges=0, twins=0),
    "substitution": Noise(claim_without_id=0.30, substitution=0.10, merges=0, twins=0),
    "merges": Noise(claim_without_id=0.30, merges=0.06, twins=0),
    "combined": Noise(
        claim_without_id=0.30,
        utc_dates=True,
        substitution=0.08,
        date_slip=0.05,
        wrong_department=0.05,
        merges=0.05,
        twins=0.02,
    ),
    "episodes": Noise(claim_without_id=0.30, substitution=0.05, merges=0.03, episodes=0.07),
    "hostile": Noise(
        claim_without_id=0.60,
        encounter_without_id=0.10,
        utc_dates=True,
        substitution=0.20,
        date_slip=0.15,
        wrong_department=0.10,
        merges=0.08,
        twins=0.10,
    ),
}


@dataclass(frozen=True)
class Disguise:
    """What one visit's records pretend, instead of what is true of it."""

    hide_claim: bool = False
    hide_encounter: bool = False
    utc_day: date | None = None
    slip: int = 0
    billed_provider_id: str | None = None
    department_id: str | None = None

    def on(self, start: datetime) -> Disguise:
        """The same disguise for a visit that moved to another instant."""
        return amend(self, utc_day=start.astimezone(UTC).date()) if self.utc_day else self

    def dress(self, thing: Thing) -> Thing:
        if isinstance(thing, Claim):
            return replace(
                thing,
                appointment_id=None if self.hide_claim else thing.appointment_id,
                service_day=(self.utc_day or thing.service_day) + timedelta(days=self.slip),
                billed_provider_id=self.billed_provider_id or thing.billed_provider_id,
                department_id=self.department_id or thing.department_id,
            )
        if isinstance(thing, Encounter):
            return replace(
                thing,
                appointment_id=None if self.hide_encounter else thing.appointment_id,
                day=self.utc_day or thing.day,
            )
        if isinstance(thing, Appointment) and self.hide_encounter:
            return replace(thing, encounter_id=None)
        return thing

    def hides(self, thing: Thing) -> bool:
        """Whether the thing's natural id is gone, though it had one."""
        if isinstance(thing, Claim):
            return self.hide_claim and thing.appointment_id is not None
        return isinstance(thing, Encounter) and self.hide_encounter and thing.appointment_id is not None


PLAIN = Disguise()


def disguise(
    noise: Noise, rng: Random, start: datetime, other_providers: list[str], other_departments: list[str]
) -> Disguise:
    return Disguise(
        hide_claim=rng.random() < noise.claim_without_id,
        hide_encounter=rng.random() < noise.encounter_without_id,
        utc_day=start.astimezone(UTC).date() if noise.utc_dates else None,
        slip=rng.choice((-1, 1)) if rng.random() < noise.date_slip else 0,
        billed_provider_id=_one(rng, other_providers, noise.substitution),
        department_id=_one(rng, other_departments, noise.wrong_department),
    )


def _one(rng: Random, others: list[str], share: float) -> str | None:
    return rng.choice(others) if rng.random() < share and others else None
