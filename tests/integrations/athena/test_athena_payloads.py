from __future__ import annotations

import contextlib
import json
from datetime import date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena.endpoints import ENDPOINTS
from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads import PAYLOADS, Appointment, Claim, Transaction, decode, read


def raw(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_every_resource_has_a_payload_that_knows_its_id() -> None:
    assert set(PAYLOADS) == set(ENDPOINTS)
    for name, endpoint in ENDPOINTS.items():
        assert endpoint.id_field in PAYLOADS[name].__struct_fields__


def test_a_claim_reads_the_same_from_its_own_endpoint_and_nested_in_an_appointment() -> None:
    own = raw(
        claimid="301",
        billedproviderid=27,
        procedures=[{"transactionid": "2801", "chargeamount": "225"}],
        primaryinsurancepayer={"primarypatientinsuranceid": 1442, "status": "CLOSED"},
    )
    nested = raw(
        appointmentid="7",
        claims=[
            {
                "claimid": 301,
                "billedproviderid": "27",
                "procedures": [{"transactionid": 2801, "chargeamount": 225}],
                "primaryinsurancepayer": {"primarypatientinsuranceid": "1442", "status": "CLOSED"},
            }
        ],
    )
    assert read(Appointment, nested).claims == (read(Claim, own),)


def test_an_appointment_is_typed() -> None:
    appointment = read(
        Appointment,
        raw(
            appointmentid=1,
            date="06/02/2016",
            starttime="12:00",
            duration="5",
            checkindatetime="06/02/2016 16:04:31",
            chargeentrynotrequired="false",
            copay=0,
            hl7providerid=3,
            somethingnew={"a": 1},
        ),
    )
    assert appointment.date == date(2016, 6, 2)
    assert appointment.starttime == time(12)
    assert appointment.duration == 5
    assert appointment.checkindatetime == datetime(2016, 6, 2, 16, 4, 31)  # noqa: DTZ001 - v1 sends no zone
    assert appointment.chargeentrynotrequired is False
    assert appointment.copay == Decimal(0)


def test_self_pay_is_no_insurance() -> None:
    claim = read(Claim, raw(claimid="1", secondaryinsurancepayer={"secondarypatientinsuranceid": "0"}))
    assert claim.secondaryinsurancepayer is not None
    assert claim.secondaryinsurancepayer.secondarypatientinsuranceid is None


def test_an_unknown_status_is_kept() -> None:
    claim = read(Claim, raw(claimid="1", patientpayer={"status": "NEWHOLD"}))
    assert claim.patientpayer is not None
    assert claim.patientpayer.status == "NEWHOLD"


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({}, "claimid"),
        ({"claimid": None}, "claimid"),
        ({"claimid": "0"}, "claimid"),
        ({"claimid": "1", "procedures": {}}, "procedures"),
        ({"claimid": "1", "procedures": [{"transactionid": "2"}, {}]}, "procedures[1].transactionid"),
        (
            {"claimid": "1", "procedures": [{"transactionid": "2", "chargeamount": "JANE"}]},
            "procedures[0].chargeamount",
        ),
        ({"claimid": "1", "patientpayer": {"status": "a\x00JANE"}}, "patientpayer.status"),
        ({"claimid": "1", "patientpayer": {"status": "JANE\ud83d"}}, "patientpayer.status"),
    ],
)
def test_a_broken_record_names_the_path_and_not_the_value(record: object, path: str) -> None:
    with pytest.raises(InvalidPayload) as invalid:
        decode("claims", json.dumps(record).encode())
    assert invalid.value.path == path
    assert "JANE" not in str(invalid.value)


def test_broken_text_in_a_field_nobody_reads_does_no_harm() -> None:
    assert read(Transaction, rb'{"transactionid":1,"memo":"\ud800","other":"\u0000"}').transactionid == "1"


@given(st.binary(max_size=80), st.sampled_from(sorted(PAYLOADS)))
def test_any_bytes_are_decoded_or_refused(junk: bytes, resource: str) -> None:
    with pytest.raises(InvalidPayload):
        decode(resource, junk)


@given(st.sampled_from(sorted(PAYLOADS)), st.data())
def test_any_value_in_any_field_is_read_or_refused(resource: str, data: st.DataObject) -> None:
    names = st.sampled_from(PAYLOADS[resource].__struct_fields__)
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    values = st.recursive(leaves, lambda v: st.lists(v, max_size=2) | st.dictionaries(names, v, max_size=2))
    record = data.draw(st.dictionaries(names, values, max_size=6))
    record.setdefault(ENDPOINTS[resource].id_field, "1")
    with contextlib.suppress(InvalidPayload):
        decode(resource, json.dumps(record).encode())
