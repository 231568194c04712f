"""A practice's Connection → a source that shares its budget and token with every other worker; and its test."""

from __future__ import annotations

from dataclasses import dataclass

from athena_dash.core import clock
from athena_dash.practices.models import Connection, Practice
from athena_dash.sync.budget import SharedBudget, SharedTokens, shared
from athena_dash.sync.source import WIDTH, Source
from integrations.athena.auth import ClientCredentials
from integrations.athena.calls import CallObserver
from integrations.athena.errors import ConfigError
from integrations.athena.session import Session
from integrations.connection import Settings, Verdict, check


def source_for(practice: Practice, observer: CallObserver | None = None) -> Source:
    """`with source_for(practice) as source`. ConfigError when the connection cannot be right as it is written."""
    connection = Connection.objects.select_related("practice").filter(practice=practice).first()
    if connection is None:
        raise ConfigError("The practice has no connection to athena yet; set one up.")
    return Source(session(connection, observer), width=width(connection))


def width(connection: Connection) -> int:
    """Calls at once that the connection's rate keeps busy: an answer takes about half a second."""
    return max(1, min(WIDTH, connection.calls_per_second // 2))


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
