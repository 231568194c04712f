"""How long people and payers take: delays drawn from mixtures of log-normals, with a share that never comes.

The numbers are habits of the simulated people. No rule's grace period or threshold appears here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import log
from random import Random


@dataclass(frozen=True)
class Lag:
    """`parts` are (weight, median hours, spread); `never` is the share that stays undone for good."""

    parts: tuple[tuple[float, float, float], ...]
    never: float = 0.0

    def draw(self, rng: Random, strain: float = 0.0, forgotten: float = 1.0) -> timedelta | None:
        """`strain` is the share of work that waits like the slowest part, because somebody is behind; `forgotten` how
        many times as much as usual is never done."""
        if rng.random() < self.never * forgotten:
            return None
        weights = [weight for weight, _, _ in self.parts]
        _, median, spread = self.parts[-1] if rng.random() < strain else rng.choices(self.parts, weights)[0]
        return timedelta(seconds=round(3600 * rng.lognormvariate(log(median), spread)))

    def surely(self, rng: Random) -> timedelta:
        """A delay for what always happens in the end."""
        return Lag(self.parts).draw(rng) or timedelta(0)


DAY = 24.0

# Front desk
ARRIVAL_NOTED_LATE = Lag(((0.6, 5, 0.7), (0.4, 8 * DAY, 0.9)))  # checked in after the fact
NO_SHOW_NOTED = Lag(((0.45, 1.5, 0.7), (0.25, 20, 0.5), (0.30, 13 * DAY, 0.9)), never=0.06)
CHECK_OUT = Lag(((0.91, 0.12, 0.6), (0.04, 4, 0.8), (0.05, 10 * DAY, 1.0)), never=0.004)
SLOPPY_CHECK_OUT = Lag(((0.73, 0.3, 0.7), (0.12, 9, 0.8), (0.15, 11 * DAY, 1.0)), never=0.008)

LEFT_NOTED = Lag(((0.5, 6, 0.8), (0.5, 7 * DAY, 0.8)), never=0.2)
NO_SHOW_CHARGED = Lag(((0.7, 20, 0.8), (0.3, 8 * DAY, 0.8)), never=0.12)

# Providers
SIGN_PROMPT = Lag(((0.85, 0.8, 1.0), (0.12, 16, 0.7), (0.03, 4 * DAY, 0.8)), never=0.001)
SIGN_USUAL = Lag(((0.60, 2.0, 1.0), (0.30, 22, 0.7), (0.14, 9 * DAY, 0.9)), never=0.003)
SIGN_LATE = Lag(((0.20, 5, 0.8), (0.50, 2.5 * DAY, 0.6), (0.30, 16 * DAY, 0.8)), never=0.006)
COSIGN = Lag(((0.7, 20, 0.9), (0.3, 4 * DAY, 0.8)), never=0.02)
READDENDUM = Lag(((0.7, 6, 0.9), (0.3, 5 * DAY, 0.9)), never=0.05)

# Charge entry
CHARGE = Lag(((0.75, 5, 0.9), (0.13, 40, 0.6), (0.12, 14 * DAY, 0.9)), never=0.005)
CHARGE_SURGICAL = Lag(((0.6, 26, 0.6), (0.32, 3 * DAY, 0.5), (0.12, 16 * DAY, 0.8)), never=0.005)
SLIP_FORGOTTEN = Lag(((0.5, 9 * DAY, 0.8), (0.5, 32 * DAY, 0.8)), never=0.15)
CHARGE_WITHOUT_VISIT = Lag(((0.6, 20, 0.8), (0.4, 9 * DAY, 0.9)), never=0.15)
REPLACEMENT = Lag(((0.86, 0.1, 0.8), (0.14, 30, 1.0)))

# Billing desk and payers
HOLD = Lag(((0.52, 18, 0.9), (0.26, 5 * DAY, 0.7), (0.24, 26 * DAY, 0.8)), never=0.03)
MANAGER_HOLD = Lag(((0.45, 2.5 * DAY, 0.8), (0.35, 8 * DAY, 0.6), (0.20, 38 * DAY, 0.7)), never=0.05)
VENDOR_HOLD = Lag(((1.0, 4 * DAY, 0.8),), never=0.02)
DENIAL_WORKED = Lag(((0.5, 5 * DAY, 0.8), (0.5, 26 * DAY, 0.8)), never=0.05)
STUCK_BATCH = Lag(((1.0, 9 * DAY, 0.6),))
SECOND_FORGOTTEN = Lag(((1.0, 35 * DAY, 0.7),), never=0.3)
LATE_CHARGE = Lag(((1.0, 12 * DAY, 0.7),))
CORRECTED = Lag(((1.0, 20 * DAY, 0.9),), never=0.4)
GIVEN_UP = Lag(((1.0, 90 * DAY, 0.3),))
GIVEN_UP_CLOSED = Lag(((1.0, 25 * DAY, 0.8),), never=0.3)
REJECTION = Lag(((1.0, 30, 0.5),))
SECOND_PAYER = Lag(((1.0, 17 * DAY, 0.4),), never=0.01)
PATIENT_PAYS = Lag(((0.3, 0.5 * DAY, 1.0), (0.7, 26 * DAY, 0.7)), never=0.14)
OVERPAYMENT_RETURNED = Lag(((1.0, 40 * DAY, 0.6),), never=0.15)

# Results
RESULT = Lag(((0.6, 22, 0.5), (0.4, 3 * DAY, 0.5)))
RESULT_TIED = Lag(((0.55, 5, 1.1), (0.25, 2.5 * DAY, 0.7), (0.20, 20 * DAY, 0.8)), never=0.12)
