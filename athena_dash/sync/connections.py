"""A practice's Connection → a source that shares its budget and token with every other worker; and its test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.db.models import Max

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.breaker import Breaker
from athena_dash.sync.budget import Bucket, Share, SharedBudget, shared
from athena_dash.sync.meters import OTHER
from athena_dash.sync.source import WIDTH, Source
from athena_dash.sync.tally import Tally
from athena_dash.sync.tokens import SharedTokens
from athena_dash.sync.watch import Watch
from integrations.athena.auth import ClientCredentials
from integrations.athena.errors import ConfigError
from integrations.athena.session import Session
from integrations.connection import Settings, Verdict, check


def source_for(
    practice: Practice, tally: Tally | None = None, *, share: Share = Share.LIVE, feed: str = OTHER
) -> Source:
    """`with source_for(practice) as source`. `feed` is what the calls are counted under.

    ConfigError when the connection cannot be right as it is written."""
    connection = Connection.objects.select_related("practice").filter(practice=practice).first()
    if connection is None:
        raise ConfigError("The practice has no connection to athena yet; set one up.")
    return Source(session(connection, tally or Tally(), share, feed), width=width(connection))


def width(connection: Connection) -> int:
    """Calls at once that the connection's rate keeps busy: an answer takes about half a second."""
    return max(1, min(WIDTH, connection.calls_per_second // 2))


def session(connection: Connection, tally: Tally, share: Share, feed: str) -> Session:
    redis = shared()
    athena_id = connection.practice.athena_id
    credentials = ClientCredentials(
        connection.base_url,
        athena_id,
        connection.client_id,
        connection.client_secret,
        scope=connection.scope,
        tokens=SharedTokens(redis),
        now=clock.now,
    )
    budget = SharedBudget(practice_bucket(connection), key_bucket(connection), share, redis)
    breaker = Breaker(connection.pk, redis)
    return Session(
        connection.base_url,
        athena_id,
        credentials,
        limiter=budget,
        gate=breaker,
        observer=Watch(connection.practice_id, feed, budget, breaker, redis, tally),
        now=clock.now,
    )


def practice_bucket(connection: Connection) -> Bucket:
    return Bucket(f"practice:{connection.pk}", connection.calls_per_second, connection.calls_per_day)


def key_bucket(connection: Connection) -> Bucket:
    """athena counts by API key, and several practices may use one: all of it is the most that any of them may use."""
    same = Connection.objects.filter(base_url=connection.base_url, client_id=connection.client_id)
    most = same.aggregate(per_second=Max("calls_per_second"), per_day=Max("calls_per_day"))
    return Bucket(key_name(connection), most["per_second"], most["per_day"])


def key_name(connection: Connection) -> str:
    """A fingerprint of the key, which itself is never written to Redis."""
    key = f"{connection.base_url}\n{connection.client_id}".encode()
    return "key:" + hashlib.sha256(key).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a connection test: address, reach, token, scope, practice, departments, fhir."""

    name: str
    ok: bool
    message: str  # what was found, or what to correct


def probe(connection: Connection) -> list[Step]:
    """Try the connection as it is written, saved or not, up to the first step that fails."""
    settings = Settings(
        connection.base_url,
        connection.practice.athena_id,
        connection.client_id,
        connection.client_secret,
        connection.scope,
    )
    return [
        Step(step.name, step.verdict is Verdict.OK, step.message)
        for step in check(settings).steps
        if step.verdict is not Verdict.SKIPPED
    ]
