"""Which visits a claim pays for beside its own, as the case book has it (episodes.toml)."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.correlation.conftest import office

if TYPE_CHECKING:
    from tests.correlation.office import Office

__all__ = ["office"]

BOOK = tomllib.loads((Path(__file__).parent / "episodes.toml").read_text())
SPECIALTIES = {"71": "Obstetrics", "72": "Obstetrics", "90": "Dermatology"}


@pytest.mark.parametrize("case", BOOK["case"], ids=lambda case: case["says"])
def test_a_case_of_the_book(office: Office, case: dict[str, Any]) -> None:
    from athena_dash.correlation.models import Coverage
    from athena_dash.practices.models import Policy

    if packages := case.get("packages"):
        Policy.objects.create(practice=office.practice, name="packages", value=packages)
    office.receive(*records(**case))
    found = list(Coverage.objects.values_list("visit__anchor_id", "state"))
    assert found == ([("100", case["expected"])] if case["expected"] else []), BOOK["source"]


def records(claim: dict[str, Any], visit: dict[str, Any], **_: Any) -> list[Any]:
    from tests.correlation.office import a_claim, a_service, an_appointment, an_encounter

    seen_by = {"provider_id": visit.get("provider", "71"), "date": visit["day"]}
    services = [told.partition(" ") for told in visit.get("services", ())]
    return [
        *(("provider", {"external_id": id, "specialty": words}) for id, words in SPECIALTIES.items()),
        an_appointment("100", encounter_id="9", status=visit.get("status", "3"), **seen_by),
        an_encounter("9", diagnosis_codes=visit.get("diagnoses", []), **seen_by),
        *(
            a_service(str(number), "9", code, bill_for_service=not ruled_out)
            for number, (code, _, ruled_out) in enumerate(services)
        ),
        a_claim(
            "40",
            appointment_id="900",  # of a visit that is not here
            procedure_codes=claim["codes"],
            service_date=claim["day"],
            diagnosis_codes=claim.get("diagnoses", []),
        ),
    ]


def test_the_book_knows_what_is_covered_what_is_asked_and_what_is_neither() -> None:
    answers = Counter(case["expected"] for case in BOOK["case"])
    assert min(answers[answer] for answer in ("covered", "asked", "")) >= 4
