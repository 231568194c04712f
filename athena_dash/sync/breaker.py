"""A circuit breaker per connection, shared by all workers through Redis (docs/adr/0009).

Closed until MOST transient failures in a row; then open: every call fails at once, until a time when one caller, and
only one, may find out whether athena works again. Its success closes it; its failure opens it for twice as long.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import redis

from athena_dash.core import clock
from integrations.athena.calls import CallRecord
from integrations.athena.errors import Action, CircuitOpen

MOST = 10  # transient failures in a row, over all workers and retries
FIRST, LONGEST = 30, 300  # seconds it stays open
PROBE = 90  # seconds a probe may take (the transport's patience); a killed prober is replaced after them
KEPT = 86_400  # seconds
TRANSIENT = frozenset({Action.RETRY, Action.REREAD})

log = logging.getLogger(__name__)

ADMIT = """
local till = tonumber(redis.call('hget', KEYS[1], 'till') or '0')
local now = tonumber(ARGV[1])
if till == 0 then return '0' end
if till > now then return tostring(till - now) end
redis.call('hset', KEYS[1], 'till', now + tonumber(ARGV[2]), 'probing', 1)
return '0'
"""

# One endpoint that fails while nothing else is called says little about the others: failures count as athena's own
# once they come from two endpoints, or when no answer came at all.
FAIL = """
local function number(field) return tonumber(redis.call('hget', KEYS[1], field) or '0') end
local now, first, longest, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local endpoint, unanswered = ARGV[5], ARGV[6] == '1'
redis.call('expire', KEYS[1], ARGV[7])
if number('probing') == 1 then
    local length = math.min(longest, number('length') * 2)
    redis.call('hset', KEYS[1], 'till', now + length, 'length', length)
    redis.call('hdel', KEYS[1], 'probing')
    return 0
end
if number('till') > 0 then return 0 end
local failed = redis.call('hincrby', KEYS[1], 'failed', 1)
redis.call('expire', KEYS[1], ARGV[7])
if redis.call('hsetnx', KEYS[1], 'endpoint', endpoint) == 0 and redis.call('hget', KEYS[1], 'endpoint') ~= endpoint
    or unanswered then redis.call('hset', KEYS[1], 'several', 1) end
if failed < most or number('several') == 0 then return 0 end
redis.call('hset', KEYS[1], 'till', now + first, 'length', first, 'since', now)
return 1
"""


class Circuit(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class BreakerState:
    """`since` when it opened; `until` when the next probe is due, or the running one is given up."""

    circuit: Circuit
    since: datetime | None = None
    until: datetime | None = None


class Breaker:
    """A connector Gate; `settle` tells it what became of a call."""

    def __init__(self, connection_id: int, client: redis.Redis) -> None:
        self.key = key_of(connection_id)
        self.ask, self.fail = client.register_script(ADMIT), client.register_script(FAIL)

    def admit(self) -> None:
        """Raises CircuitOpen while nobody may call. Whoever passes an open one is the probe."""
        now = clock.now().timestamp()
        answer: Any = self.ask(keys=[self.key], args=[now, PROBE])
        if (wait := float(answer)) > 0:
            raise circuit_open(wait, datetime.fromtimestamp(now + wait, UTC))

    def settle(self, record: CallRecord, pipeline: Any) -> None:
        """Any answer that is not a transient failure shows that athena works: a 429 and a 401 are answers. That is
        said with the pipeline's next execution."""
        if record.outcome not in TRANSIENT:
            pipeline.delete(self.key)
            return
        now = clock.now().timestamp()
        unanswered = int(record.status is None)
        args: list[str | float] = [now, FIRST, LONGEST, MOST, record.endpoint, unanswered, KEPT]
        if self.fail(keys=[self.key], args=args):
            log.warning("the circuit to athena is open", extra={"connection": self.key})


def circuit_open(wait: float, until: datetime) -> CircuitOpen:
    return CircuitOpen(
        "athena failed too often in a row, so nobody calls it for now; the next call that finds out is at "
        f"{until:%H:%M:%S} UTC.",
        retry_after=wait,
    )


def key_of(connection_id: int) -> str:
    return f"breaker:{connection_id}"


def states(connection_ids: Iterable[int], client: redis.Redis) -> dict[int, BreakerState]:
    ids = list(connection_ids)
    pipeline = client.pipeline(transaction=False)
    for connection_id in ids:
        pipeline.hgetall(key_of(connection_id))
    return {
        connection_id: read({name.decode(): value.decode() for name, value in found.items()})
        for connection_id, found in zip(ids, pipeline.execute(), strict=True)
    }


def read(found: dict[str, str]) -> BreakerState:
    if "till" not in found:
        return BreakerState(Circuit.CLOSED)
    since, until = (datetime.fromtimestamp(float(found[name]), UTC) for name in ("since", "till"))
    return BreakerState(Circuit.HALF_OPEN if "probing" in found else Circuit.OPEN, since, until)
