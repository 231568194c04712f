"""Which of the answers that have grown old are asked for again, when the calls do not reach for all of them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest

from athena_dash.practices.models import Connection, Policy
from athena_dash.records.facts import AppointmentFact, ChartEncounter, ClaimFact, Sourced
from athena_dash.records.upsert import upsert
from athena_dash.sync import jobs, planner, planning, subjects
from athena_dash.sync.models import Plan, Run, Subject
from athena_dash.sync.planner import Candidate, Rest
from tests.builders import a_feed
from tests.sync.athena import NOW

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
CLOSED = {"secondary_status": "CLOSED", "patient_status": "CLOSED"}


def candidate(
    pk: int, kind=planner.OPEN, *, waited: float = 1, dollars: float = 0, calls: int = 1
) -> Candidate:
    return Candidate(kind, pk, NOW - waited * kind.every, dollars, calls)


def chosen(*candidates: Candidate, calls: int) -> list[int]:
    return [one.subject_id for one in planner.decide(candidates, calls, NOW).chosen]


# -- the decision ---------------------------------------------------------------------------------------


def test_holds_come_before_open_claims_that_have_waited_as_long() -> None:
    assert chosen(candidate(1), candidate(2, planner.HOLDS), calls=1) == [2]


def test_the_larger_claim_comes_first_and_the_smaller_one_is_not_starved_for_ever() -> None:
    large = candidate(1, dollars=10_000)
    assert chosen(large, candidate(2, dollars=50), calls=1) == [1]
    assert chosen(large, candidate(2, dollars=50, waited=4), calls=1) == [2]


def test_a_claim_near_its_limit_comes_before_another_open_one() -> None:
    assert chosen(candidate(1, dollars=100), candidate(2, planner.FILING, dollars=100), calls=1) == [2]


def test_what_costs_more_calls_must_be_worth_more_and_a_cheap_one_still_fits() -> None:
    dear = candidate(1, dollars=500, calls=3)
    assert chosen(dear, candidate(2, dollars=400), calls=1) == [2]
    assert chosen(candidate(3, planner.HOLDS, dollars=9e5, calls=3), candidate(2), calls=2) == [2]


def test_the_decision_says_of_each_kind_what_was_put_off_and_why() -> None:
    waiting = [candidate(n, dollars=10, waited=n) for n in (1, 2, 3)]
    (line,) = planner.decide(waiting, 2, NOW).lines
    assert (line.kind, line.due, line.chosen, line.put_off, line.calls) == ("open claims", 3, 2, 1, 2)
    assert (line.oldest, line.dollars) == (NOW - 3 * planner.OPEN.every, 30)
    assert "waited longest" in line.why
    (whole,) = planner.decide(waiting, 3, NOW).lines
    assert "all of them" in whole.why
    (nothing,) = planner.decide(waiting, 0, NOW).lines
    assert (nothing.chosen, nothing.put_off) == (0, 3)


def test_calls_are_spread_over_the_rest_of_the_day_and_a_reserve_stays_for_what_is_new() -> None:
    def rest(hours: dt.timedelta) -> Rest:
        return Rest(open=hours, closed=0 * HOUR, is_open=True)

    assert planner.allowance(50_000, 50_000, rest(24 * HOUR), HOUR) == int(40_000 / 24)
    assert planner.allowance(10_000, 50_000, rest(12 * HOUR), HOUR) == 0, "the reserve is not touched"
    assert planner.allowance(30_000, 50_000, rest(2 * MINUTE), 2 * MINUTE) == 20_000, (
        "what is left at midnight is lost"
    )


def test_an_open_hour_gets_four_times_the_calls_of_a_closed_one() -> None:
    by_day, by_night = (Rest(open=10 * HOUR, closed=8 * HOUR, is_open=now) for now in (True, False))
    assert planner.allowance(50_000, 50_000, by_day, HOUR) == int(40_000 / 12)
    assert planner.allowance(50_000, 50_000, by_night, HOUR) == int(40_000 / 48)
    evening = Rest(open=0 * HOUR, closed=4 * HOUR, is_open=False)
    assert planner.allowance(50_000, 50_000, evening, HOUR) == 10_000, "nobody else will want them"


def test_the_rest_of_the_day_is_told_in_the_hours_of_the_practice(practice) -> None:
    # a Wednesday in New York; athena's day ends at 20:00 there
    noon = dt.datetime(2026, 3, 11, 16, tzinfo=dt.UTC)
    assert planning.rest_of_day(practice, noon) == Rest(open=6 * HOUR, closed=2 * HOUR, is_open=True)
    Policy.objects.create(practice=practice, name="opening.days", value=["thu"])
    assert planning.rest_of_day(practice, noon) == Rest(open=0 * HOUR, closed=8 * HOUR, is_open=False)


# -- what it decides about ------------------------------------------------------------------------------


@pytest.fixture
def connected(practice):
    Connection.objects.create(
        practice=practice,
        base_url="https://athena.test",
        client_id="a",
        client_secret="b",
        calls_per_day=50_000,
    )
    return practice


@pytest.fixture
def arrive(connected):
    """These facts arrive and everything they make due is answered at once."""

    def arrive(resource: str, *facts) -> None:
        touched = upsert(connected.pk, [Sourced(fact, 1, NOW) for fact in facts])
        subjects.route(connected.pk, resource, touched, NOW)
        subjects.asked(list(Subject.objects.filter(due_at__isnull=False)), NOW)

    return arrive


@pytest.fixture
def planned(connected, time):
    """What the planner makes due so long after now: (resource, key)."""

    def planned(after: dt.timedelta) -> set[tuple[str, str]]:
        time.now = NOW
        time.passes(seconds=after.total_seconds())
        planning.plan(connected)
        due = set(Subject.objects.filter(due_at__isnull=False).values_list("resource", "key"))
        subjects.asked(list(Subject.objects.filter(due_at__isnull=False)), time.now)
        return due

    return planned


def test_held_claims_are_read_again_within_minutes_open_ones_within_hours_closed_ones_never(
    arrive, planned
) -> None:
    arrive(
        "claims",
        ClaimFact(external_id="held", primary_status="MGRHOLD"),
        ClaimFact(external_id="open", primary_status="BILLED", **CLOSED),
        ClaimFact(external_id="closed", primary_status="CLOSED", **CLOSED),
    )
    assert planned(14 * MINUTE) == set()
    assert planned(16 * MINUTE) == {("claims", "held")}
    assert planned(4 * HOUR + MINUTE) == {("claims", "held"), ("claims", "open"), ("claim_notes", "held")}


def test_a_claim_near_its_filing_limit_is_read_again_every_hour(arrive, planned) -> None:
    old = NOW.date() - 70 * DAY
    arrive("claims", ClaimFact(external_id="late", primary_status="BILLED", service_date=old, **CLOSED))
    assert planned(61 * MINUTE) == {("claims", "late")}


def test_the_money_of_a_claim_that_is_not_closed_is_read_once_a_day(arrive, planned) -> None:
    arrive(
        "claims", ClaimFact(external_id="open", primary_status="BILLED", charge_amount=Decimal(90), **CLOSED)
    )
    assert ("transactions", "open") not in planned(23 * HOUR)
    assert ("transactions", "open") in planned(25 * HOUR)


def test_a_chart_with_an_unsigned_note_and_its_services_are_read_again_until_it_is_signed(
    arrive, planned
) -> None:
    arrive("appointments", AppointmentFact(external_id="5", patient_id="7", department_id="1", status="2"))
    note = {"external_id": "900", "patient_id": "7", "department_id": "1", "kind": "VISIT"}
    arrive("encounters", ChartEncounter(**note, status="OPEN"))
    assert planned(29 * MINUTE) == set()
    assert planned(31 * MINUTE) == {("encounters", "7"), ("services", "900")}
    arrive("encounters", ChartEncounter(**note, status="CLOSED"))
    assert planned(2 * HOUR) == set()


@pytest.mark.parametrize(
    ("days", "read"), [(4, False), (3, True), (2, False), (1, True), (0, True), (-1, False)]
)
def test_eligibility_is_read_three_days_before_the_day_before_and_on_the_day(
    arrive, planned, days, read
) -> None:
    """Read last on Wednesday noon; on Thursday it is so many days to the visit."""
    day = NOW.date() + DAY + days * DAY
    arrive(
        "appointments",
        AppointmentFact(external_id="5", patient_id="7", department_id="1", status="f", date=day),
    )
    assert (("insurances", "7") in planned(24 * HOUR)) is read
    if read:
        assert ("insurances", "7") not in planned(25 * HOUR), "once a day"


def test_a_spent_day_puts_everything_off_and_says_so(arrive, planned, connected) -> None:
    arrive("claims", ClaimFact(external_id="held", primary_status="HOLD"))
    Run.objects.create(
        feed=a_feed(connected, "claims"), practice=connected, started_at=NOW, calls=45_000, outcome="done"
    )
    assert planned(HOUR) == set()
    told = planning.decided(connected)
    (line,) = told["lines"]
    assert (told["calls_left"], told["allowed"], line["kind"], line["put_off"]) == (
        5000,
        0,
        "claims on hold",
        1,
    )
    assert json.loads(json.dumps(told)) == told
    assert planned(10 * HOUR) == {("claims", "held"), ("claim_notes", "held")}, "a new day in GMT"


def test_the_tick_plans_each_practice_every_few_minutes_and_old_plans_are_forgotten(
    connected, time, monkeypatch
) -> None:
    monkeypatch.setattr(planning, "KEPT", 3)
    for _ in range(5):
        assert planning.due(time.now) == [connected.pk]
        jobs.plan_practice(connected.pk)
        assert planning.due(time.now) == []
        time.passes(minutes=3)
    assert Plan.objects.count() == 3
