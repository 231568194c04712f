"""One claim that pays for many visits: what it covers, what that hides, how it ends, and what people say of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from tests.correlation.office import (
    Office,
    Row,
    a_claim,
    a_line,
    a_patient,
    a_service,
    an_appointment,
    an_encounter,
)

if TYPE_CHECKING:
    from athena_dash.accounts.models import User

PRENATAL = dt.date(2026, 1, 14)
BIRTH = dt.date(2026, 3, 4)
COVERED = "part of claim 40, obstetric package until Apr 15, 2026"


def a_prenatal_visit(id: str = "100", day: dt.date = PRENATAL, **columns: Any) -> list[Row]:
    note = f"9{id}"
    return [
        an_appointment(
            id,
            encounter_id=note,
            date=day,
            checked_in_at=dt.datetime.combine(day, dt.time(16), dt.UTC),
            checked_out_at=dt.datetime.combine(day, dt.time(17), dt.UTC),
            **columns,
        ),
        an_encounter(note, date=day, closed_on=day, diagnosis_codes=["Z34.82"]),
        a_service(f"8{id}", note, "99213"),
    ]


def a_birth(id: str = "40", **columns: Any) -> list[Row]:
    """In a hospital: no appointment of ours."""
    columns = {"procedure_codes": ["59400"], "service_date": BIRTH, "appointment_id": "900"} | columns
    return [
        a_claim(id, **columns),
        a_line(f"1{id}", id, "3200.00", procedure_code="59400"),
    ]


def state(office: Office, anchor_id: str = "100") -> list[tuple[str, str]]:
    return list(office.visit(anchor_id).coverages.order_by("claim_id").values_list("claim_id", "state"))


def test_a_visit_inside_a_package_waits_for_no_claim_and_says_whose_it_is(office: Office) -> None:
    office.receive(*a_prenatal_visit())
    assert set(office.gaps("100")) == {"G13"}
    office.receive(*a_birth())
    visit = office.visit("100")
    assert (visit.suppressor, visit.track) == (COVERED, "DDDDNNNN")
    assert office.gaps("100") == {}


def test_the_claims_dollars_stay_with_the_claim(office: Office) -> None:
    """It is linked to its own visit only; the visits it covers hold no money of it."""
    office.receive(*a_prenatal_visit(), an_appointment("200", date=BIRTH))
    office.receive(*a_birth(appointment_id="200"))
    assert office.where("claim", "40") == "appointment 200"
    assert (office.visit("200").charges, office.visit("100").charges) == (Decimal("3200.00"), None)
    assert state(office, "200") == []


def test_a_covered_visit_must_still_be_signed_and_its_gap_has_no_dollars(office: Office) -> None:
    office.receive(*a_prenatal_visit(), *a_birth())
    office.receive(
        an_encounter("9100", date=PRENATAL, status="OPEN", closed_on=None, diagnosis_codes=["Z34.82"])
    )
    gap = office.gaps("100")["G11"]
    assert (gap.at_risk, gap.estimator, gap.filing_limit) == (None, "E6", None)
    assert office.visit("100").track == "DDDMNNNN"


@pytest.mark.parametrize("what", ["voided", "gone", "another_code", "another_patient"])
def test_a_claim_that_is_no_such_claim_any_more_covers_nothing(office: Office, what: str) -> None:
    office.receive(*a_prenatal_visit(), *a_birth())
    ended = {
        "voided": [
            *a_birth(primary_status="CLOSED"),
            a_line("2", "40", "-3200.00", procedure_code="59400"),
        ],
        "gone": a_birth(gone_at=dt.datetime(2026, 3, 10, tzinfo=dt.UTC)),
        "another_code": a_birth(procedure_codes=["59409"]),
        "another_patient": a_birth(patient_id="8"),
    }[what]
    office.receive(*ended)
    assert state(office) == []
    assert office.visit("100").suppressor == ""
    assert set(office.gaps("100")) == {"G13"}


def test_a_visit_that_gets_a_claim_of_its_own_is_covered_by_no_other(office: Office) -> None:
    office.receive(*a_prenatal_visit(), *a_birth())
    office.receive(a_claim("50", appointment_id="100", service_date=PRENATAL))
    assert state(office) == []
    assert office.visit("100").suppressor == ""


def test_a_voided_claim_of_its_own_leaves_the_visit_to_the_package(office: Office) -> None:
    """As happens when charge entry notices."""
    own = a_claim("50", appointment_id="100", service_date=PRENATAL, primary_status="CLOSED")
    office.receive(*a_prenatal_visit(), own, a_line("5", "50"), a_line("6", "50", "-180.00"), *a_birth())
    assert state(office) == [("40", "covered")]
    assert office.gaps("100") == {}


def test_the_order_in_which_records_arrive_does_not_matter(office: Office) -> None:
    parts = [a_prenatal_visit(), a_birth(), [("provider", {"external_id": "71", "specialty": "Obstetrics"})]]
    parts.append(a_prenatal_visit("101", PRENATAL + dt.timedelta(days=28)))
    orders = list(permutations(parts))
    pictures = set()
    for number, order in enumerate(orders[::5]):
        patient = f"7{number}"
        for part in order:
            office.receive(*(of_patient(row, patient, number) for row in part))
        visits = [office.visit(f"{id}{number}") for id in ("100", "101")]
        pictures.add(tuple((visit.suppressor.replace(f"40{number}", "40"), visit.track) for visit in visits))
    assert pictures == {((COVERED, "DDDDNNNN"), (COVERED, "DDDDNNNN"))}


def of_patient(row: Row, patient: str, number: int) -> Row:
    """The same record, of somebody else."""
    table, columns = row
    if table == "provider":
        return row
    ids = {
        name: f"{columns[name]}{number}"
        for name in ("external_id", "encounter_id", "claim_id")
        if name in columns
    }
    return table, columns | ids | ({"patient_id": patient} if "patient_id" in columns else {})


def test_correlating_again_changes_nothing(office: Office) -> None:
    office.receive(*a_prenatal_visit(), *a_birth())
    before = list(office.visit("100").coverages.values())
    office.correlate({"claim": {"40"}, "appointment": {"100"}})
    assert list(office.visit("100").coverages.values()) == before


def test_a_claim_of_a_patient_who_was_registered_twice_covers_the_visits_of_both(office: Office) -> None:
    office.receive(*a_prenatal_visit(), *a_birth(patient_id="8"))
    assert state(office) == []
    office.receive(a_patient("7"), a_patient("8", merged_into="7"))
    assert state(office) == [("40", "covered")]
    office.receive(a_patient("8", merged_into="", unmerged_from="7"))
    assert state(office) == []


def test_a_visit_of_the_patient_that_is_given_up_is_covered_by_the_survivors_claim(office: Office) -> None:
    office.receive(*a_prenatal_visit(), *a_birth(patient_id="8"))
    office.receive(a_patient("7", merged_into="8"), a_patient("8"))
    assert state(office) == [("40", "covered")]


def test_a_first_load_finds_the_claims_of_patients_whose_records_all_name_their_visit(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("athena_dash.correlation.scope.LARGE", 1)
    booked, (table, note), service = a_prenatal_visit()
    named = (table, note | {"appointment_id": "100"})
    merged = a_patient("7"), a_patient("8", merged_into="7")
    office.receive(*merged, booked, named, service, *a_birth(patient_id="8"))
    assert state(office) == [("40", "covered")]


def test_a_case_that_is_not_certain_stays_a_gap(office: Office) -> None:
    visit = a_prenatal_visit()
    office.receive(*visit, *a_birth())
    office.receive(
        an_encounter("9100", date=PRENATAL, closed_on=PRENATAL, diagnosis_codes=["Z34.82", "J06.9"])
    )
    assert state(office) == [("40", "asked")]
    assert set(office.gaps("100")) == {"G13"}


class TestWhatPeopleSay:
    @pytest.fixture
    def user(self, office: Office) -> User:
        from tests.builders import a_user

        return a_user(office.practice)

    def unsure(self, office: Office) -> None:
        office.receive(*a_prenatal_visit(), *a_birth())
        mixed = an_encounter("9100", date=PRENATAL, closed_on=PRENATAL, diagnosis_codes=["Z34.82", "J06.9"])
        office.receive(mixed)

    def say(self, office: Office, user: User, verb: str) -> None:
        from athena_dash.correlation import coverages

        getattr(coverages, verb)(office.visit("100").coverages.get().pk, user)
        office.correlate({"claim": {"40"}})

    def test_a_person_may_say_that_it_is_part_of_it(self, office: Office, user: User) -> None:
        self.unsure(office)
        self.say(office, user, "confirm")
        assert office.visit("100").suppressor == COVERED
        self.say(office, user, "undo")
        assert state(office) == [("40", "asked")]
        assert set(office.gaps("100")) == {"G13"}

    def test_a_person_may_say_that_what_the_rule_took_for_certain_is_not_so(
        self, office: Office, user: User
    ) -> None:
        office.receive(*a_prenatal_visit(), *a_birth())
        self.say(office, user, "decline")
        assert set(office.gaps("100")) == {"G13"}
        office.receive(*a_birth(primary_status="CLOSED"))
        assert state(office) == [("40", "declined")]

    def test_their_word_ends_with_the_claim_and_comes_back_with_it(self, office: Office, user: User) -> None:
        self.unsure(office)
        self.say(office, user, "confirm")
        office.receive(*a_birth(gone_at=dt.datetime(2026, 3, 10, tzinfo=dt.UTC)))
        assert state(office) == [("40", "over")]
        assert set(office.gaps("100")) == {"G13"}
        office.receive(*a_birth(gone_at=None))
        assert state(office) == [("40", "covered")]

    def test_every_word_is_kept(self, office: Office, user: User) -> None:
        from athena_dash.correlation.models import Decision

        self.unsure(office)
        for verb in ("confirm", "undo", "decline"):
            self.say(office, user, verb)
        told = Decision.objects.filter(record_id="40").order_by("pk").values_list("verb", "was_state", "user")
        assert list(told) == [
            ("part", "asked", user.pk),
            ("undo", "covered", user.pk),
            ("not_part", "asked", user.pk),
        ]

    def test_two_people_do_not_overrule_each_other_unseen(self, office: Office, user: User) -> None:
        from athena_dash.correlation import coverages
        from athena_dash.correlation.decisions import Settled

        self.unsure(office)
        self.say(office, user, "confirm")
        with pytest.raises(Settled):
            coverages.decline(office.visit("100").coverages.get().pk, user)


def test_a_slip_that_is_waived_inside_a_package_is_no_leak(office: Office) -> None:
    waived = {"status": "4", "charge_entry_not_required": True, "charge_entry_not_required_reason": "Other"}
    office.receive(*a_prenatal_visit(**waived))
    assert set(office.gaps("100")) == {"G18"}
    office.receive(*a_birth())
    assert office.gaps("100") == {}
