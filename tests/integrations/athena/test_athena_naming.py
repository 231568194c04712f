"""A record is named the same whether one field of it is read or all of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.athena.errors import InvalidPayload
from integrations.athena.payloads.naming import record_id, record_ids, usable_id
from integrations.athena.payloads.reading import parse

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
records = st.fixed_dictionaries({"other": anything}, optional={"claimid": anything, "more": anything})
json_like = st.text(alphabet='[]{},:"\\ \n\x00\ud8001.eE+-atrunlcimdNI', max_size=60)


def said_by_the_whole(body: bytes) -> str:
    try:
        return usable_id(parse(body), "claimid")
    except InvalidPayload:
        return ""


@given(records)
def test_one_field_names_the_record_as_the_whole_does(record: dict[str, object]) -> None:
    body = json.dumps(record).encode()
    assert record_id(body, "claimid") == said_by_the_whole(body)


@given(
    st.sampled_from(["", '{"claimid":"7","x":', '{"claimid":7}', '{"x":"']),
    json_like,
    st.sampled_from(["", "}", '"}']),
)
@example("", '{"claimid":1,"claimid":"2"}', "")
@example("", '{"claim\\u0069d":1}', "")
@example("", '{"claimid":1.0}', "")
@example("", '{"claimid":"7","x":1e999999}', "")
@example("", '{"claimid":"7","x":NaN}', "")
@example("", '{"claimid":"7","x":"\\ud800"}', "")
@example("", '{"claimid":"7","x":"\x00"}', "")
@example("", '{"claimid":' + "9" * 5000 + "}", "")
def test_broken_bytes_are_named_or_not_as_the_whole_says(start: str, middle: str, end: str) -> None:
    body = (start + middle + end).encode("utf-8", "surrogatepass")
    assert record_id(body, "claimid") == said_by_the_whole(body)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"claimid":301}', "301"),
        (b'{"x":[{"claimid":1}],"claimid":"301"}', "301"),
        (b'{"claimid":"301","memo":"\\ud800"}', "301"),
        (b'{"claimid":"301","memo":"\xff"}', "301"),
        (b'{"claimid":""}', ""),
        (b'{"claimid":true}', ""),
        (b'{"claimid":"a\\u0000b"}', ""),
        (b'{"claimid":"' + b"9" * 201 + b'"}', ""),
        (b'{"claimid":"301"', ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
def test_an_id_is_text_that_a_key_can_hold(body: bytes, name: str) -> None:
    assert record_id(body, "claimid") == name


@given(st.lists(records, min_size=1, max_size=4), st.sampled_from([None, b"{", b'{"claimid":"a\\u0000b"}']))
def test_records_named_together_are_named_as_each_alone(
    some: list[dict[str, object]], spoilt: bytes | None
) -> None:
    bodies = [json.dumps(record).encode() for record in some] + ([spoilt] if spoilt else [])
    assert record_ids(bodies, "claimid") == [record_id(body, "claimid") for body in bodies]
