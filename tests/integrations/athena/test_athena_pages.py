from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena.ahead import Fetchers
from integrations.athena.errors import Gone, InvalidPayload, InvalidResponse
from integrations.athena.page import Shape, split
from integrations.athena.payloads import decode
from integrations.athena.slices import MalformedJson, array_elements, object_members
from tests.integrations.rig import Rig, answer, body

NEXT = "/v1/195900/claims?CREATEDSTARTDATE=01%2F01%2F2026&offset={}"


def claims(*ids: str, following: str | None = None, total: int = 9) -> httpx.Response:
    page: dict[str, object] = {"claims": [{"claimid": i} for i in ids], "totalcount": total}
    return answer(page if following is None else {**page, "next": following})


def by_offset(total: int, size: int) -> Callable[[httpx.Request], httpx.Response]:
    def serve(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        ids = [str(i) for i in range(offset, min(offset + size, total))]
        return claims(
            *ids, following=NEXT.format(offset + size) if offset + size < total else None, total=total
        )

    return serve


def test_pages_follow_the_offset_of_next_until_there_is_none() -> None:
    athena = Rig(by_offset(total=5, size=2))
    pages = list(athena.athena.pages("claims", createdstartdate="01/01/2026"))
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert [page.total for page in pages] == [5, 5, 5]
    assert all("createdstartdate=01%2F01%2F2026" in url for url in athena.asked)


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("https://evil.test/v1/195900/claims?offset=1", "elsewhere"),
        ("//evil.test/v1/195900/claims?offset=1", "elsewhere"),
        ("/v1/195901/claims?offset=1", "elsewhere"),
        ("/v1/195900/../195901/claims?offset=1", "elsewhere"),
        ("/v1/195900/patients?offset=1", "elsewhere"),
        ("http://[/v1", "unreadable"),
        ("/v1/195900/claims", "no offset"),
        ("/v1/195900/claims?offset=-4", "no offset"),
        ("/v1/195900/claims?offset=0", "circle"),
    ],
)
def test_a_hostile_next_is_not_followed(link: str, why: str) -> None:
    athena = Rig(claims("1", following=link))
    with pytest.raises(InvalidResponse, match=why):
        list(athena.athena.pages("claims"))
    assert len(athena.asked) == 1


def test_an_empty_page_that_promises_more_is_not_believed() -> None:
    with pytest.raises(InvalidResponse, match="empty page"):
        list(Rig(claims(following=NEXT.format(9))).athena.pages("claims"))


def test_the_pages_after_the_first_are_asked_for_together_and_come_in_order() -> None:
    together = threading.Barrier(3, timeout=10)
    serve = by_offset(total=8, size=2)

    def at_once(request: httpx.Request) -> httpx.Response:
        if "offset" in request.url.params:
            together.wait()  # only a barrier of three lets any of them through
        return serve(request)

    athena, fetchers = Rig(at_once), Fetchers(3)
    pages = athena.athena.pages("claims", fetchers.ahead)
    assert [page.items[0] for page in pages] == [b'{"claimid": "%d"}' % n for n in (0, 2, 4, 6)]
    fetchers.close()


def test_a_list_that_shrank_or_grew_meanwhile_is_still_read_to_its_end() -> None:
    for total, told in ((9, 5), (3, 9)):
        serve = by_offset(total=total, size=2)

        def lying(request: httpx.Request, serve=serve, told=told) -> httpx.Response:
            page = serve(request).json()
            return answer({**page, "totalcount": told})

        athena, fetchers = Rig(lying), Fetchers(4)
        pages = list(athena.athena.pages("claims", fetchers.ahead))
        assert sum(len(page.items) for page in pages) == total
        fetchers.close()


def test_pages_that_become_shorter_are_followed_where_they_say() -> None:
    """What was asked for ahead would have left holes."""

    def serve(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params.get("offset", 0))
        end = min(offset + (4 if offset == 0 else 3), 12)
        ids = [str(n) for n in range(offset, end)]
        return claims(*ids, following=NEXT.format(end) if end < 12 else None, total=12)

    athena, fetchers = Rig(serve), Fetchers(4)
    pages = athena.athena.pages("claims", fetchers.ahead)
    assert [item for page in pages for item in page.items] == [b'{"claimid": "%d"}' % n for n in range(12)]
    fetchers.close()


def test_a_page_that_cannot_be_read_fails_after_those_before_it_were_handed_over() -> None:
    serve = by_offset(total=8, size=2)
    athena = Rig(lambda asked: answer({"x": 1}) if asked.url.params.get("offset") == "4" else serve(asked))
    fetchers = Fetchers(4)
    pages = athena.athena.pages("claims", fetchers.ahead)
    assert len([next(pages), next(pages)]) == 2
    with pytest.raises(InvalidResponse):
        next(pages)
    fetchers.close()


def test_no_more_is_fetched_ahead_than_is_held() -> None:
    begun: list[int] = []
    fetchers = Fetchers(8)
    answers = fetchers.ahead([partial(begun.append, n) for n in range(50)], held=3)
    next(answers)
    fetchers.close()
    assert len(begun) <= 4


def test_a_changed_feed_is_read_from_its_start_until_it_is_empty() -> None:
    athena = Rig(claims("1", "2"), claims("3"), claims(total=0))
    assert [len(page.items) for page in athena.athena.changed("claims")] == [2, 1]
    assert all("offset" not in url for url in athena.asked)
    assert len(athena.asked) == 3


def test_a_page_is_handed_over_before_the_next_is_consumed() -> None:
    athena = Rig(claims("1"), claims())
    feed = athena.athena.changed("claims")
    next(feed)
    assert len(athena.asked) == 1


def test_one_record_is_one_item_whether_sent_as_object_or_in_an_array() -> None:
    assert Rig(answer({"claimid": "301"})).athena.claim("301").items == (b'{"claimid": "301"}',)
    assert Rig(answer([{"patientid": "7"}])).athena.patient("7").items == (b'{"patientid": "7"}',)


def test_an_empty_array_for_one_record_means_it_is_gone() -> None:
    with pytest.raises(Gone):
        Rig(answer([])).athena.encounter("1")


@pytest.mark.parametrize("wrong", [{"error": "x"}, {"patients": []}, {"claims": {}}, {"claims": "x"}])
def test_a_list_without_its_envelope_is_an_invalid_response(wrong: object) -> None:
    with pytest.raises(InvalidResponse):
        list(Rig(answer(wrong)).athena.pages("claims"))


def test_an_omitted_envelope_with_a_count_of_zero_is_an_empty_list() -> None:
    (page,) = Rig(answer({"totalcount": 0})).athena.pages("claims")
    assert page.items == ()


def test_blank_lines_and_a_byte_order_mark_before_the_json_are_ignored() -> None:
    (page,) = Rig(body(b'\xef\xbb\xbf\r\n\n {"claims":[{"claimid":"1"}]}\n')).athena.pages("claims")
    assert page.items == (b'{"claimid":"1"}',)


@pytest.mark.parametrize(
    "bad",
    [
        rb'{"claimid":"\ud800"}',
        b'{"claimid":"a\x00b"}',
        b'{"claimid":tru}',
        b'{"claimid":"\xff\xfe"}',
        b'{"claimid":null}',
        b"null",
        b'{"claimid":"]}{["' + b',"x":' * 0 + b', "claimid": []}',
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_a_bad_record_spoils_only_itself(bad: bytes) -> None:
    page = split(b'{"totalcount":3,"claims":[{"claimid":"1"},' + bad + b', {"claimid":"3"} ]}', "claims")
    assert page.items[0] == b'{"claimid":"1"}'
    assert page.items[1] == bad
    assert page.items[2] == b'{"claimid":"3"}'
    with pytest.raises(InvalidPayload):
        decode("claims", page.items[1])


@pytest.mark.parametrize("cut", range(1, 44))
def test_a_truncated_body_is_never_taken_for_a_shorter_list(cut: int) -> None:
    whole = b'{"claims":[{"claimid":"1"},{"claimid":"2"}]}'
    with pytest.raises(InvalidResponse):
        split(whole[:cut], "claims")


def test_duplicated_keys_and_huge_numbers_stay_as_received() -> None:
    raw = b'{"claimid":"1","claimid":"2","x":1e999999,"y":' + b"9" * 5000 + b"}"
    (item,) = split(b'{"claims":[' + raw + b"]}", "claims").items
    assert item == raw
    assert decode("claims", item).claimid == "2"  # type: ignore[attr-defined]


@given(st.binary(max_size=200) | st.text(alphabet='[]{},:"\\ \n1atruenull', max_size=60).map(str.encode))
def test_any_bytes_are_split_or_refused(raw: bytes) -> None:
    try:
        for item in split(raw, "claims").items:
            assert item in raw
    except InvalidResponse:
        pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(json_values, max_size=5), st.booleans())
def test_the_scanner_cuts_exactly_where_the_parser_does(items: list[object], with_surrogate: bool) -> None:
    """A lone surrogate sends the text to the scanner; what it cuts must parse to what was put in."""
    put_in = [*items, "\ud800"] if with_surrogate else items
    assert [json.loads(raw) for raw in array_elements(json.dumps(put_in).encode())] == put_in


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_the_scanner_names_members_as_the_parser_does(members: dict[str, object]) -> None:
    cut = object_members(json.dumps({**members, "last": "\ud800"}, ensure_ascii=True).encode())
    assert [json.loads(raw) for name, raw in cut.items() if name != "last"] == [
        value for name, value in members.items() if name != "last"
    ]


def test_a_bare_array_has_no_envelope() -> None:
    assert split(b'[{"transactionid":1}]', None).shape is Shape.ARRAY


def test_text_after_the_end_is_malformed() -> None:
    with pytest.raises(MalformedJson):
        array_elements(rb'["\ud800"] x')


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "claims": st.lists(json_values, max_size=4) | json_values,
            "totalcount": json_values,
            "next": st.none() | st.text() | json_values,
            "more": json_values,
        },
    )
)
def test_a_page_is_cut_the_same_quickly_and_by_the_scanner(page: dict[str, object]) -> None:
    """A lone surrogate beside the records sends the page to the scanner."""
    assert cut(page) == cut({**page, "spoiled": "\ud800"})


def cut(page: dict[str, object]) -> object:
    try:
        found = split(json.dumps(page).encode(), "claims")
    except InvalidResponse as error:
        return str(error)
    return found if found.shape is not Shape.OBJECT else Shape.OBJECT
