from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena.errors import (
    AthenaError,
    Gone,
    InvalidPayload,
    InvalidResponse,
    RateLimited,
    RequestRejected,
    TransientError,
    Unauthorized,
)
from integrations.fhir.bundle import read_searchset
from integrations.fhir.payloads import decode
from integrations.fhir.smart import discover
from tests.integrations.rig import BASE, Rig, answer, body


def bundle(*resources: object, following: str | None = None) -> httpx.Response:
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return answer(
        {"resourceType": "Bundle", "type": "searchset", "total": 9, "link": links, "entry": entries}
    )


def outcome(code: str, severity: str = "error") -> dict[str, object]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code}]}


def encounter(number: int) -> dict[str, object]:
    return {"resourceType": "Encounter", "id": f"a-195900.encounter-{number}", "status": "finished"}


def test_a_search_names_the_practice_and_follows_the_cursor() -> None:
    rig = Rig(
        bundle(
            encounter(1),
            following=f"{BASE}/fhir/r4/Encounter?cursor=a%2Bb&ah-practice=a-1.Practice-195900&patient=p",
        ),
        bundle(encounter(2)),
    )
    pages = list(rig.fhir.of_patient("Encounter", "a-195900.E-7"))
    assert [len(page.items) for page in pages] == [1, 1]
    assert "ah-practice=Organization%2Fa-1.Practice-195900" in rig.asked[0]
    assert "patient=a-195900.E-7" in rig.asked[0]
    assert "cursor=a%2Bb" in rig.asked[1]


def test_a_medication_search_carries_the_intent_it_needs() -> None:
    rig = Rig(bundle())
    list(rig.fhir.of_patient("MedicationRequest", "a-195900.E-7"))
    assert "intent=proposal%2Cplan%2Corder" in rig.asked[0]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/fhir/r4/Encounter?cursor=1",
        "http://athena.test/fhir/r4/Encounter?cursor=1",
        f"{BASE}/fhir/r4/Patient?cursor=1",
        f"{BASE}/fhir/r4/Encounter/../Patient?cursor=1",
        f"{BASE}/fhir/r4/Encounter?cursor=1&ah-practice=Organization/a-1.Practice-195901",
        f"{BASE}.evil.test/fhir/r4/Encounter?cursor=1",
    ],
)
def test_a_next_link_that_leaves_the_search_is_not_followed(link: str) -> None:
    rig = Rig(bundle(encounter(1), following=link))
    with pytest.raises(InvalidResponse):
        list(rig.fhir.search("Encounter", patient="a-195900.E-7"))
    assert len(rig.asked) == 1


def test_a_cursor_that_comes_back_is_a_circle() -> None:
    with pytest.raises(InvalidResponse, match="circle"):
        list(
            Rig(bundle(encounter(1), following=f"{BASE}/fhir/r4/Encounter?cursor=1")).fhir.search("Encounter")
        )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("login", Unauthorized),
        ("throttled", RateLimited),
        ("not-found", Gone),
        ("timeout", TransientError),
        ("forbidden", RequestRejected),
        ("something-new", RequestRejected),
    ],
)
def test_an_outcome_inside_a_200_is_an_error(code: str, error: type[AthenaError]) -> None:
    for response in (bundle(outcome(code)), answer(outcome(code))):
        with pytest.raises(error):
            list(Rig(response).fhir.search("Encounter", patient="x"))


def test_a_mild_outcome_is_a_warning_beside_the_records() -> None:
    (page,) = Rig(bundle(encounter(1), outcome("informational", "warning"))).fhir.search(
        "Encounter", patient="x"
    )
    assert len(page.items) == 1
    assert page.warnings == ("warning:informational",)


def test_a_resource_with_broken_text_spoils_only_itself() -> None:
    bad = b'{"resourceType":"Encounter","id":"a-1.encounter-2","status":"\\ud800"}'
    raw = b'{"resourceType":"Bundle","entry":[{"resource":{"a":1}},{"resource":' + bad + b"},{}]}"
    (page,) = Rig(body(raw)).fhir.search("Encounter", patient="x")
    assert page.items == (b'{"a":1}', bad, b"{}")
    for item in page.items:
        with pytest.raises(InvalidPayload):
            decode("Encounter", item)


def test_a_read_returns_the_resource_or_says_it_is_gone() -> None:
    assert len(Rig(answer(encounter(1))).fhir.read("Encounter", "a-195900.encounter-1").items) == 1
    with pytest.raises(Gone):
        Rig(answer(outcome("not-found"), 404)).fhir.read("Encounter", "a-195900.encounter-1")
    with pytest.raises(InvalidResponse, match="another kind"):
        Rig(answer({"resourceType": "Patient"})).fhir.read("Encounter", "a-195900.encounter-1")


def test_an_answer_that_is_no_bundle_is_invalid() -> None:
    with pytest.raises(InvalidResponse, match="other than a Bundle"):
        list(Rig(answer(encounter(1))).fhir.search("Encounter", patient="x"))


def test_discovery_needs_no_token() -> None:
    issued_at = f"{BASE}/oauth2/v1/token"
    rig = Rig(answer({"token_endpoint": issued_at, "capabilities": ["permission-v2"]}))
    assert discover(rig.session).token_endpoint == issued_at
    with pytest.raises(InvalidResponse):
        discover(Rig(answer({"hello": "world"})).session)


@given(st.binary(max_size=120) | st.text(alphabet='[]{},:"\\ entryBundlesou', max_size=80).map(str.encode))
def test_any_bytes_are_a_searchset_or_an_error(raw: bytes) -> None:
    with pytest.raises(AthenaError):
        read_searchset(raw)


entries = st.lists(
    st.sampled_from(
        [
            {"resource": encounter(1)},
            {"resource": outcome("informational", "warning")},
            {"resource": outcome("throttled")},
            {"resource": {**encounter(2), "note": "OperationOutcome"}},
            {"resource": None},
            {"fullUrl": "no resource"},
            None,
        ]
    ),
    max_size=4,
)


@given(
    st.fixed_dictionaries(
        {"resourceType": st.sampled_from(["Bundle", "Encounter", "OperationOutcome", 7])},
        optional={
            "entry": entries | st.sampled_from([None, {}, "x"]),
            "total": st.sampled_from([3, "3", None]),
            "link": st.sampled_from([[], [{"relation": "next", "url": "u"}], None, "x"]),
            "issue": st.just([{"severity": "warning", "code": "x"}]),
        },
    )
)
def test_a_bundle_is_cut_the_same_quickly_and_by_the_scanner(page: dict[str, object]) -> None:
    """A lone surrogate beside the records sends the page to the scanner."""
    if page["resourceType"] != "OperationOutcome":  # one that is spoilt is unreadable as it ever was
        assert cut(page) == cut({**page, "spoiled": "\ud800"})


def cut(page: dict[str, object]) -> object:
    try:
        return read_searchset(json.dumps(page).encode())
    except AthenaError as error:
        return type(error), str(error)
