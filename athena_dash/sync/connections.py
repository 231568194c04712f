"""A practice's Connection → a source that shares its budget and token with every other worker; and its test."""

from __future__ import annotations

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.budget import SharedBudget, SharedTokens, shared
from athena_dash.sync.source import Source
from integrations.athena.auth import ClientCredentials
from integrations.athena.calls import CallObserver
from integrations.athena.session import Session


def source_for(practice: Practice, observer: CallObserver | None = None) -> Source:
    """`with source_for(practice) as source`. ConfigError when the connection cannot be right as it is written."""
    return Source(session(practice.connection, observer))


def session(connection: Connection, observer: CallObserver | None = None) -> Session:
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
    budget = SharedBudget(
        connection.pk, per_second=connection.calls_per_second, per_day=connection.calls_per_day, client=redis
    )
    return Session(
        connection.base_url, athena_id, credentials, limiter=budget, observer=observer, now=clock.now
    )
