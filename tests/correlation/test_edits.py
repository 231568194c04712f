"""What changed is matched anew with what is near it: enough to end like everything matched at once, and no more."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from athena_dash.correlation.models import Link, Visit
from athena_dash.correlation.service import correlate
from athena_dash.records.models import Appointment, Claim, Encounter, Patient
from tests.correlation.office import WEDNESDAY, Office, Row, a_claim, a_patient, an_appointment, an_encounter

DAY = dt.timedelta(days=1)
VISITS = 14
MODELS: dict[str, Any] = {"appointment": Appointment, "encounter": Encounter, "claim": Claim}


@pytest.mark.parametrize("seed", range(3))
def test_edits_one_by_one_end_like_everything_at_once(office: Office, seed: int) -> None:
    """Visits so close that one claim's move can pass from window to window."""
    chance = random.Random(seed)
    office.receive(*(row for n in range(VISITS) for row in a_seen_patient(n, chance)))
    office.receive(a_patient("7"), a_patient("8"))
    for _ in range(25):
        table, n = chance.choice([*MODELS, "patient"]), chance.randrange(VISITS)
        if table == "patient":
            merge_or_unmerge(office)
        else:
            edit(office, table, f"{table[0]}{n}", chance)
    one_by_one = matched(office)

    Link.objects.all().delete()
    Visit.objects.all().delete()
    correlate(office.id, {table: {f"{table[0]}{n}" for n in range(VISITS)} for table in MODELS})
    assert one_by_one == matched(office)


def a_seen_patient(n: int, chance: random.Random) -> tuple[Row, ...]:
    """Every other or third day; half of the encounters and most claims name no appointment."""
    day, provider = WEDNESDAY + DAY * (n * 5 // 2), chance.choice(["71", "72"])
    named = f"a{n}" if chance.random() < 0.5 else ""
    return (
        an_appointment(f"a{n}", date=day, provider_id=provider),
        an_encounter(f"e{n}", date=day, provider_id=provider, appointment_id=named),
        a_claim(
            f"c{n}",
            service_date=day + DAY * chance.randint(-1, 1),
            billed_provider_id=chance.choice([provider, "73"]),
            appointment_id=f"a{n}" if chance.random() < 0.2 else "",
        ),
    )


def edit(office: Office, table: str, id: str, chance: random.Random) -> None:
    model = MODELS[table]
    row = model.objects.get(practice_id=office.id, external_id=id)
    day = "service_date" if table == "claim" else "date"
    if table != "appointment" and chance.random() < 0.3:
        row.appointment_id = "" if row.appointment_id else f"a{id[1:]}"
    elif table == "claim" and chance.random() < 0.2:
        row.patient_id = "8" if row.patient_id == "7" else "7"
    else:
        setattr(row, day, getattr(row, day) + DAY * chance.randint(-4, 4))
    row.save()
    correlate(office.id, {table: {id}})


def merge_or_unmerge(office: Office) -> None:
    row = Patient.objects.get(practice_id=office.id, external_id="8")
    row.merged_into, row.unmerged_from = ("", "7") if row.merged_into else ("7", "")
    row.save()
    correlate(office.id, {"patient": {"8"}})


def matched(office: Office) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    links = Link.objects.filter(practice_id=office.id)
    visits = Visit.objects.filter(practice_id=office.id)
    return (
        set(
            links.values_list(
                "kind", "record_id", "visit__anchor", "visit__anchor_id", "state", "method", "score"
            )
        ),
        set(visits.values_list("anchor", "anchor_id", "patient_id", "service_date")),
    )


def test_a_change_reaches_the_records_of_its_weeks_and_not_those_of_another_month(office: Office) -> None:
    office.receive(an_appointment("100"), a_claim("40"))
    stale = Link.objects.filter(record_id="40")
    stale.update(score=0.5)
    office.receive(an_appointment("101", date=WEDNESDAY + DAY * 60))
    assert office.link("claim", "40").score == 0.5
    office.receive(an_appointment("102", date=WEDNESDAY + DAY * 20))
    assert office.link("claim", "40").score > 0.9
