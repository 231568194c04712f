"""athena's own count of a key's calls today, as its headers tell it, against ours: does somebody else spend them?

`theirs - used` drifts by the calls that are on their way, and falls when a call of ours never arrived. It grows, and
goes on growing, only when another reader uses the key: that is said once it has grown beyond the tolerance in two
windows in a row, and taken back after a window in which it has not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis

from athena_dash.sync.budget import KEPT, Bucket, day_of, name_of
from integrations.athena.calls import CallRecord

WINDOW = 600  # seconds
CALLS, PART = 30, 0.02  # tolerated growth in a window: so many calls, and this part of our own calls in it

HEAR = """
local key, today = KEYS[1], KEYS[2]
local quota, left, span = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local calls, part, kept = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local function number(field) return tonumber(redis.call('hget', key, field) or '0') end

local theirs, used = quota - left, tonumber(redis.call('hget', today, 'used') or '0')
redis.call('hset', today, 'limit', quota, 'theirs', theirs)
redis.call('expire', today, kept)

local now = tonumber(redis.call('time')[1])
local window, drift, stored = math.floor(now / span), theirs - used, number('window')
local function exceeded(at) return at - number('least') > calls + part * math.max(0, used - number('used_at')) end

if redis.call('hget', key, 'day') ~= today then
    redis.call('hset', key, 'day', today, 'window', window, 'least', drift, 'used_at', used, 'drift', drift)
elseif stored ~= window then
    local grew = exceeded(number('drift'))
    if not grew then redis.call('hdel', key, 'foreign_since', 'foreign') end
    redis.call('hset', key, 'grew', (grew and window == stored + 1) and 1 or 0)
    redis.call('hset', key, 'window', window, 'least', drift, 'used_at', used, 'drift', drift)
else
    redis.call('hset', key, 'drift', drift, 'least', math.min(drift, number('least')))
    if number('grew') == 1 and exceeded(drift) then
        redis.call('hsetnx', key, 'foreign_since', now)
        redis.call('hset', key, 'foreign', drift - number('least'))
    end
end
redis.call('expire', key, kept)
"""


@dataclass(frozen=True, slots=True)
class ForeignUse:
    """`calls` of the last minutes, up to ten, that athena counted and we did not make."""

    since: datetime
    calls: int

    @property
    def sentence(self) -> str:
        return (
            f"Somebody else calls athena with this API key: {self.calls} calls that are not ours within ten minutes. "
            "Two readers of one key each get only a part of what changed."
        )


def hear(record: CallRecord, key: Bucket, pipeline: Any) -> None:
    """Keep what an answer says of the day's quota; a call of the pipeline's."""
    if record.quota is not None and record.quota_left is not None:
        arguments = (record.quota, record.quota_left, WINDOW, CALLS, PART, KEPT)
        pipeline.eval(HEAR, 2, name_of(key), day_of(key), *arguments)


def foreign_uses(keys: Iterable[str], client: redis.Redis) -> dict[str, ForeignUse]:
    """Of the buckets so named, those that somebody else uses."""
    names = list(keys)
    pipeline = client.pipeline(transaction=False)
    for name in names:
        pipeline.hmget(f"budget:{name}", "foreign_since", "foreign")
    return {
        name: ForeignUse(datetime.fromtimestamp(int(since), UTC), int(float(calls)))
        for name, (since, calls) in zip(names, pipeline.execute(), strict=True)
        if since
    }
