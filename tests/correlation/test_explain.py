"""Why is this here, and why is that not: every rule accounts for itself (revenue-cycle.md §2.0)."""

from __future__ import annotations

from athena_dash.correlation.explain import Outcome, RuleTrace, explain, trace
from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.unconnected import UNCONNECTED
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.models import Policy
from athena_dash.practices.policies import Policies
from tests.correlation.casebook import DAY, MONDAY, a_visit, at, claim, gaps, note, seen, service
from tests.correlation.office import Office, an_appointment, an_encounter

NEXT_WEEK = at(MONDAY + 7 * DAY)


def traced(visit: VisitFacts, **overrides: object) -> dict[str, RuleTrace]:
    policies = Policies({name.replace("__", "."): value for name, value in overrides.items()})
    return {rule.code: rule for rule in trace(visit, policies, NEXT_WEEK)}


def test_every_rule_answers_for_every_visit() -> None:
    codes = {rule.code for rule in RULES} | {rule.code for rule in UNCONNECTED}
    for visit in (a_visit(), a_visit(seen("x")), a_visit(seen("4"), note(), claim(primary="BILLED"))):
        assert set(traced(visit)) == codes


def test_an_open_gap_says_since_when_and_on_what_it_rests() -> None:
    found = traced(a_visit(seen("3"), note(), service()))["G13"]
    assert found.outcome is Outcome.OPEN
    assert found.says == "Signed Mar 2, 2026, no charge entered"
    assert found.inputs == (
        "appointment checked out, in Mar 2, 2026, out Mar 2, 2026",
        "encounter CLOSED, signed Mar 2, 2026",
        "1 of 1 services marked to bill",
        "no claim",
        "Grace of G13: 24 h, default",
    )


def test_a_grace_set_by_the_practice_is_said_to_be_its_own() -> None:
    found = traced(a_visit(seen("3"), note()), grace_hours__G13=500)["G13"]
    assert found.outcome is Outcome.WAITS
    assert found.opens_at
    assert "Grace of G13: 500 h, set here" in found.inputs


def test_a_gap_that_a_policy_hides_names_what_hides_it() -> None:
    visit = a_visit(seen("3"), note())
    found = traced(visit, not_billable__visit_types=["Office visit"])["G13"]
    assert (found.outcome, found.hidden_by) == (Outcome.HIDDEN, "visit type is not billable")


def test_a_cancellation_says_since_when_it_hides() -> None:
    waived = seen("3", charge_entry_not_required=True, charge_entry_not_required_reason="No services")
    assert traced(a_visit(waived, note()))["G13"].hidden_by == "charge entry not required: No services"
    cancelled = traced(a_visit(seen("x", cancelled_at=at(MONDAY)), note(), service()))
    assert cancelled["G13"].outcome is Outcome.CLEAR
    assert cancelled["G13"].hidden_since == at(MONDAY)


def test_a_policy_hides_since_somebody_set_it(office: Office) -> None:
    office.receive(an_appointment("100"), an_encounter("9", appointment_id="100"))
    set_policy = Policy.objects.create(
        practice=office.practice, name="not_billable.visit_types", value=["Office visit"]
    )
    found = {rule.code: rule for rule in explain(office.visit("100"))}["G13"]
    assert (found.outcome, found.hidden_since) == (Outcome.HIDDEN, set_policy.set_at)


def test_what_is_open_here_is_what_the_judge_finds() -> None:
    visit = a_visit(seen("4"), note(), claim(primary="HOLD"))
    found = {code for code, rule in traced(visit).items() if rule.outcome is Outcome.OPEN}
    assert found == set(gaps(visit, NEXT_WEEK))


def test_a_stored_visit_is_explained_from_its_records(office: Office) -> None:
    office.receive(an_appointment("100"), an_encounter("9", appointment_id="100"))
    found = {rule.code: rule.outcome for rule in explain(office.visit("100"))}
    assert found["G13"] is Outcome.OPEN
    assert found["G28"] is Outcome.OFF
