"""The shapes of athenaOne v1: what drifts between endpoints, what is nested, what is never shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from integrations.sandbox.world import PayerSlot
from tests.sandbox.server import world
from tests.sandbox.server.conftest import Athena

MARCH = {"startdate": "03/01/2026", "enddate": "03/31/2026"}


def add(athena: Athena, kind: str, *things: object) -> None:
    with athena.store() as store, store.transaction():
        store.put(world.PRACTICE, kind, things)  # type: ignore[arg-type]


def test_single_reads_are_arrays_of_one_but_a_claim_is_an_object(athena: Athena) -> None:
    for path in (
        "/patients/7",
        "/appointments/500",
        "/chart/encounter/900",
        "/providers/21",
        "/departments/1",
    ):
        body = athena.get(path).json()
        assert isinstance(body, list), path
        assert len(body) == 1
    assert athena.get("/claims/301").json()["claimid"] == "301"


def test_the_same_claim_has_number_ids_alone_and_text_ids_in_its_appointment(athena: Athena) -> None:
    alone = athena.get("/claims/301").json()
    [row] = athena.get("/appointments/booked", **MARCH, showclaimdetail="true").json()["appointments"]
    [nested] = row["claims"]
    assert (alone["billedproviderid"], nested["billedproviderid"]) == (21, "21")
    assert alone["primaryinsurancepayer"]["primarypatientinsuranceid"] == 63
    assert nested["primaryinsurancepayer"]["primarypatientinsuranceid"] == "63"
    assert nested["secondaryinsurancepayer"]["secondarypatientinsuranceid"] == "0"
    assert {"patientid", "departmentid", "appointmentid"} <= alone.keys()
    assert not {"patientid", "departmentid", "appointmentid"} & nested.keys()


def test_claims_are_not_in_an_appointment_unless_asked_for(athena: Athena) -> None:
    [row] = athena.get("/appointments/booked", **MARCH).json()["appointments"]
    assert "claims" not in row


def test_a_cent_has_no_leading_zero_on_a_claim_and_is_a_number_in_its_transactions(athena: Athena) -> None:
    assert athena.get("/claims/301").json()["transactiondetails"] == {"2801": "225", "2802": ".01"}
    rows = {row["transactionid"]: row for row in athena.get("/claims/301/claimtransactions").json()}
    assert rows[2802]["amount"] == 0.01
    assert [rows[2801]["procedurecode"], rows[2802]["procedurecode"]] == ["CPT 99213", "G8553"]


def test_transactions_show_what_is_left_of_each_charge(athena: Athena) -> None:
    paid = world.charge(payments=Decimal("150.50"), adjustments=Decimal("25"), payer="PATIENT")
    add(athena, "claim", world.claim(charges=(paid,)))
    [row] = athena.get("/claims/301/claimtransactions").json()
    assert (row["payments"], row["adjustments"], row["outstandingamount"]) == (150.5, 25, 49.5)
    assert athena.get("/patients/7").json()[0]["balances"][0]["balance"] == "49.50"


def test_a_voided_claim_shows_only_closed_slots_and_lines_that_net_to_zero(athena: Athena) -> None:
    before = athena.get("/claims/301").json()
    paid = world.charge(payments=Decimal(100))
    add(athena, "claim", world.claim(charges=(paid,), voided=True))
    after = athena.get("/claims/301").json()
    assert after.keys() == before.keys()
    slots = ("primaryinsurancepayer", "secondaryinsurancepayer", "patientpayer")
    assert {after[slot]["status"] for slot in slots} == {"CLOSED"}
    [row] = athena.get("/claims/301/claimtransactions").json()
    assert (row["payments"], row["outstandingamount"]) == (0, 0)


def test_a_claim_made_late_in_the_east_belongs_to_that_eastern_day(athena: Athena) -> None:
    assert athena.get("/claims/301").json()["claimcreateddate"] == "03/09/2026"
    window = {"createdstartdate": "03/09/2026", "createdenddate": "03/09/2026"}
    assert athena.get("/claims", **window).json()["totalcount"] == 1
    window = {"createdstartdate": "03/10/2026", "createdenddate": "03/10/2026"}
    assert athena.get("/claims", **window).json()["totalcount"] == 0


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"appointmentid": "500"}, 1),
        ({"appointmentid": "499,500"}, 1),
        ({"appointmentid": "499"}, 0),
        ({"patientid": "7", "departmentid": "1"}, 1),
        ({"providerid": "21"}, 1),
        ({"providerid": "22"}, 0),
        ({"procedurecodes": "99213"}, 1),
        ({"procedurecodes": "99999"}, 0),
        ({"servicestartdate": "03/09/2026", "serviceenddate": "03/09/2026"}, 1),
        ({"servicestartdate": "03/10/2026"}, 0),
    ],
)
def test_claims_are_found_by(athena: Athena, params: dict[str, str], found: int) -> None:
    assert athena.get("/claims", **params).json()["totalcount"] == found


def test_the_supervising_provider_is_shown_and_found_on_request(athena: Athena) -> None:
    add(athena, "claim", world.claim(supervising_provider_id="22"))
    [row] = athena.get("/claims", providerid=22, showsupervisingprovider="true").json()["claims"]
    assert (row["billedproviderid"], row["supervisingproviderid"]) == (21, 22)
    [row] = athena.get("/claims", providerid=22).json()["claims"]
    assert "supervisingproviderid" not in row


def test_notes_can_be_asked_for_holds_only(athena: Athena) -> None:
    assert len(athena.get("/claims/301/claimnotes").json()) == 2
    [hold] = athena.get("/claims/301/claimnotes", showholdonly="true").json()
    assert hold == {"claimnoteid": 323, "status": "HOLD", "pendingflag": "undef", "claimnote": "Missing NPI"}
    assert athena.get("/claims/301/claimnotes", pendingflags="Y").json() == []


def test_desk_stamps_are_local_to_the_department_and_server_stamps_eastern(athena: Athena) -> None:
    at = datetime(2026, 3, 9, 13, 25, tzinfo=UTC)
    add(
        athena,
        "appointment",
        world.appointment("501", department_id="2", scheduled_at=at, checked_in_at=at),
    )
    [row] = athena.get("/appointments/501").json()
    assert row["scheduleddatetime"] == "03/09/2026 09:25:00"
    assert row["checkindatetime"] == "03/09/2026 08:25:00"


def test_open_slots_are_never_booked_and_cancelled_ones_only_on_request(athena: Athena) -> None:
    add(
        athena,
        "appointment",
        world.appointment("501", status="x", cancel_reason="Patient called", rescheduled_to="502"),
        world.appointment("502", status="o", patient_id=None, encounter_id=None),
    )
    assert ids(athena.get("/appointments/booked", **MARCH)) == ["500"]
    shown = athena.get("/appointments/booked", **MARCH, showcancelled="true")
    assert ids(shown) == ["500", "501"]
    cancelled = shown.json()["appointments"][1]
    assert cancelled["rescheduledappointmentid"] == "502"
    assert cancelled["cancelreasonname"] == "Patient called"


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"departmentid": "1"}, ["500"]),
        ({"departmentid": "2"}, []),
        ({"providerid": "21", "patientid": "7", "appointmentstatus": "3"}, ["500"]),
        ({"appointmentstatus": "f"}, []),
        ({"startlastmodified": "03/07/2026 10:30:00"}, ["500"]),
        ({"startlastmodified": "03/07/2026 10:30:01"}, []),
        ({"startlastmodified": "03/07/2026 00:00:00", "endlastmodified": "03/07/2026 10:29:59"}, []),
        ({"scheduledstartdate": "03/01/2026", "scheduledenddate": "03/01/2026"}, ["500"]),
        ({"scheduledstartdate": "03/02/2026"}, []),
    ],
)
def test_booked_appointments_are_found_by(athena: Athena, params: dict[str, str], found: list[str]) -> None:
    assert ids(athena.get("/appointments/booked", **MARCH, **params)) == found


def ids(answer) -> list[str]:  # type: ignore[no-untyped-def]
    return [row["appointmentid"] for row in answer.json()["appointments"]]


def test_a_previsit_note_shows_an_encounter_without_progress(athena: Athena) -> None:
    add(
        athena,
        "appointment",
        world.appointment("501", status="f", encounter_id="901", checked_in_at=None, checked_out_at=None),
    )
    add(athena, "encounter", world.encounter("901", appointment_id="501", status="PEND"))
    [row] = athena.get("/appointments/501").json()
    assert (row["encounterid"], row["encounterstate"]) == ("901", "PEND")
    assert "encounterstatus" not in row


def test_encounter_ids_are_numbers_and_lastupdated_has_no_time(athena: Athena) -> None:
    [row] = athena.get("/chart/7/encounters", departmentid=1, showdiagnoses="true").json()["encounters"]
    assert (row["encounterid"], row["appointmentid"]) == (900, 500)
    assert row["lastupdated"] == "03/07/2026"
    assert row["diagnoses"][0]["icdcodes"][0]["code"] == "J00"


def test_unusual_encounters_are_hidden_until_asked_for_and_stays_always(athena: Athena) -> None:
    add(
        athena,
        "encounter",
        world.encounter("901", status="DELETED"),
        world.encounter("902", kind="FLOWSHEET", appointment_id=None),
        world.encounter("903", inpatient=True, appointment_id=None),
    )

    def shown(**params: str) -> list[int]:
        body = athena.get("/chart/7/encounters", departmentid=1, **params).json()
        return [row["encounterid"] for row in body["encounters"]]

    assert shown() == [900]
    assert shown(showallstatuses="true") == [900, 901]
    assert shown(showallstatuses="true", showalltypes="true") == [900, 901, 902]
    assert athena.get("/chart/encounter/903").status_code == 404


def test_a_cancelled_or_expired_insurance_is_shown_only_on_request(athena: Athena) -> None:
    add(
        athena,
        "insurance",
        world.insurance("64", cancelled_on=date(2026, 1, 1)),
        world.insurance("65", expires_on=date(2026, 1, 1)),
    )
    assert athena.get("/patients/7/insurances").json()["totalcount"] == 1
    assert athena.get("/patients/7/insurances", showcancelled="true").json()["totalcount"] == 3


def test_a_merged_patient_is_deleted_and_the_other_names_it(athena: Athena) -> None:
    add(
        athena,
        "patient",
        world.patient("8", status="deleted", merged_into="7"),
        world.patient(previous_ids=("8",)),
    )
    assert athena.get("/patients/8").json()[0]["status"] == "deleted"
    assert "previouspatientids" not in athena.get("/patients/7").json()[0]
    assert athena.get("/patients/7", showpreviouspatientids="true").json()[0]["previouspatientids"] == ["8"]
    found = athena.get("/patients", lastname="PETREL", dob="02/03/1980").json()["patients"]
    assert [row["patientid"] for row in found] == ["7"]


def test_open_slots_have_number_ids(athena: Athena) -> None:
    day = (world.NOW + timedelta(days=2)).date()
    add(
        athena,
        "appointment",
        world.appointment("600", status="o", patient_id=None, day=day, start=time(8), encounter_id=None),
    )
    [row] = athena.get("/appointments/open", departmentid=1, reasonid=-1).json()["appointments"]
    assert (row["appointmentid"], row["departmentid"], row["localproviderid"]) == (600, 1, 21)
    assert athena.get("/appointments/open", departmentid=1).json()["appointments"] == []


def test_no_status_date_original_claim_or_remit_is_ever_shown(athena: Athena) -> None:
    add(athena, "claim", world.claim(primary=PayerSlot(status="FOLLOWUP", insurance_id="63")))
    names = set(keys(athena.get("/claims/301").json()))
    assert not {name for name in names if "void" in name or "original" in name or "remit" in name}
    assert {name for name in names if "date" in name} == {"claimcreateddate", "billedservicedate"}


def keys(payload: object) -> list[str]:
    if isinstance(payload, dict):
        return [name for key, value in payload.items() for name in (key, *keys(value))]
    return [name for item in payload for name in keys(item)] if isinstance(payload, list) else []


class TestPages:
    def test_next_is_relative_with_the_practice_and_upper_case_names(self, athena: Athena) -> None:
        add(athena, "appointment", *(world.appointment(str(501 + n)) for n in range(4)))
        first = athena.get("/appointments/booked", **MARCH, departmentid=1, limit=2).json()
        assert first["totalcount"] == 5
        assert first["next"] == (
            f"/v1/{world.PRACTICE}/appointments/booked?DEPARTMENTID=1&ENDDATE=03%2F31%2F2026"
            "&STARTDATE=03%2F01%2F2026&limit=2&offset=2"
        )
        assert "previous" not in first
        second = athena.http.get(first["next"]).json()
        third = athena.http.get(second["next"]).json()
        seen = [row["appointmentid"] for page in (first, second, third) for row in page["appointments"]]
        assert seen == ["500", "501", "502", "503", "504"]
        assert "next" not in third
        assert third["previous"].endswith("offset=2")
