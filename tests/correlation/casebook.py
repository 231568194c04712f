"""Visits as the rules see them, with believable defaults; and what the whole rule book says of one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from athena_dash.correlation.estimate import Learned
from athena_dash.correlation.judge import FoundGap, Judged, judge_visit
from athena_dash.correlation.verdict import Evidence
from athena_dash.correlation.visit_facts import (
    AppointmentFacts,
    ClaimFacts,
    EncounterFacts,
    LineFacts,
    ServiceFacts,
    SlotFacts,
    VisitFacts,
)
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import meaning

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)
WEEK = 7 * DAY
FRIDAY = MONDAY + 4 * DAY
LEARNED = Learned(
    ratio=Decimal("0.5"),
    by_procedure={"99213": Decimal("88.00"), "90471": Decimal("21.50")},
    by_visit={"Office visit|71": Decimal("110"), "Office visit": Decimal("100"), "": Decimal("90")},
)


def at(day: dt.date, hour: int = 12) -> dt.datetime:
    """A New York wall clock hour."""
    return dt.datetime.combine(day, dt.time(hour), NEW_YORK)


def seen(status: str = "3", **fields: Any) -> AppointmentFacts:
    """In at 11, out at noon."""
    out = at(MONDAY) if status in ("3", "4") else None
    came = at(MONDAY, 11) if status in ("2", "3", "4") else None
    fields = {
        "starts_at": at(MONDAY, 11),
        "checked_in_at": came,
        "checked_out_at": out,
    } | fields
    return AppointmentFacts(id="100", status=status, **fields)


def note(status: str = "CLOSED", **fields: Any) -> EncounterFacts:
    closed = MONDAY if status == "CLOSED" else None
    return EncounterFacts(**{"id": "9", "kind": "VISIT", "status": status, "closed_on": closed} | fields)


def claim(
    id: str = "40", *, notes: tuple[str, ...] = (), since: dt.datetime | None = None, **slots: str
) -> ClaimFacts:
    """Made the day after, one line of $180. `since`: we watched the slots take their status then."""
    words = {"primary": "CLOSED", "secondary": "CLOSED", "patient": "CLOSED"} | slots
    return ClaimFacts(
        id=id,
        service_date=MONDAY,
        created_on=MONDAY + DAY,
        billed_provider_id="71",
        slots=tuple(
            SlotFacts(name=name, raw=raw, stage=meaning(raw).stage, since=since, from_backfill=since is None)
            for name, raw in words.items()
        ),
        lines=(line(),),
        notes=tuple(meaning(word).stage for word in notes),
    )


def line(amount: str = "180", code: str = "99213", **fields: Any) -> LineFacts:
    fields = {"posted_on": MONDAY + DAY} | fields
    return LineFacts(procedure_code=code, amount=Decimal(amount), **fields)


def service(code: str = "99213", *, bill: bool = True) -> ServiceFacts:
    return ServiceFacts(procedure_code=code, bill=bill)


def a_visit(appointment: AppointmentFacts | None = None, *records: Any, **fields: Any) -> VisitFacts:
    """Of a Monday, in an office in New York, with whatever records it has."""
    fields = {
        "service_date": MONDAY,
        "patient_id": "7",
        "department_id": "1",
        "provider_id": "71",
        "visit_type": "Office visit",
        "payer_name": "Meadow Health Plan",
        "place_of_service": "11",
    } | fields
    return VisitFacts(
        id=1,
        anchor="appointment" if appointment else "encounter",
        zone=NEW_YORK,
        appointment=appointment,
        encounters=tuple(record for record in records if isinstance(record, EncounterFacts)),
        services=tuple(record for record in records if isinstance(record, ServiceFacts)),
        claims=tuple(record for record in records if isinstance(record, ClaimFacts)),
        **fields,
    )


def judged(visit: VisitFacts, now: dt.datetime, evidence: Evidence | None = None, **overrides: Any) -> Judged:
    """`overrides`: policies, with dots written as two underscores."""
    policies = Policies({name.replace("__", "."): value for name, value in overrides.items()})
    return judge_visit(visit, policies, evidence or Evidence(), LEARNED, now)


def gaps(
    visit: VisitFacts, now: dt.datetime, evidence: Evidence | None = None, **overrides: Any
) -> dict[str, FoundGap]:
    return {gap.code: gap for gap in judged(visit, now, evidence, **overrides).gaps}
