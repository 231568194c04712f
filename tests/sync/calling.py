"""Calls as the connector reports them, without an athena."""

from __future__ import annotations

from dataclasses import replace

from athena_dash.practices.models import Connection
from athena_dash.sync.breaker import Breaker
from athena_dash.sync.budget import Share, SharedBudget, shared
from athena_dash.sync.connections import key_bucket, practice_bucket
from athena_dash.sync.tally import Tally
from athena_dash.sync.watch import Watch
from integrations.athena.calls import CallRecord

A_CALL = CallRecord(
    endpoint="GET /claims/{claimid}",
    practice="195900",
    status=200,
    milliseconds=40.0,
    bytes=1000,
    request_id="rrt-1",
    attempt=1,
    outcome="ok",
    quota=None,
    quota_left=None,
)


def made(
    connection: Connection, feed: str = "claims", share: Share = Share.LIVE, times: int = 1, **said: object
) -> None:
    """So many calls of a worker of its own came to this."""
    client = shared()
    budget = SharedBudget(practice_bucket(connection), key_bucket(connection), share, client)
    watch = Watch(connection.practice_id, feed, budget, Breaker(connection.pk, client), client, Tally())
    for _ in range(times):
        watch.on_call(replace(A_CALL, **said))  # type: ignore[arg-type]
