"""FHIR payloads are sampled against R4; what does not conform is counted on its feed and still taken in."""

from __future__ import annotations

import pytest

from athena_dash.core import clock
from athena_dash.sync import conformance
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Feed
from athena_dash.sync.payloads import digest
from athena_dash.sync.segments import Stored
from tests.builders import a_practice

GOOD = b'{"resourceType":"Observation","id":"a-1.x-1","status":"final","code":{"text":"Glucose"}}'
BAD = b'{"resourceType":"Observation","id":"a-1.x-2","status":"zzz","code":{"text":"Glucose"}}'


@pytest.fixture
def feed(db: None) -> Feed:
    practice = a_practice()
    create_feeds(practice)
    return Feed.objects.get(practice=practice, resource="observations")


def stored(feed: Feed, body: bytes, *, first_byte: int = 0) -> Stored:
    seen = bytes([first_byte]) + digest(body)[1:]
    return Stored(1, feed.practice_id, feed.resource, "x", "7", clock.now(), 1, body, seen)


def look_at(feed: Feed, *rows: Stored) -> dict:
    conformance.add(feed.practice_id, conformance.check(rows))
    feed.refresh_from_db()
    return feed.conformance


def test_a_broken_code_binding_is_counted_by_place_and_never_by_value(feed: Feed) -> None:
    look_at(feed, stored(feed, GOOD), stored(feed, BAD))
    found = look_at(feed, stored(feed, BAD))
    assert found == {"checked": 3, "findings": {"Observation.status: unknown code": 2}}


def test_only_the_sample_is_checked(feed: Feed) -> None:
    assert look_at(feed, stored(feed, BAD, first_byte=1)) == {}


def test_a_batch_of_thousands_costs_a_few_validations(feed: Feed) -> None:
    rows = [stored(feed, GOOD.replace(b"x-1", b"x-%d" % number)) for number in range(50)]
    found = look_at(feed, *rows)
    assert found == {"checked": conformance.MOST, "findings": {}}
