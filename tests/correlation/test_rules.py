"""The rule book as a whole (revenue-cycle.md §2.0): its sources, its clocks, which gap is primary, what it is worth."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.unconnected import UNCONNECTED
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.policies import RULE_DEFAULTS
from tests.correlation.casebook import (
    DAY,
    MONDAY,
    WEEK,
    a_visit,
    at,
    claim,
    gaps,
    judged,
    line,
    note,
    seen,
    service,
)


def test_every_rule_ships_its_numbers_and_names_its_source() -> None:
    assert {rule.code for rule in RULES} <= set(RULE_DEFAULTS)
    assert all(rule.source.startswith("revenue-cycle.md §") for rule in RULES)


def test_rules_without_their_data_are_off_and_say_what_they_wait_for() -> None:
    """§9: 277CA and 835 are not in the REST surface; ship off until a source is configured."""
    assert {rule.code for rule in UNCONNECTED}.isdisjoint(rule.code for rule in RULES)
    assert all(rule.waits_for and rule.source.startswith("revenue-cycle.md §2") for rule in UNCONNECTED)


def test_a_finished_visit_has_no_gap_and_nothing_to_reconsider() -> None:
    verdict = judged(a_visit(seen("4"), note(), service(), claim()), at(MONDAY + 400 * DAY))
    assert (verdict.gaps, verdict.reconsider_at, verdict.track) == ((), None, "DDDDDDDD")


def test_the_earliest_broken_link_is_primary_and_only_it() -> None:
    visit = a_visit(seen("3"), note("OPEN"), claim(primary="HOLD"))
    found = gaps(visit, at(MONDAY + WEEK))
    assert {code: gap.primary for code, gap in found.items()} == {"G11": True, "G24": False}


HALFWAY: dict[str, VisitFacts] = {
    "G01": a_visit(seen("f")),
    "G03": a_visit(seen("2"), note("OPEN")),
    "G05": a_visit(seen("2"), note()),
    "G11": a_visit(seen("3"), note("OPEN")),
    "G13": a_visit(seen("3"), note()),
    "G14": a_visit(seen("4"), note()),
    "G24": a_visit(seen("4"), note(), claim(primary="HOLD", since=at(MONDAY))),
    "G29": a_visit(seen("4"), note(), claim(primary="BILLED", since=at(MONDAY))),
}


@pytest.mark.parametrize("code", HALFWAY)
def test_time_alone_changes_the_answer_exactly_when_the_rule_said_it_could(code: str) -> None:
    visit = HALFWAY[code]
    before = judged(visit, at(MONDAY, 11))
    assert before.reconsider_at is not None
    while code not in {gap.code for gap in before.gaps}:
        assert before.reconsider_at is not None
        moment = before.reconsider_at
        early = judged(visit, moment - DAY / 86_400)
        assert {gap.code for gap in early.gaps} == {gap.code for gap in before.gaps}
        before = judged(visit, moment)


def test_a_practice_may_change_a_grace() -> None:
    visit = a_visit(seen("3"), note())
    assert "G13" not in gaps(visit, at(MONDAY + 2 * DAY), grace_hours__G13=72)


def test_a_day_the_practice_is_closed_is_no_business_day() -> None:
    visit = a_visit(seen("3"), note())
    assert "G13" not in gaps(visit, at(MONDAY + DAY, 20), closed_days=["2026-03-03"])


# §2.0 Dollars


def test_dollars_come_from_the_best_estimator_there_is() -> None:
    late = at(MONDAY + WEEK)
    by_services = gaps(a_visit(seen("3"), note(), service(), service("90471")), late)["G13"].estimate
    by_visit = gaps(a_visit(seen("3"), note(), service("11042")), late)["G13"].estimate
    other_provider = gaps(a_visit(seen("3"), note(), provider_id="99"), late)["G13"].estimate
    by_charges = gaps(a_visit(seen("4"), note(), claim(primary="HOLD")), late)["G24"].estimate
    owed = replace(claim(primary="HOLD"), lines=(line(outstanding=Decimal("61.20")),))
    by_balance = gaps(a_visit(seen("4"), note(), owed), late)["G24"].estimate
    assert (by_services.dollars, by_services.estimator) == (Decimal("109.50"), "E3")
    assert (by_visit.dollars, by_visit.estimator) == (Decimal("110.00"), "E4")
    assert (other_provider.dollars, other_provider.estimator) == (Decimal("100.00"), "E4")
    assert (by_charges.dollars, by_charges.estimator) == (Decimal("90.00"), "E2")
    assert (by_balance.dollars, by_balance.estimator) == (Decimal("61.20"), "E1")


def test_an_appointment_that_may_not_have_happened_is_worth_its_chance() -> None:
    assert gaps(a_visit(seen("f")), at(MONDAY + WEEK), show_rate=0.5)["G01"].estimate.dollars == Decimal(
        "55.00"
    )
