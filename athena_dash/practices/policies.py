"""What ships as the default for every rule, with its source, and what one practice has changed of it.

`policy(practice, "grace_hours.G13")` answers for a screen; `Policies` is the whole set, frozen, for the
rules. Grace and SLA are hours of business days (Saturdays, Sundays and the practice's closed days do not
count).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from athena_dash.practices.filing import Terms
from athena_dash.practices.packages import Package, table_of, waits_of

if TYPE_CHECKING:
    from athena_dash.practices.models import Practice

DAY = 24


@dataclass(frozen=True, slots=True)
class RuleDefault:
    """Shipped numbers of one gap code. Source: revenue-cycle.md §2, whose own sources stand in brackets."""

    grace_hours: float
    sla_hours: float
    owner: str
    source: str


RULE_DEFAULTS: Mapping[str, RuleDefault] = {
    "G01": RuleDefault(0, DAY, "front desk", "§2.1 G01: end of day, solved next business morning"),
    "G02": RuleDefault(3 * DAY, 2 * DAY, "front desk", "§2.1 G02: no patient charge in 3 days"),
    "G03": RuleDefault(4, DAY, "clinical staff", "§2.1 G03: 4 h after the start, or day end"),
    "G04": RuleDefault(DAY, DAY, "front desk", "§2.1 G04: more than 24 h"),
    "G05": RuleDefault(4, DAY, "front desk", "§2.1 G05: more than 4 h; one business day to solve"),
    "G06": RuleDefault(0, DAY, "front desk", "§2.1 G06: from 3 business days before the visit"),
    "G07": RuleDefault(0, 2 * DAY, "front desk", "§2.1 G07: nothing by the day after; 2 days to solve"),
    "G08": RuleDefault(DAY, 2 * DAY, "front desk", "§2.1 G08"),
    "G11": RuleDefault(DAY, 2 * DAY, "provider", "§2.2 G11: warn after 24 h, breach after 72 h"),
    "G12": RuleDefault(3 * DAY, 2 * DAY, "supervising provider", "§2.2 G12: in review more than 3 days"),
    "G13": RuleDefault(
        DAY, 2 * DAY, "charge entry", "§2.2 G13: charge entry within 24 h [athena batch header]"
    ),
    "G14": RuleDefault(1, DAY, "integration", "§2.2 G14: one business day"),
    "G15": RuleDefault(2 * DAY, 2 * DAY, "coder", "§2.2 G15: more than 2 days"),
    "G16": RuleDefault(3 * DAY, 2 * DAY, "coder", "§2.2 G16: no matching code by day 3"),
    "G17": RuleDefault(
        DAY, 2 * DAY, "clinical staff", "§2.2 G17: hold 24 h, late arrival heals itself; 2 days"
    ),
    "G18": RuleDefault(DAY, 5 * DAY, "billing manager", "§2.2 G18"),
    "G20": RuleDefault(1, 2 * DAY, "biller", "§2.2 G20"),
    "G21": RuleDefault(DAY, 2 * DAY, "biller", "§2.2 G21: posted more than 3 days after the service"),
    "G22": RuleDefault(2 * DAY, DAY, "biller", "§2.2 G22: no successor in 2 business days"),
    "G23": RuleDefault(DAY, DAY, "integration", "§2.2 G23: no claim more than 24 h"),
    "G24": RuleDefault(2 * DAY, 2 * DAY, "biller", "§2.3 G24: HOLD 2 days [athena daily best practice]"),
    "G25": RuleDefault(10 * DAY, 5 * DAY, "biller", "§2.3 G25: 10 business days"),
    "G26": RuleDefault(2 * DAY, DAY, "biller", "§2.3 G26: DROP more than 2 business days"),
    "G27": RuleDefault(2 * DAY, DAY, "biller", "§2.3 G27: no resubmission in 2 days"),
    "G29": RuleDefault(15 * DAY, 5 * DAY, "payer", "§2.3 G29: 21 calendar days = 15 business days [Kareo]"),
    "G31": RuleDefault(0, 5 * DAY, "billing manager", "§2.3 G31: 30 days before the filing limit"),
    "G33": RuleDefault(3 * DAY, 2 * DAY, "biller", "§2.4 G33: nothing done in 3 business days"),
    "G34": RuleDefault(0, 5 * DAY, "billing manager", "§2.4 G34: 30 days before the appeal limit"),
    "G35": RuleDefault(DAY, 5 * DAY, "biller", "§2.4 G35"),
    "G36": RuleDefault(DAY, 5 * DAY, "biller", "§2.4 G36"),
    "G39": RuleDefault(5 * DAY, 2 * DAY, "biller", "§2.4 G39: the second payer not billed in 5 days"),
    "G41": RuleDefault(30 * DAY, 30 * DAY, "biller", "§2.4 G41: credit older than 30 days"),
    "G44": RuleDefault(DAY, 5 * DAY, "billing manager", "§2.4 G44"),
    "G45": RuleDefault(5 * DAY, 5 * DAY, "billing manager", "§2.4 G45: 7 calendar days = 5 business days"),
}

WEEKDAYS: Mapping[str, str] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}

# Everything that is one value for the whole practice. Sources as above unless said.
SETTINGS: Mapping[str, Any] = {
    "grace_hours_facility.G13": 3 * DAY,  # §0.6: hospital and surgical charge entry 2-3 days
    "grace_hours_manager.G24": 6 * DAY,  # §0.6: MGRHOLD worked within 6 days
    "opening.from": "08:00",  # in the practice's time zone: when its feeds must be fresh
    "opening.to": "18:00",
    "opening.days": ["mon", "tue", "wed", "thu", "fri"],
    "closed_days": [],  # ISO dates on which the practice is closed
    "not_billable.visit_types": [],  # §2.0: an admin rule suppresses every gap
    "not_billable.providers": [],
    "not_billable.departments": [],
    "not_billable.payers": [],
    "no_show_fee": 0,  # dollars; 0 = the practice charges none and G02 stays silent
    "show_rate": 0.7,  # share of never-resolved past appointments that did happen, until measured
    "expected_ratio": 0.45,  # expected payment per charged dollar, until the practice's own payments say
    "filing_alarm_days": 30,  # §2.3 G31, §2.4 G34
    "secondary_days": 60,  # §3.1: commonly 60-365 days from the first payer's answer (G39)
    "in_house_tests": {},  # LOINC code of a test done here → the procedure codes that charge it (G16)
    "packages": {},  # §3.2: codes whose claim pays for other visits too, beside those of `packages.SHIPPED`
    "capitated_payers": [],  # payers who pay by the month: their visits close at $0 (G44)
}

CLOCKS = ("filing", "appeal")
OWN_FAMILIES = frozenset(
    {"claim_status", *(f"{clock}_{what}" for clock in CLOCKS for what in ("days", "source"))}
)
"""Policies by a word of athena's, of which none ships: `statuses` and `filing` hold what stands without them."""

FACILITY_PLACES = frozenset({"19", "21", "22", "23", "24"})
"""CMS place-of-service codes of hospitals and surgery centres, where charges take longer."""


@dataclass(frozen=True)
class Policies:
    """A practice's overrides over the shipped defaults. Empty is a practice that has changed nothing."""

    overrides: Mapping[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """Raises LookupError for a name nothing ships: a typing error must not read as "no policy"."""
        return self.overrides[name] if name in self.overrides else default(name)

    def grace_hours(self, code: str) -> float:
        return float(self.value(f"grace_hours.{code}"))

    def sla_hours(self, code: str) -> float:
        return float(self.value(f"sla_hours.{code}"))

    def owner(self, code: str) -> str:
        return str(self.value(f"owner.{code}"))

    @cached_property
    def closed_days(self) -> frozenset[date]:
        return frozenset(date.fromisoformat(day) for day in self.value("closed_days"))

    @cached_property
    def not_billable(self) -> bool:
        """Whether anything is said not to be billable: most practices say so of nothing."""
        return any(self.value(name) for name in SETTINGS if name.startswith("not_billable."))

    @cached_property
    def claim_statuses(self) -> Mapping[str, str]:
        return self._family("claim_status.")

    @cached_property
    def packages(self) -> tuple[Package, ...]:
        return table_of(self.value("packages"))

    @cached_property
    def package_waits(self) -> Mapping[str, int]:
        return waits_of(self.packages)

    def terms(self, clock: str) -> Mapping[str, Terms]:
        """What the practice says of a clock of CLOCKS, by lower-case payer name or payer type."""
        return self._all_terms[clock]

    @cached_property
    def _all_terms(self) -> Mapping[str, Mapping[str, Terms]]:
        return {clock: self._terms(clock) for clock in CLOCKS}

    def _terms(self, clock: str) -> Mapping[str, Terms]:
        days, sources = self._family(f"{clock}_days."), self._family(f"{clock}_source.")
        return {kind: Terms(days.get(kind), sources.get(kind, "")) for kind in {*days, *sources}}

    def altered(self, wanted: Mapping[str, Any]) -> Policies:
        """With other overrides on top; None takes an override away."""
        kept = {**self.overrides, **wanted}
        return Policies({name: value for name, value in kept.items() if value is not None})

    def _family(self, prefix: str) -> dict[str, Any]:
        return {
            name[len(prefix) :]: value for name, value in self.overrides.items() if name.startswith(prefix)
        }


@cache
def default(name: str) -> Any:
    """The shipped value of a dotted name."""
    if name in SETTINGS:
        return SETTINGS[name]
    field_name, _, code = name.partition(".")
    if field_name in OWN_FAMILIES and code:
        return None
    if code in RULE_DEFAULTS and field_name in {"grace_hours", "sla_hours", "owner"}:
        return getattr(RULE_DEFAULTS[code], field_name)
    raise LookupError(f"no policy is called {name!r}")


OVERRIDES = "select name, value from practices_policy where practice_id = %(practice)s"


def policies_of(practice: Practice | int) -> Policies:
    """As they stand; read for every visit that is judged, so not by way of the ORM."""
    # here, so that the rules which read Policies stay free of Django
    from athena_dash.core.one_trip import fetch

    (rows,) = fetch({"practice": practice if isinstance(practice, int) else practice.pk}, OVERRIDES)
    return Policies(dict(rows))


def policy(practice: Practice | int, name: str) -> Any:
    return policies_of(practice).value(name)
