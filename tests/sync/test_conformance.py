"""FHIR payloads are sampled against R4; what does not conform is counted on its feed and still taken in."""

from __future__ import annotations

import hashlib
import zlib

import pytest

from athena_dash.core import clock
from athena_dash.sync import conformance
from athena_dash.sync.feeds import create_feeds
from athena_dash.sync.models import Feed, RawRecord
from tests.builders import a_practice

GOOD = b'{"resourceType":"Observation","id":"a-1.x-1","status":"final","code":{"text":"Glucose"}}'
BAD = b'{"resourceType":"Observation","id":"a-1.x-2","status":"zzz","code":{"text":"Glucose"}}'


@pytest.fixture
def feed(db: None) -> Feed:
    practice = a_practice()
    create_feeds(practice)
    return Feed.objects.get(practice=practice, resource="observations")


def a_raw(feed: Feed, body: bytes, *, first_byte: int = 0) -> RawRecord:
    return RawRecord.objects.create(
        practice=feed.practice,
        resource=feed.resource,
        external_id=hashlib.sha256(body).hexdigest(),
        body=zlib.compress(body),
        hash=bytes([first_byte]) * 32,
        size=len(body),
        fetched_at=clock.now(),
    )


def test_a_broken_code_binding_is_counted_by_place_and_never_by_value(feed: Feed) -> None:
    conformance.sample(feed.practice_id, [a_raw(feed, GOOD), a_raw(feed, BAD)])
    conformance.sample(feed.practice_id, [a_raw(feed, BAD)])
    feed.refresh_from_db()
    assert feed.conformance == {"checked": 3, "findings": {"Observation.status: unknown code": 2}}


def test_only_the_sample_is_checked(feed: Feed) -> None:
    conformance.sample(feed.practice_id, [a_raw(feed, BAD, first_byte=1)])
    feed.refresh_from_db()
    assert feed.conformance == {}
