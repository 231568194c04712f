"""Payloads as athena really writes them → facts; what cannot be understood says where, and never what."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest

from athena_dash.records import facts
from athena_dash.sync.normalise import NORMALISERS, Context, normalise
from athena_dash.sync.normalise.context import Unmapped
from athena_dash.sync.resources import RESOURCES
from integrations.athena.errors import InvalidPayload

PHOENIX, EASTERN = ZoneInfo("America/Phoenix"), ZoneInfo("America/New_York")
CONTEXT = Context("195900", "", MappingProxyType({"1": EASTERN, "2": PHOENIX}), EASTERN)


def read(resource: str, payload: dict, parent: str = "") -> tuple:
    context = Context(CONTEXT.practice, parent, CONTEXT.zones, CONTEXT.fallback)
    return normalise(resource, json.dumps(payload).encode(), context)


def one(resource: str, payload: dict, kind: type, parent: str = ""):
    (found,) = (fact for fact in read(resource, payload, parent) if type(fact) is kind)
    return found


APPOINTMENT = {"appointmentid": "500", "appointmentstatus": "3", "departmentid": "1", "date": "03/09/2026"}
CLAIM = {"claimid": "301", "patientid": 7, "procedures": []}


def test_every_feed_has_a_normaliser() -> None:
    assert set(RESOURCES) <= set(NORMALISERS)


# -- the same claim as a number and as text ------------------------------------------------------------


@pytest.mark.parametrize("spell", [str, int], ids=["text", "number"])
def test_a_claim_reads_the_same_whichever_way_its_ids_and_amounts_are_written(spell) -> None:
    line = {
        "transactionid": spell(12),
        "procedurecode": "CPT 99213",
        "chargeamount": "225" if spell is str else 225,
    }
    payload = CLAIM | {"claimid": spell(301), "billedproviderid": spell(27), "procedures": [line]}
    claim = one("claims", payload, facts.ClaimFact)
    assert (claim.external_id, claim.patient_id, claim.billed_provider_id) == ("301", "7", "27")
    assert (claim.charge_amount, claim.procedure_codes) == (Decimal(225), ("99213",))
    assert one("claims", payload, facts.ChargeFact).external_id == "12"


@pytest.mark.parametrize(
    ("written", "dollars"), [(".01", ".01"), ("-25.15", "-25.15"), (42.71, "42.71"), (0, "0")]
)
def test_money_is_decimal_however_it_is_written(written: object, dollars: str) -> None:
    line = {"transactionid": 1, "chargeamount": written}
    claim = one("claims", CLAIM | {"procedures": [line]}, facts.ClaimFact)
    assert claim.charge_amount == Decimal(dollars)


def test_the_charge_of_a_claim_is_the_sum_of_its_lines() -> None:
    lines = [{"transactionid": n, "chargeamount": amount} for n, amount in enumerate((".01", "99.99"), 1)]
    assert one("claims", CLAIM | {"procedures": lines}, facts.ClaimFact).charge_amount == Decimal("100.00")


def test_a_claim_lists_its_lines_so_that_a_removed_one_is_noticed() -> None:
    payload = CLAIM | {"procedures": [{"transactionid": 4}, {"transactionid": "5"}]}
    assert one("claims", payload, facts.Roster).external_ids == ("4", "5")


def test_a_payer_slot_of_nobody_is_empty() -> None:
    slot = {"status": "CLOSED", "primarypatientinsuranceid": "0"}
    claim = one("claims", CLAIM | {"primaryinsurancepayer": slot}, facts.ClaimFact)
    assert (claim.primary_status, claim.primary_insurance_id) == ("CLOSED", "")


def test_a_claim_that_names_no_appointment_says_nothing_of_one() -> None:
    assert not [fact for fact in read("claims", CLAIM) if isinstance(fact, facts.ClaimOfAppointment)]
    assert one("claims", CLAIM | {"appointmentid": 500}, facts.ClaimOfAppointment).appointment_id == "500"


def test_a_claim_status_nobody_knows_is_kept_as_it_is() -> None:
    claim = one("claims", CLAIM | {"primaryinsurancepayer": {"status": "ZHOLD"}}, facts.ClaimFact)
    assert claim.primary_status == "ZHOLD"


def test_only_charges_are_lines() -> None:
    assert read("transactions", {"transactionid": 1, "transactiontype": "PAYMENT"}, "301") == ()


@pytest.mark.parametrize(
    ("named", "claim"), [({}, "301"), ({"claimid": 302}, "302"), ({"claimid": "0"}, "301")]
)
def test_a_line_is_of_the_claim_it_names_and_else_of_the_one_asked_about(named: dict, claim: str) -> None:
    line = one("transactions", {"transactionid": 1} | named, facts.TransactionFact, "301")
    assert line.claim_id == claim


# -- time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("department", "utc"), [("1", "13:30"), ("2", "16:30"), ("99", "13:30")], ids=["NY", "Phoenix", "unknown"]
)
def test_a_visit_begins_in_the_zone_of_its_department(department: str, utc: str) -> None:
    payload = APPOINTMENT | {"departmentid": department, "starttime": "09:30"}
    starts = one("appointments", payload, facts.AppointmentFact).starts_at
    assert f"{starts:%H:%M}" == utc


def test_scheduling_stamps_are_eastern_wherever_the_department_is() -> None:
    payload = APPOINTMENT | {
        "departmentid": "2",
        "scheduleddatetime": "03/01/2026 09:00:00",
        "checkindatetime": "03/09/2026 09:00:00",
    }
    seen = one("appointments", payload, facts.AppointmentFact)
    assert seen.scheduled_at == dt.datetime(2026, 3, 1, 14, tzinfo=dt.UTC)  # before daylight saving
    assert seen.checked_in_at == dt.datetime(2026, 3, 9, 16, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("start", "utc"),
    [("01:30", "05:30"), ("02:30", "07:30")],
    ids=["the first of an hour that repeats", "in the gap"],
)
def test_daylight_saving_is_read_one_way_only(start: str, utc: str) -> None:
    day = "11/01/2026" if start == "01:30" else "03/08/2026"
    payload = APPOINTMENT | {"date": day, "starttime": start}
    assert f"{one('appointments', payload, facts.AppointmentFact).starts_at:%H:%M}" == utc


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America", "x" * 300])
def test_a_department_in_a_zone_nobody_knows_does_not_get_in(zone: str) -> None:
    with pytest.raises(Unmapped) as raised:
        read("departments", {"departmentid": "1", "timezonename": zone})
    assert raised.value.field == "timezonename"


# -- people --------------------------------------------------------------------------------------------


def test_the_survivor_of_a_merge_speaks_for_those_it_swallowed() -> None:
    found = read("patients", {"patientid": "7", "previouspatientids": [5, "7"]})
    merges = [fact for fact in found if isinstance(fact, facts.PatientMerge)]
    assert [(merge.external_id, merge.merged_into) for merge in merges] == [("5", "7")]


# -- encounters ----------------------------------------------------------------------------------------


def test_a_chart_encounter_belongs_to_the_patient_and_department_that_were_asked_for() -> None:
    seen = one("encounters", {"encounterid": 900, "status": "OPEN"}, facts.BriefEncounter, "7/2")
    assert (seen.external_id, seen.patient_id, seen.department_id) == ("900", "7", "2")


def test_diagnoses_that_were_not_told_are_left_as_they_are() -> None:
    """One encounter asked for by its id comes without them; a list says them, also that there are none."""
    alone = one("encounters", {"encounterid": 900, "status": "OPEN"}, facts.BriefEncounter, "7/2")
    assert not isinstance(alone, facts.ChartEncounter)
    told = {"encounterid": 900, "status": "OPEN", "diagnoses": [{"icdcodes": [{"code": "Z34.82"}]}]}
    assert one("encounters", told, facts.ChartEncounter, "7/2").diagnosis_codes == ("Z34.82",)
    assert one("encounters", told | {"diagnoses": []}, facts.ChartEncounter, "7/2").diagnosis_codes == ()


@pytest.mark.parametrize(
    ("logical_id", "external_id"),
    [("a-195900.encounter-900", "900"), ("a-195900.stay-12", "stay-12")],
    ids=["a visit", "a stay"],
)
def test_a_fhir_encounter_is_the_visit_of_its_id_and_a_stay_keeps_its_prefix(logical_id, external_id) -> None:
    payload = {
        "resourceType": "Encounter",
        "id": logical_id,
        "status": "finished",
        "subject": {"reference": "Patient/a-195900.E-7"},
        "period": {"start": "2026-03-09T09:30:00-04:00"},
    }
    seen = one("fhir_encounters", payload, facts.FhirEncounter)
    assert (seen.external_id, seen.patient_id) == (external_id, "7")
    assert seen.started_at == dt.datetime(2026, 3, 9, 13, 30, tzinfo=dt.UTC)


# -- what cannot be understood -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "payload", "path"),
    [
        ("claims", CLAIM | {"claimid": None}, "claimid"),
        ("claims", CLAIM | {"claimcreateddate": "yesterday"}, "claimcreateddate"),
        ("claims", CLAIM | {"procedures": [{"transactionid": 1, "chargeamount": "a lot"}]}, "chargeamount"),
        ("claims", CLAIM | {"procedures": "none"}, "procedures"),
        ("patients", {"patientid": "7", "firstname": "Mara\x00Quill"}, "firstname"),
        ("patients", {"patientid": "7", "firstname": "Mara\ud800Quill"}, "firstname"),
        ("patients", {"patientid": "7", "dob": "02/30/1980"}, "dob"),
    ],
)
def test_a_payload_that_breaks_the_contract_says_where_and_not_what(resource, payload, path) -> None:
    with pytest.raises(InvalidPayload) as raised:
        read(resource, payload)
    assert raised.value.path.endswith(path)
    assert "Mara" not in str(raised.value)


@pytest.mark.parametrize(
    ("resource", "payload", "parent"),
    [
        ("appointments", APPOINTMENT | {"appointmentstatus": "q"}, ""),
        ("appointments", {"appointmentid": "500"}, ""),
        ("encounters", {"encounterid": "900", "status": "WHATEVER"}, "7/1"),
        ("fhir_encounters", {"resourceType": "Encounter", "id": "a-1.encounter-9", "status": "new"}, "7"),
    ],
)
def test_a_code_that_steers_what_happens_next_must_be_known(resource, payload, parent) -> None:
    with pytest.raises(Unmapped):
        read(resource, payload, parent)
