"""Anybody's export, scored: read row by row, tied by the real stage, told apart by what the rows could say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from athena_dash.correlation.models import Link, Visit
from athena_dash.operations.evaluation.csv_score import conclude
from athena_dash.operations.evaluation.csv_set import Unusable, read_set

EXAMPLE = Path(__file__).parents[2] / "docs" / "evaluation-example"
FILES = {
    "encounters.csv": "encounter_id,appointment_id,patient_id,service_start,provider_id,department_id\n"
    "e1,a1,p1,2026-03-04T09:00,dr1,d1\n",
    "claims.csv": "claim_id,patient_id,service_date,billed_provider_id,department_id,appointment_id\n"
    "c1,p1,2026-03-04,dr1,d1,\n",
    "truth.csv": "kind,id,encounter_id\nclaim,c1,e1\n",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        tmp_path.joinpath(name).write_text(text)
    return tmp_path


def counts(report: dict[str, Any], part: str) -> dict[str, int]:
    return {name: report["links"][part][name] for name in ("tp", "fp", "fn", "abstained")}


def test_the_example_of_the_documentation_says_what_the_documentation_says(db: None) -> None:
    report = conclude(read_set(EXAMPLE))
    assert counts(report, "claim") == {"tp": 2, "fp": 0, "fn": 1, "abstained": 2}
    assert counts(report, "claim_with_id") == {"tp": 1, "fp": 0, "fn": 0, "abstained": 1}
    assert counts(report, "claim_without_id") == {"tp": 1, "fp": 0, "fn": 1, "abstained": 1}
    assert counts(report, "charge") == {"tp": 4, "fp": 0, "fn": 0, "abstained": 0}
    assert report["states"]["claim"] == {"linked": 2, "review": 1, "pending": 1, "unmatched": 1}
    assert report["weights"] == "shipped"
    assert report["tiers"]["claim id"]["tp"] == 1
    assert report["departments"]["claim d1"]["abstained"] == 1
    assert report["seen"]["false_missing"]["visits"] == 1
    assert report["bad"] == ["claims.csv:7: service_date is no ISO date"]


def test_the_example_stands_in_the_documentation_as_it_is() -> None:
    documented = EXAMPLE.with_name("evaluation.md").read_text()
    for name in ("claims.csv", "truth.csv"):
        assert EXAMPLE.joinpath(name).read_text() in documented


def test_an_id_that_names_no_encounter_of_the_set_waits_and_is_never_guessed(
    db: None, directory: Path
) -> None:
    """The only visit of that patient and day is right there, and still not taken."""
    rewrite(directory, "claims.csv", "dr1,d1,\n", "dr1,d1,a9\n")
    report = conclude(read_set(directory))
    assert report["states"]["claim"] == {"pending": 1}


def test_a_claim_that_belongs_to_none_and_is_tied_is_wrong(db: None, directory: Path) -> None:
    rewrite(directory, "truth.csv", "c1,e1", "c1,")
    report = conclude(read_set(directory))
    assert counts(report, "claim") == {"tp": 0, "fp": 1, "fn": 0, "abstained": 0}


def test_a_charge_of_a_claim_not_in_the_set_waits(db: None, directory: Path) -> None:
    directory.joinpath("charges.csv").write_text("charge_id,claim_id\nl1,c9\n")
    rewrite(directory, "truth.csv", "claim,c1,e1", "charge,l1,e1")
    assert conclude(read_set(directory))["states"]["charge"] == {"pending": 1}


def test_encounters_stay_apart_visits_whatever_ids_they_lack(db: None, directory: Path) -> None:
    with directory.joinpath("encounters.csv").open("a") as file:
        file.write("e2,,p1,2026-03-04T11:00,dr1,d1\n")
    conclude(read_set(directory))
    assert Visit.objects.count() == 2
    assert Link.objects.get(record_id="c1").state == "review"


def test_the_day_is_the_one_where_the_patient_was(directory: Path) -> None:
    directory.joinpath("encounters.csv").write_text(
        "encounter_id,service_start,timezone\n"
        "e1,2026-03-05T01:30:00Z,America/New_York\n"
        "e2,2026-03-05T01:30:00Z,\n"
        "e3,2026-03-05,America/New_York\n"
        "e4,,\n"
    )
    days = {row.id: row.day for row in read_set(directory).encounters}
    fifth = dt.date(2026, 3, 5)
    assert days == {"e1": dt.date(2026, 3, 4), "e2": fifth, "e3": fifth, "e4": None}


@pytest.mark.parametrize(
    ("file", "line", "says"),
    [
        ("claims.csv", ",,,,,", "claim_id is empty"),
        ("claims.csv", "c1,,,,,", "claim_id was there before"),
        ("claims.csv", "c2,,2026-02-30,,,", "service_date is no ISO date"),
        ("claims.csv", "c2,,,,,,,,,,,x", "more cells than the header has columns"),
        ("claims.csv", "c2,p\0,,,,", "a cell holds a NUL"),
        ("truth.csv", "claim,c9,e1", "id names no claim of this set"),
        ("truth.csv", "visit,c1,e1", "kind is neither claim nor charge"),
        ("encounters.csv", "e2,,,morning,,", "service_start is no ISO datetime"),
        ("encounters.csv", "e2," + "9" * 200_000, "not CSV: field larger than field limit (131072)"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line_and_the_others_are_read(
    directory: Path, file: str, line: str, says: str
) -> None:
    with directory.joinpath(file).open("a") as out:
        out.write(line + "\n")
    rows = read_set(directory)
    assert rows.bad == [f"{file}:3: {says}"]
    assert (len(rows.encounters), len(rows.claims), len(rows.truth)) == (1, 1, 1)


def test_what_is_wrong_is_said_without_the_content_of_the_row(directory: Path) -> None:
    directory.joinpath("charges.csv").write_text(
        "charge_id,amount,service_date\nl1,twelve,\nl2,1e99,\nl3,NaN,\n"
    )
    assert read_set(directory).bad == [
        "charges.csv:2: amount is no number",
        "charges.csv:3: amount is no amount of money",
        "charges.csv:4: amount is no amount of money",
    ]


def test_a_zone_nobody_knows_is_a_bad_row(directory: Path) -> None:
    directory.joinpath("encounters.csv").write_text(
        "encounter_id,service_start,timezone\ne1,2026-03-05T01:30:00Z,Mars/Olympus\ne2,2026-03-05T01:30:00Z,../x\n"
    )
    assert [bad.partition(": ")[2] for bad in read_set(directory).bad[:2]] == [
        "timezone is no IANA zone of that day"
    ] * 2


def test_columns_may_be_missing_reordered_or_unknown(directory: Path) -> None:
    directory.joinpath("claims.csv").write_text("\ufeffNote,Claim_ID\nx,c1\n", encoding="utf-8")
    (claim,) = read_set(directory).claims
    assert (claim.id, claim.day, claim.amount) == ("c1", None, None)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("truth.csv", None, "truth.csv is missing"),
        ("encounters.csv", None, "encounters.csv is missing"),
        ("claims.csv", b"", "claims.csv has no column claim_id"),
        ("claims.csv", b"<html>", "claims.csv has no column claim_id"),
        ("claims.csv", b"claim_id\n\xff\xfe", "claims.csv is not UTF-8: invalid start byte"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_ends_it(
    directory: Path, name: str, content: bytes | None, says: str
) -> None:
    path = directory / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(Unusable, match=says):
        read_set(directory)


def rewrite(directory: Path, name: str, old: str, new: str) -> None:
    path = directory / name
    path.write_text(path.read_text().replace(old, new))
