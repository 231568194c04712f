"""Shipped defaults and what a practice may change of them."""

from __future__ import annotations

from datetime import date

import pytest

from athena_dash.practices.filing import Terms, filing_limit
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage, meaning, unmapped

LEAP_DAY = date(2024, 2, 29)


def test_a_practices_value_wins_over_the_shipped_one() -> None:
    policies = Policies({"grace_hours.G13": 72})
    assert (policies.grace_hours("G13"), policies.grace_hours("G11")) == (72, 24)


def test_a_misspelt_policy_is_an_error_and_not_a_silent_none() -> None:
    with pytest.raises(LookupError, match=r"grace_hours\.G99"):
        Policies().value("grace_hours.G99")


def test_an_unknown_status_word_is_kept_as_other_and_reported() -> None:
    assert meaning("WAITPAY").stage is ClaimStage.OTHER
    assert unmapped(["HOLD", "WAITPAY", ""]) == {"WAITPAY"}


def test_a_practice_may_explain_a_word_of_its_own() -> None:
    assert meaning("waitpay ", {"WAITPAY": "billed"}).owner == "payer"


def test_a_meaningless_explanation_leaves_the_word_unknown() -> None:
    assert meaning("WAITPAY", {"WAITPAY": "soon"}).stage is ClaimStage.OTHER


@pytest.mark.parametrize(
    ("insurance_type", "payer", "limit", "assumed"),
    [
        ("Medicare Part B", "Medicare", date(2025, 2, 28), False),  # a calendar year, not 365 days
        ("Commercial", "Meadow Health Plan", date(2024, 5, 29), True),
        ("", "Meadow Medicaid", date(2024, 5, 29), True),
        ("Medicare Advantage", "Meadow Senior", date(2024, 5, 29), True),
        ("Tricare", "", date(2025, 2, 28), True),
    ],
)
def test_filing_limits_by_payer_type(insurance_type: str, payer: str, limit: date, assumed: bool) -> None:
    found = filing_limit(insurance_type, payer, LEAP_DAY, {})
    assert found is not None
    assert (found.on, found.assumed) == (limit, assumed)


def test_a_contracts_limit_replaces_the_assumed_one() -> None:
    found = filing_limit("Commercial", "Meadow", LEAP_DAY, {"commercial": Terms(180)})
    assert found is not None
    assert (found.on, found.assumed) == (date(2024, 8, 27), False)


def test_a_source_confirms_the_shipped_limit() -> None:
    policies = Policies({"filing_source.commercial": "Meadow contract of 2025, §4"})
    found = filing_limit("Commercial", "Meadow", LEAP_DAY, policies.terms("filing"))
    assert found is not None
    assert (found.on, found.source) == (date(2024, 5, 29), "Meadow contract of 2025, §4")
    assert not found.assumed


def test_altered_policies_add_change_and_inherit_again() -> None:
    policies = Policies({"grace_hours.G13": 72, "no_show_fee": 25})
    altered = policies.altered({"grace_hours.G13": None, "filing_days.commercial": 180})
    assert altered.overrides == {"no_show_fee": 25, "filing_days.commercial": 180}


def test_self_pay_has_no_limit() -> None:
    assert filing_limit("", "Self-pay", LEAP_DAY, {}) is None
