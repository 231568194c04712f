"""The synthetic practice that every contender pulls: pre-encoded pages made from a seed, kept in files under var/.

n appointments, one Encounter and one claim each, three charges a claim. Version 2 is version 1 with 1 % of the records
changed and the keys of every object shuffled, as athena's answers come.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from bench.sync.visit import CHANGES, LINES, MAKERS, PRACTICE, Record

SEED = 2211
EDITION = 1  # raise it with any change of what is made here
PAGE = 1000
CHANGED = 100  # every hundredth record differs in version 2
LISTS = {
    "appointments": (f"/v1/{PRACTICE}/appointments/booked", "appointments"),
    "claims": (f"/v1/{PRACTICE}/claims", "claims"),
    "transactions": (f"/v1/{PRACTICE}/claimtransactions", "claimtransactions"),
    "fhir_encounters": ("/fhir/r4/Encounter", "entry"),
}


@dataclass(frozen=True, slots=True)
class Corpus:
    """`n` appointments; `pages[version][feed]` lie one after the other in a file, see `index.json`."""

    n: int
    directory: Path

    @property
    def records(self) -> dict[str, int]:
        return {"fhir_encounters": self.n, "claims": self.n, "transactions": LINES * self.n}

    @property
    def total(self) -> int:
        return sum(self.records.values())

    def bodies(self, version: int, feed: str) -> Iterator[bytes]:
        with (self.directory / f"{feed}.{version}").open("rb") as file:
            for size in self.index()[f"{feed}.{version}"]:
                yield file.read(size)

    def index(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = json.loads((self.directory / "index.json").read_text())
        return found


def corpus(n: int, under: Path) -> Corpus:
    """The one of this size, made now if it is not there yet."""
    directory = under / f"corpus-{EDITION}-{SEED}-{n}"
    if not (directory / "index.json").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        index = {}
        for feed in MAKERS:
            for version in (1, 2):
                with (directory / f"{feed}.{version}").open("wb") as file:
                    index[f"{feed}.{version}"] = [file.write(body) for body in pages(n, feed, version)]
        (directory / "index.json").write_text(json.dumps(index))
    return Corpus(n, directory)


def pages(n: int, feed: str, version: int) -> Iterator[bytes]:
    total, done = n * len(MAKERS[feed](0)), 0
    found = records(n, feed, version)
    while batch := list(islice(found, PAGE)):
        done += len(batch)
        yield page(feed, batch, done, total)


def records(n: int, feed: str, version: int) -> Iterator[Record]:
    shuffler = random.Random(f"{SEED} {feed}")  # noqa: S311 - no secret
    every = chain.from_iterable(map(MAKERS[feed], range(n)))
    for position, record in enumerate(every):
        if version == 2 and position % CHANGED == 0:
            CHANGES[feed](record)
        yield record if version == 1 else shuffled(record, shuffler)


def page(feed: str, records: list[Record], done: int, total: int) -> bytes:
    """A v1 envelope with totalcount and next, or a searchset with its link."""
    path, key = LISTS[feed]
    more = done < total
    if feed != "fhir_encounters":
        links = {"next": f"{path}?LIMIT={PAGE}&OFFSET={done}"} if more else {}
        return msgspec.json.encode({"totalcount": total, **links, key: records})
    following = f"{path}?" + urlencode({"ah-practice": f"a-1.Practice-{PRACTICE}", "cursor": done})
    return msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": [{"relation": "next", "url": following}] if more else [],
            "entry": [{"fullUrl": f"{path}/{record['id']}", "resource": record} for record in records],
        }
    )


def shuffled(value: Any, shuffler: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(item, shuffler) for item in value]
    if isinstance(value, dict):
        keys = list(value)
        shuffler.shuffle(keys)
        return {key: shuffled(value[key], shuffler) for key in keys}
    return value
