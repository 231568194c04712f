"""How a practice stands with athena at this moment, as all workers know it: its circuit, and who else uses its key."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from athena_dash.practices.models import Connection
from athena_dash.sync import breaker, quota
from athena_dash.sync.breaker import BreakerState, Circuit
from athena_dash.sync.budget import shared
from athena_dash.sync.connections import key_name
from athena_dash.sync.quota import ForeignUse


@dataclass(frozen=True, slots=True)
class Standing:
    practice_id: int
    breaker: BreakerState
    foreign: ForeignUse | None

    @property
    def open(self) -> bool:
        return self.breaker.circuit is not Circuit.CLOSED

    @property
    def sentence(self) -> str:
        """Of the circuit."""
        since, until = self.breaker.since, self.breaker.until
        if since is None or until is None:
            return "athena answers."
        if self.breaker.circuit is Circuit.HALF_OPEN:
            return (
                f"athena has failed since {since:%H:%M} UTC; one call is finding out whether it works again."
            )
        return f"athena has failed since {since:%H:%M} UTC, so nobody calls it; the next try is at {until:%H:%M:%S}."


def standings(practice_ids: Collection[int]) -> dict[int, Standing]:
    """By practice; one query and two round trips. RedisError while Valkey is away: then nobody calls at all."""
    connections = {
        one.practice_id: one
        for one in Connection.objects.filter(practice__in=practice_ids).only(
            "practice_id", "base_url", "client_id"
        )
    }
    client = shared()
    circuits = breaker.states([one.pk for one in connections.values()], client)
    foreign = quota.foreign_uses({key_name(one) for one in connections.values()}, client)
    return {
        practice_id: Standing(practice_id, circuits[one.pk], foreign.get(key_name(one)))
        for practice_id, one in connections.items()
    }
