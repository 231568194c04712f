"""The raw store: everything a network can send is kept, and only what is new takes a row."""

from __future__ import annotations

import json

import pytest

from athena_dash.sync import pipeline, raw, segments
from athena_dash.sync.models import Failure, RawRecord, RawSegment
from athena_dash.sync.pages import keep_pages
from athena_dash.sync.payloads import Batch, alike, digest, identify
from athena_dash.sync.resources import RESOURCES
from integrations.athena.page import Page
from tests.sync.athena import NOW

CLAIMS = RESOURCES["claims"]


def keep(practice, *bodies: bytes | str | dict, resource: str = "claims", parent: str = "") -> list[int]:
    id_field = {"claims": "claimid", "insurances": "insuranceid", "patients": "patientid"}[resource]
    encoded = [body if isinstance(body, bytes) else as_bytes(body) for body in bodies]
    found = identify(RESOURCES[resource], id_field, encoded, parent)
    return raw.keep(found, practice_id=practice.pk, resource=resource, fetched_at=NOW)


def as_bytes(body: str | dict) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def page(*items: dict | bytes, total: int | None = None, following: str | None = None) -> Page:
    bodies = tuple(item if isinstance(item, bytes) else as_bytes(item) for item in items)
    return Page("insurances", bodies, total, following, "req-1", NOW)


def test_a_payload_is_kept_byte_for_byte(practice) -> None:
    body = b'{ "claimid": "1",\r\n  "note": "\xc3\xa9" }'
    (pk,) = keep(practice, body)
    stored = RawRecord.objects.get(pk=pk)
    assert (raw.read(stored), stored.size, stored.external_id) == (body, len(body), "1")
    assert stored.segment.processed_version is None


def test_names_and_answers_are_kept_as_they_are_and_each_record_beside_its_own(practice) -> None:
    odd = ['a"b', "a\\b", "a,b", "{a}", "null", "é"]
    batches = [
        Batch(
            "claims",
            identify(CLAIMS, "claimid", [as_bytes({"claimid": name})], f"of {name}"),
            NOW,
            f"r {name}",
        )
        for name in odd
    ]
    raw.keep_batches(practice.pk, batches)
    rows = RawRecord.objects.order_by("pk")
    assert [(row.external_id, row.parent_id, row.request_id) for row in rows] == [
        (name, f"of {name}", f"r {name}") for name in odd
    ]
    assert [(raw.read(row), bytes(row.digest)) for row in rows] == [
        (as_bytes({"claimid": name}), digest(as_bytes({"claimid": name}))) for name in odd
    ]


def test_the_same_content_in_another_order_and_with_new_stamps_adds_nothing(practice) -> None:
    keep(practice, {"claimid": "1", "status": "HOLD", "lines": [{"a": 1, "b": 2}], "lastmodified": "x"})
    again = '{"lines":[{"b":2,"a":1}],"lastmodified":"y","lastmodifiedby":"z","status":"HOLD","claimid":"1"}'
    assert keep(practice, again) == []
    assert RawRecord.objects.count() == 1


def test_changed_content_adds_a_row_and_so_does_changing_back(practice) -> None:
    for status in ("HOLD", "DROP", "HOLD"):
        assert len(keep(practice, {"claimid": "1", "status": status})) == 1
    assert RawRecord.objects.count() == 3


def test_the_order_of_a_list_is_content(practice) -> None:
    keep(practice, {"claimid": "1", "lines": [1, 2]})
    assert len(keep(practice, {"claimid": "1", "lines": [2, 1]})) == 1


def test_an_id_is_the_same_as_a_number_and_as_text(practice) -> None:
    keep(practice, {"claimid": 1, "status": "HOLD"})
    keep(practice, {"claimid": "1", "status": "DROP"})
    assert set(RawRecord.objects.values_list("external_id", flat=True)) == {"1"}


@pytest.mark.parametrize(
    "spoiled",
    [
        '{"claimid": null}',
        '{"claimid": ""}',
        '{"claimid": true}',
        '{"claimid": {"a": 1}}',
        '{"claimid": "a\\u0000b"}',
        '{"claimid": "a\\ud800b"}',
        '{"claimid": ' + "9" * 5000 + "}",
        '{"claimid": "' + "9" * 201 + '"}',
        "{}",
        "null",
        "[1]",
        '{"claimid": "1"',
        b"\xff\xfe\x00",
        b"\x00",
        b"",
        b"[" * 100_000,
    ],
)
def test_a_record_without_a_usable_id_is_named_by_its_content(practice, spoiled: str | bytes) -> None:
    (pk,) = keep(practice, spoiled)
    assert RawRecord.objects.get(pk=pk).external_id.startswith("?")
    assert keep(practice, spoiled) == [], "the same content is the same record"
    assert pipeline.process(practice.pk, [pk]).failed == {pk}
    assert Failure.objects.get().reason == "invalid"


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b"])
def test_a_record_spoiled_elsewhere_keeps_its_name(practice, text: str) -> None:
    (pk,) = keep(practice, f'{{"patientid": "7", "firstname": "{text}"}}', resource="patients")
    assert RawRecord.objects.get(pk=pk).external_id == "7"
    assert pipeline.process(practice.pk, [pk]).failed == {pk}
    failure = Failure.objects.get()
    assert (failure.record_id, failure.patient_id, failure.field) == ("7", "7", "firstname")
    assert keep(practice, f'{{"patientid": "7", "firstname": "{text}"}}', resource="patients") == []


def test_a_page_that_names_a_record_twice_keeps_what_it_said_last(practice) -> None:
    (pk,) = keep(practice, {"claimid": "1", "status": "HOLD"}, {"claimid": "1", "status": "DROP"})
    assert b"DROP" in raw.read(RawRecord.objects.get(pk=pk))


def test_a_known_record_is_recognised_wherever_its_id_lies_among_those_of_the_page(practice) -> None:
    keep(practice, {"claimid": "50"})
    for others in (("10", "99"), ("10",), ("99",), ()):
        bodies = [{"claimid": number, "others": others} for number in others]
        assert len(keep(practice, *bodies, {"claimid": "50"})) == len(others)


def test_the_same_child_of_two_parents_is_two_payloads(practice) -> None:
    keep(practice, {"insuranceid": "5"}, resource="insurances", parent="7")
    assert len(keep(practice, {"insuranceid": "5"}, resource="insurances", parent="8")) == 1


def test_a_record_of_fifty_megabytes_is_stored_and_processed(practice) -> None:
    (pk,) = keep(
        practice, {"patientid": "7", "firstname": "Ona", "notes": "x" * 50_000_000}, resource="patients"
    )
    stored = RawRecord.objects.get(pk=pk)
    assert stored.size > 50_000_000
    assert pipeline.process(practice.pk, [pk]).failed == set()


def test_an_old_version_of_the_stages_has_the_same_content_processed_again(practice) -> None:
    (pk,) = keep(practice, {"claimid": "1"})
    RawSegment.objects.update(processed_version=segments.VERSION - 1)
    assert len(keep(practice, {"claimid": "1"})) == 1


# -- rosters -------------------------------------------------------------------------------------------


def rosters(practice) -> list[bytes]:
    return [raw.read(row) for row in RawRecord.objects.filter(resource="insurances.roster").order_by("pk")]


def test_a_whole_listing_leaves_the_roster_of_its_parent(practice) -> None:
    kept = keep_pages(
        practice.pk, RESOURCES["insurances"], [(page({"insuranceid": "6"}, {"insuranceid": "5"}), "7")]
    )
    assert (kept.records, kept.nameless, rosters(practice)) == (2, 0, [b'["5","6"]'])
    keep_pages(practice.pk, RESOURCES["insurances"], [(page(), "7")])
    assert rosters(practice)[-1] == b"[]"


@pytest.mark.parametrize(
    "part",
    [
        page({"insuranceid": "5"}, total=2),
        page({"insuranceid": "5"}, total=1, following="/v1/195900/patients/7/insurances?OFFSET=1"),
        page({"insuranceid": "5"}, {"insuranceid": None}),
    ],
    ids=["fewer than athena counts", "more to come", "an unreadable id"],
)
def test_a_listing_that_is_not_whole_makes_nothing_disappear(practice, part: Page) -> None:
    keep_pages(practice.pk, RESOURCES["insurances"], [(part, "7")])
    assert rosters(practice) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1,"b":[2,3]}', b'{"b":[2,3],"a":1}', True),
        (b'{"a":1,"b":[2,3]}', b'{"b":[3,2],"a":1}', False),
        (b'{"a":1,"seen":"12:00"}', b'{"seen":"12:01","a":1}', True),
        (b'{"a":1,"seen":"9:00"}', b'{"seen":"12:01","a":1}', True),
        (b'{"a":1}', b'{"a":true}', False),
        (b'{"a":1}', b'{"a":1.0}', False),
        (b'{"a":"1"}', b'{"a": 1 }', False),
        (b"no json", b"no JSON", False),
        (b'{"a":' + b"[" * 900 + b"]" * 900 + b"}", b'{"a":' + b"[" * 899 + b"0" + b"]" * 899 + b" }", False),
    ],
)
def test_two_payloads_are_alike_when_they_say_the_same(one: bytes, other: bytes, same: bool) -> None:
    assert alike(one, other, ["seen"]) is same
    assert alike(other, one, ["seen"]) is same
