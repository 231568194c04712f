"""Documented services and charge lines inside a visit: tied one to one, and left alone where nobody can tell."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from athena_dash.correlation.service_lines import How, each_on_a_line, tie_lines
from athena_dash.correlation.visit_facts import LineFacts, ServiceFacts


def services(*codes: str, units: int | None = None) -> list[ServiceFacts]:
    return [ServiceFacts(code, units=None if units is None else Decimal(units)) for code in codes]


def lines(*codes: str, units: int | None = None, amount: str = "50") -> list[LineFacts]:
    return [
        LineFacts(code, Decimal(amount), units=None if units is None else Decimal(units)) for code in codes
    ]


def told(services: list[ServiceFacts], lines: list[LineFacts]) -> list[tuple[str, str, str]]:
    return [
        (
            tie.service.procedure_code if tie.service else "",
            tie.line.procedure_code if tie.line else "",
            tie.how.value,
        )
        for tie in tie_lines(services, lines)
    ]


def test_a_service_on_no_line_is_missing_and_a_line_without_service_is_undocumented() -> None:
    assert told(services("99213", "90471"), lines("99213", "81002")) == [
        ("99213", "99213", "code"),
        ("90471", "", "missing"),
        ("", "81002", "undocumented"),
    ]


def test_the_same_service_twice_needs_two_lines() -> None:
    assert [how for *_, how in told(services("96372", "96372"), lines("96372"))] == ["code", "missing"]


def test_one_line_of_two_units_charges_the_same_service_documented_twice() -> None:
    assert [how for *_, how in told(services("96372", "96372"), lines("96372", units=2))] == ["code", "code"]


def test_two_lines_of_one_unit_charge_a_service_of_two() -> None:
    assert told(services("96372", units=2), lines("96372", "96372", units=1)) == [("96372", "96372", "code")]


def test_an_office_visit_charged_at_another_level_is_not_missing() -> None:
    assert told(services("99213"), lines("99214")) == [("99213", "99214", "level")]


def test_of_several_office_visits_none_is_guessed() -> None:
    assert told(services("99213", "99212"), lines("99214")) == [
        ("99213", "", "unclear"),
        ("99212", "", "unclear"),
        ("", "99214", "undocumented"),
    ]


def test_a_code_that_is_no_level_stands_for_itself_only() -> None:
    assert told(services("36415"), lines("36416")) == [
        ("36415", "", "missing"),
        ("", "36416", "undocumented"),
    ]


def test_a_reversed_line_charges_nothing() -> None:
    reversed_line = [*lines("99213"), *lines("99213", amount="-50")]
    assert told(services("99213"), reversed_line) == [("99213", "", How.MISSING)]
    assert told(services("99213"), [*reversed_line, *lines("99213")]) == [("99213", "99213", How.CODE)]


CODES = st.sampled_from(["99213", "99214", "90471"])


@given(st.lists(CODES), st.lists(st.tuples(CODES, st.sampled_from(["50", "-50"]))))
def test_what_stands_on_a_line_at_a_glance_is_not_missed_by_tying_either(
    documented: list[str], charged: list[tuple[str, str]]
) -> None:
    found = [line for code, amount in charged for line in lines(code, amount=amount)]
    if each_on_a_line(services(*documented), found):
        assert all(tie.how in (How.CODE, How.UNDOCUMENTED) for tie in tie_lines(services(*documented), found))
