"""A visit with a gap → the dollars to expect from it, and which estimator said so (revenue-cycle.md §2.0).

E1 open balance of the claim; E2 its charges × the share the practice is paid; E3 documented services × what this payer
allows for each, else what each is paid; E4 the median visit like it; E5 what this payer usually allows less what it
allowed; E6 count only. Expected dollars, never gross; not multiplied by any
guess of loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from athena_dash.correlation.visit_facts import VisitFacts

CENT = Decimal("0.01")
NOTHING: Mapping[str, Decimal] = {}


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """Medians of the practice's own settled claims. `by_visit` is keyed by "type|provider", "type", "" (all);
    `allowed`, what a payer allows for a procedure, by payer's name and procedure."""

    ratio: Decimal
    by_procedure: Mapping[str, Decimal] = NOTHING
    by_visit: Mapping[str, Decimal] = NOTHING
    allowed: Mapping[str, Mapping[str, Decimal]] = {}


class Estimate(msgspec.Struct, frozen=True):
    dollars: Decimal | None
    estimator: str


NO_DOLLARS = Estimate(None, "E6")
LIABILITIES = (
    "G20",
    "G41",
)  # money to give back: shown in words, never offset against what is expected (§2.4 G41)


def estimate(code: str, visit: VisitFacts, learned: Learned, show_rate: float) -> Estimate:
    """G01's visit may not have happened at all: its dollars are those of a visit × the practice's show rate."""
    if code == "G01":
        return _scaled(of_visit(visit, learned), Decimal(str(show_rate)))
    if code in LIABILITIES or visit.episode:  # its dollars are counted with the claim that pays for it
        return NO_DOLLARS
    if code == "G22":
        return of_void(visit, learned)
    if code == "G44":
        return of_charges(visit, learned)
    if visit.live_claims:
        return of_claims(visit, learned)
    return of_services(visit, learned) or of_visit(visit, learned)


def of_claims(visit: VisitFacts, learned: Learned) -> Estimate:
    balances = [claim.outstanding for claim in visit.live_claims]
    if all(balance is not None for balance in balances):
        open_balance = sum((balance for balance in balances if balance), Decimal(0))
        return Estimate(open_balance.quantize(CENT), "E1")
    return of_charges(visit, learned)


def of_charges(visit: VisitFacts, learned: Learned) -> Estimate:
    charged = sum((claim.charged for claim in visit.live_claims), Decimal(0))
    return Estimate((charged * learned.ratio).quantize(CENT), "E2")


def of_void(visit: VisitFacts, learned: Learned) -> Estimate:
    """The charges of the newest void as they stood before it was reversed."""
    newest = max(visit.claims, key=lambda claim: (claim.created_on is not None, claim.created_on, claim.id))
    charged = sum((line.amount for line in newest.lines if line.amount > 0), Decimal(0))
    return Estimate((charged * learned.ratio).quantize(CENT), "E2")


def of_services(visit: VisitFacts, learned: Learned) -> Estimate | None:
    """None unless every billable service has a price of its own: half a sum would look like a whole one."""
    prices = [
        visit.usual.get(service.procedure_code, learned.by_procedure.get(service.procedure_code))
        for service in visit.billable_services
    ]
    if not prices or any(price is None for price in prices):
        return None
    return Estimate(sum((price for price in prices if price), Decimal(0)).quantize(CENT), "E3")


def of_visit(visit: VisitFacts, learned: Learned) -> Estimate:
    """Backs off from type and provider to type to the whole practice."""
    for key in (f"{visit.visit_type}|{visit.provider_id}", visit.visit_type, ""):
        if key in learned.by_visit:
            return Estimate(learned.by_visit[key].quantize(CENT), "E4")
    return NO_DOLLARS


def _scaled(whole: Estimate, share: Decimal) -> Estimate:
    if whole.dollars is None:
        return whole
    return Estimate((whole.dollars * share).quantize(CENT), whole.estimator)
