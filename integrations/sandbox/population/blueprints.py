"""The practices, each with its own character: departments, providers and their habits."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.sandbox.population import catalogue as c
from integrations.sandbox.population import lag
from integrations.sandbox.population.catalogue import VisitType
from integrations.sandbox.population.lag import Lag


@dataclass(frozen=True)
class Site:
    """A department: `check_out` is its front desk's habit; telehealth sees people in the evening."""

    id: str
    name: str
    city: str
    state: str
    timezone: str
    clinicals: bool = True
    place_of_service: str = "11"
    check_out: Lag = lag.CHECK_OUT

    @property
    def telehealth(self) -> bool:
        return self.place_of_service in ("02", "10")


@dataclass(frozen=True)
class Clinician:
    """`forgets_slip` is the share of visits for which no service is documented in time."""

    id: str
    type: str
    specialty: str
    specialty_id: str
    sites: tuple[str, ...]
    visit_types: tuple[VisitType, ...]
    signs: Lag = lag.SIGN_USUAL
    forgets_slip: float = 0.03
    charges_before_signing: float = 0.02
    supervisor: str | None = None
    cosigned: float = 0.0
    incident_to: float = 0.0
    makes_encounters: bool = True


@dataclass(frozen=True)
class Blueprint:
    name: str
    sites: tuple[Site, ...]
    clinicians: tuple[Clinician, ...]
    charge_entry: Lag = lag.CHARGE
    multi_resource: float = 0.01
    stays: float = 0.0025  # inpatient stays per visit
    no_show_fee: bool = True
    by_site: dict[str, Site] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_site", {site.id: site for site in self.sites})


PRIMARY = Blueprint(
    name="Maple Hollow Family Medicine",
    sites=(
        Site("1", "Maple Hollow Main Street", "Albany", "NY", "America/New_York"),
        Site(
            "21", "Maple Hollow Riverside", "Troy", "NY", "America/New_York", check_out=lag.SLOPPY_CHECK_OUT
        ),
        Site("62", "Maple Hollow Lakeview", "Saratoga Springs", "NY", "America/New_York"),
    ),
    clinicians=(
        Clinician("27", "MD", "Family Medicine", "008", ("1", "21"), c.PRIMARY_CARE, lag.SIGN_PROMPT),
        Clinician("28", "MD", "Family Medicine", "008", ("1",), c.PRIMARY_CARE, lag.SIGN_LATE),
        Clinician("29", "DO", "Internal Medicine", "011", ("62",), c.PRIMARY_CARE),
        Clinician("31", "MD", "Internal Medicine", "011", ("21", "62"), c.PRIMARY_CARE, forgets_slip=0.10),
        Clinician(
            "34",
            "NP",
            "Family Medicine",
            "008",
            ("1", "62"),
            c.PRIMARY_CARE,
            lag.SIGN_PROMPT,
            supervisor="27",
            cosigned=0.15,
            incident_to=0.12,
        ),
    ),
)
MULTI_SPECIALTY = Blueprint(
    name="Saguaro Coast Specialists",
    sites=(
        Site("3", "Saguaro Phoenix Central", "Phoenix", "AZ", "America/Phoenix"),
        Site("5", "Saguaro Santa Monica", "Los Angeles", "CA", "America/Los_Angeles"),
        Site("9", "Saguaro Video Care", "Los Angeles", "CA", "America/Los_Angeles", place_of_service="10"),
    ),
    clinicians=(
        Clinician("84", "MD", "Cardiology", "006", ("3",), c.CARDIOLOGY),
        Clinician("86", "MD", "Dermatology", "007", ("5",), c.DERMATOLOGY, lag.SIGN_PROMPT),
        Clinician("87", "MD", "Orthopedic Surgery", "020", ("3", "5"), c.ORTHOPEDICS, lag.SIGN_LATE, 0.07),
        Clinician("90", "DO", "Internal Medicine", "011", ("9",), c.TELEHEALTH, charges_before_signing=0.08),
        Clinician(
            "93",
            "PA",
            "Cardiology",
            "006",
            ("3",),
            c.CARDIOLOGY,
            supervisor="84",
            cosigned=0.55,
            incident_to=0.25,
        ),
    ),
    multi_resource=0.03,
    stays=0.005,
)
SURGICAL = Blueprint(
    name="Granite Ridge Surgical Clinic",
    sites=(
        Site("150", "Granite Ridge Clinic", "Denver", "CO", "America/Denver"),
        Site("151", "Granite Ridge Surgery Suite", "Denver", "CO", "America/Denver", False, "24"),
    ),
    clinicians=(
        Clinician("258", "MD", "General Surgery", "002", ("150",), c.SURGERY, lag.SIGN_LATE, 0.06),
        Clinician("259", "MD", "General Surgery", "002", ("151",), c.ENDOSCOPY, forgets_slip=0.12),
        Clinician(
            "261", "PA", "General Surgery", "002", ("150",), c.SURGERY, lag.SIGN_PROMPT, supervisor="258"
        ),
        Clinician("262", "RN", "General Surgery", "002", ("150",), c.ENDOSCOPY[1:], makes_encounters=False),
    ),
    charge_entry=lag.CHARGE_SURGICAL,
    multi_resource=0.02,
)

BLUEPRINTS = (PRIMARY, MULTI_SPECIALTY, SURGICAL)
PRACTICE_IDS = ("195900", "195903", "11287", "1959633", "19598472", "13092", "24451", "16349", "28030")


def blueprint(practice: str) -> Blueprint:
    return BLUEPRINTS[PRACTICE_IDS.index(practice) % len(BLUEPRINTS)]
