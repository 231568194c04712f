"""The pages every contender pulls: what version 2 may differ in, and that they say where to go on."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bench.sync.corpus import CHANGED, LISTS, PAGE, Corpus, corpus, pages
from bench.sync.ground import stub
from bench.sync.visit import MAKERS

N = 1_200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return corpus(N, tmp_path_factory.mktemp("corpus"))


def records(made: Corpus, version: int, feed: str) -> list[dict[str, Any]]:
    found = [item for body in made.bodies(version, feed) for item in json.loads(body)[LISTS[feed][1]]]
    return [item["resource"] for item in found] if feed == "fhir_encounters" else found


@pytest.mark.parametrize("feed", ["claims", "transactions", "fhir_encounters"])
def test_version_2_changes_one_record_in_a_hundred_and_shuffles_the_keys_of_all(
    made: Corpus, feed: str
) -> None:
    first, second = records(made, 1, feed), records(made, 2, feed)
    assert len(first) == len(second) == made.records[feed]
    changed = [old != new for old, new in zip(first, second, strict=True)]
    assert sum(changed) == -(-len(first) // CHANGED)
    assert all(list(old) != list(new) for old, new in zip(first, second, strict=True))


def test_the_same_seed_makes_the_same_bytes(made: Corpus) -> None:
    for feed in MAKERS:
        assert list(pages(N, feed, 2)) == list(made.bodies(2, feed))


def test_the_stub_gives_every_claim_to_who_follows_its_offsets(made: Corpus) -> None:
    with stub(made) as play:
        address, path = play(1), LISTS["claims"][0]
        seen: list[str] = []
        for offset in range(0, N, PAGE):
            page = httpx.get(f"{address}{path}", params={"limit": PAGE, "offset": offset}).json()
            seen += [claim["claimid"] for claim in page["claims"]]
    assert len(set(seen)) == len(seen) == page["totalcount"] == N


def test_the_stub_ends_its_cursor_chain(made: Corpus) -> None:
    with stub(made) as play:
        address, path = play(2), LISTS["fhir_encounters"][0]
        first = httpx.get(f"{address}{path}").json()
        last = httpx.get(address + first["link"][0]["url"]).json()
    assert len(first["entry"]) + len(last["entry"]) == N
    assert last["link"] == []
