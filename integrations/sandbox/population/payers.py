"""Invented payers and their manners: how fast they answer, how often they deny, what share they allow."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.sandbox.population.lag import DAY, Lag


@dataclass(frozen=True)
class Payer:
    package_id: str
    name: str  # athena's ircname
    plan: str
    type: str
    share: float
    answers: Lag
    denies: float
    allows: float  # share of the fee


def _answers(median_days: float, never: float) -> Lag:
    return Lag(((0.88, median_days * DAY, 0.3), (0.12, 2.0 * median_days * DAY, 0.4)), never=never)


PAYERS = tuple(
    Payer(*row[:5], _answers(row[5], row[6]), *row[7:])
    for row in (
        # package, name, plan, type, share, median days, never answers, denies, allows
        ("10111", "Bluestem Mutual", "Bluestem Choice PPO", "Commercial", 0.22, 13, 0.003, 0.06, 0.64),
        ("10112", "Harborline Health", "Harborline HMO Silver", "Commercial", 0.16, 18, 0.006, 0.10, 0.55),
        ("10113", "Northgate Assurance", "Northgate Open Access", "Commercial", 0.12, 16, 0.006, 0.07, 0.60),
        ("10200", "Medicare Part B", "Medicare Part B", "Medicare Part B", 0.24, 15, 0.002, 0.04, 0.48),
        (
            "10201",
            "Sagebrush",
            "Sagebrush Gold",
            "Medicare Advantage",
            0.10,
            20,
            0.02,
            0.11,
            0.47,
        ),
        ("10300", "State Medicaid Plan", "Medicaid Managed Care", "Medicaid", 0.12, 22, 0.010, 0.13, 0.34),
        ("10400", "Quarry Workers Fund", "Quarry Injury Plan", "Workers Comp", 0.04, 32, 0.03, 0.15, 0.70),
    )
)
SUPPLEMENTS = (
    ("10501", "Lantern Supplement", "Lantern Plan G", "Medicare Supplement"),
    ("10502", "Tidewater Secondary", "Tidewater Family Rider", "Commercial"),
)
BY_PACKAGE = {payer.package_id: payer for payer in PAYERS}

# Why a claim is held, rejected or denied: (weight, words in the claim note)
HOLD_NOTES = (
    (0.4, "Member id does not match the payer's records"),
    (0.3, "Diagnosis does not support the procedure"),
    (0.2, "Modifier may be missing"),
    (0.1, "Place of service conflicts with the department"),
)
MANAGER_HOLD_NOTES = (
    (0.5, "Rendering provider is not enrolled with this payer"),
    (0.3, "Policy decision needed before billing"),
    (0.2, "Refund requested by the payer"),
)
REJECTION_NOTES = (
    (0.6, "REJECTED by clearinghouse: subscriber not found"),
    (0.4, "REJECTED by payer front end: invalid provider number"),
)
DENIAL_NOTES = (
    (0.35, "DENIED: coverage was not active on the date of service"),
    (0.25, "DENIED: authorization is absent"),
    (0.25, "DENIED: information is missing, see remark"),
    (0.15, "DENIED: included in another service"),
)
