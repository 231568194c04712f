"""A generated practice written as the CSV set of docs/evaluation.md is read back whole, and its truth holds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from athena_dash.operations.evaluation.csv_set import CsvSet, read_set
from integrations.sandbox import generate


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> CsvSet:
    directory: Path = tmp_path_factory.mktemp("set")
    options = ["--seed", "4", "--practices", "1", "--visits", "150", "--profile", "combined"]
    as_of = datetime(2026, 5, 1, 12, tzinfo=UTC).isoformat()
    generate.main([*options, "--as-of", as_of, "--state", str(directory / "s"), "--csv", str(directory)])
    return read_set(directory)


def test_every_row_it_writes_can_be_read(written: CsvSet) -> None:
    assert written.bad == []
    assert len(written.encounters) > 100


def test_every_claim_and_charge_has_its_truth(written: CsvSet) -> None:
    truths = {row.id for row in written.truth}
    assert {("claim", claim.id) for claim in written.claims} <= truths
    assert {("charge", charge.id) for charge in written.charges} <= truths


def test_an_id_that_is_there_is_true(written: CsvSet) -> None:
    appointment_of = {row.id: row.appointment_id for row in written.encounters}
    named = {row.id: row.appointment_id for row in written.claims if row.appointment_id}
    encounters = {row.id[1]: row.encounter_id for row in written.truth if row.id[0] == "claim"}
    told = {id: appointment_of[encounters[id]] for id in named if encounters[id]}
    assert told == {id: named[id] for id in told}
    assert len(told) > 50


def test_a_profile_hides_ids_of_claims_that_have_a_true_encounter(written: CsvSet) -> None:
    nameless = {row.id for row in written.claims if not row.appointment_id}
    assert any(row.encounter_id for row in written.truth if row.id[1] in nameless)
