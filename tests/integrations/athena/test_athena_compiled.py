"""The quick reader gives what the patient one gives, or nothing."""

from __future__ import annotations

import json
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads import PAYLOADS, Claim, Transaction
from integrations.athena.payloads.compiled import quick
from integrations.athena.payloads.reading import bind, parse

NUMBERS = (
    st.integers() | st.floats() | st.sampled_from([0, -0.0, 1, 1.0, 12.5, 10**18, 10**19, 10**400, 1e22])
)
SPELT = st.sampled_from(
    [
        "",
        " ",
        "0",
        "007",
        "12.50",
        ".01",
        "-25.15",
        " 7. ",
        "1e5",
        "NaN",
        "1_000",
        "\u0663",
        "9" * 65,
        "a.b-c",
        "-5",
    ]
    + [
        "03/09/2026",
        "3/9/2026",
        "02/30/2026",
        " 03/09/2026",
        "03/09/2026 10:12",
        "03/09/2026  10:12:59",
        "10:12",
    ]
    + [
        "03/09/2026 25:00",
        " 03/09/2026 10:12",
        "24:00",
        "2026-03-09",
        "true",
        "FALSE",
        "Y",
        "on",
        "undef",
        "maybe",
    ]
    + ["HOLD", "n/a", "caf\u00e9", "a\x00b", "\ud800", "\U0001f600", 'say ""', "\\u0000", "CPT 99213"]
)
LEAVES = st.none() | st.booleans() | NUMBERS | SPELT | st.text(max_size=5)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


def spelt_like(hint: Any) -> st.SearchStrategy[Any]:
    """What JSON may hold where the struct wants this, mostly of the right shape."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        (inner,) = (arg for arg in args if arg is not NoneType)
        return st.none() | spelt_like(inner)
    if origin is tuple:
        return st.lists(spelt_like(args[0]), max_size=3) | st.sampled_from([[], {}, None, ""])
    if origin is dict:
        return st.dictionaries(SPELT, spelt_like(args[1]), max_size=3) | st.sampled_from([[], [1], {}, None])
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return record_of(hint) | st.sampled_from([[], {}, None, ""])
    return LEAVES


def record_of(kind: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(kind)
    needed, others = {}, {}
    for field in msgspec.structs.fields(kind):
        within = needed if field.required else others
        within[field.name] = spelt_like(hints[field.name])
    return st.fixed_dictionaries(needed, optional={**others, "unread": ANYTHING})


def in_bytes(record: object, escaped: bool) -> bytes:
    return json.dumps(record, ensure_ascii=escaped).encode("utf-8", "surrogatepass")


def patient(kind: type[msgspec.Struct], raw: bytes) -> msgspec.Struct | str:
    try:
        return bind(kind, parse(raw), "")
    except InvalidPayload as error:
        return str(error)


def same(kind: type[msgspec.Struct], raw: bytes) -> None:
    """Also spelt the same: Decimal("1.0") equals Decimal("1"), and their text does not."""
    found = quick(kind, raw)
    assert found is None or repr(found) == repr(patient(kind, raw))


@pytest.mark.parametrize("resource", sorted(PAYLOADS))
@given(data=st.data(), escaped=st.booleans())
def test_what_is_read_quickly_is_what_is_read_patiently(
    resource: str, data: st.DataObject, escaped: bool
) -> None:
    kind = PAYLOADS[resource]
    same(kind, in_bytes(data.draw(record_of(kind)), escaped))


@given(
    st.lists(
        st.tuples(st.sampled_from(["transactionid", "payments", "payer", "transactiondate"]), LEAVES),
        max_size=6,
    )
)
def test_of_a_name_given_twice_both_take_the_last(pairs: list[tuple[str, object]]) -> None:
    members = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs)
    same(Transaction, f"{{{members}}}".encode())


@pytest.mark.parametrize("amount", [0.0, -0.0, 0, "0", "-0", 1, 1.0, "1", "1.0", True])
def test_amounts_that_are_equal_are_not_taken_for_one_another(amount: object) -> None:
    for spelling in (1, 1.0, "1.0", 0, "0", 0.0):
        quick(Transaction, in_bytes({"transactionid": 1, "payments": spelling}, True))
    same(Transaction, in_bytes({"transactionid": 1, "payments": amount}, True))


def test_an_ordinary_record_is_read_quickly() -> None:
    record = {
        "claimid": "301",
        "patientid": 7,
        "billedservicedate": "03/09/2026",
        "lastmodified": "03/09/2026 10:12:13",
        "procedures": [{"transactionid": "5", "chargeamount": "225.00", "procedurecode": ""}],
        "transactiondetails": [],
        "diagnoses": [{"diagnosisid": None, "deleteddiagnosis": "false"}],
        "primaryinsurancepayer": {"status": "HOLD", "primarypatientinsuranceid": 0},
    }
    raw = in_bytes(record, True)
    found = quick(Claim, raw)
    assert found is not None
    assert found == patient(Claim, raw)
    assert found.procedures[0].chargeamount == Decimal(225)
