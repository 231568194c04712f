"""What all workers share about one connection, kept in Redis: its call budget per second and day, and its token."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import redis
from django.conf import settings

from athena_dash.core import clock, crypto
from integrations.athena.auth import Token
from integrations.athena.errors import RateLimited

LONGEST_WAIT = 30.0  # seconds a call may queue for its turn before the run gives way to others

# Generic cell rate algorithm with a burst of one second's calls; answers the seconds to wait (0 = go), or -n when
# the day's quota is spent and n seconds remain of it. A penalty pauses everybody who shares the key.
TAKE = """
local now_parts = redis.call('time')
local now = now_parts[1] + now_parts[2] / 1e6
local pause = tonumber(redis.call('get', KEYS[2]) or '0')
if pause > now then return tostring(pause - now) end
local rate, per_day, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if tonumber(redis.call('get', KEYS[3]) or '0') + cost > per_day then return tostring(-(86400 - now % 86400)) end
local due = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), now)
local wait = due - now - 1
if wait > 0 then return tostring(wait) end
redis.call('set', KEYS[1], tostring(due + cost / rate), 'ex', 60)
redis.call('incrby', KEYS[3], cost)
redis.call('expire', KEYS[3], 172800)
return '0'
"""

PAUSE = """
local now_parts = redis.call('time')
local till = now_parts[1] + now_parts[2] / 1e6 + tonumber(ARGV[1])
if tonumber(redis.call('get', KEYS[1]) or '0') < till then
    redis.call('set', KEYS[1], string.format('%.6f', till), 'px', math.max(1, math.ceil(ARGV[1] * 1000)))
end
"""


def shared() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


class SharedBudget:
    """A connector Limiter: `acquire` blocks until the connection may call; `penalise` stops all workers at once.

    Keys hold the connection's row id only. The day is GMT, as athena counts it (athena-api.md §2.0).
    """

    def __init__(
        self, connection_id: int, *, per_second: int, per_day: int, client: redis.Redis | None = None
    ) -> None:
        self.client = client or shared()
        self.take, self.pause = self.client.register_script(TAKE), self.client.register_script(PAUSE)
        self.prefix = f"budget:{connection_id}"
        self.per_second, self.per_day = per_second, per_day

    def acquire(self, cost: int = 1) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        while (wait := self.ask(cost)) != 0:
            if wait < 0:
                raise RateLimited(
                    "Today's calls to athena are used up; they return at midnight GMT.", retry_after=-wait
                )
            if time.monotonic() + wait > deadline:
                raise RateLimited(
                    "athena asked us to slow down; waiting for our turn took too long.", retry_after=wait
                )
            time.sleep(min(wait, 1.0))

    def ask(self, cost: int) -> float:
        day = f"{self.prefix}:day:{time.strftime('%Y%m%d', time.gmtime())}"
        answer: Any = self.take(
            keys=[f"{self.prefix}:next", f"{self.prefix}:pause", day],
            args=[self.per_second, self.per_day, cost],
        )
        return float(answer)

    def penalise(self, seconds: float) -> None:
        """A shorter pause never ends a longer one that somebody else was asked to make."""
        self.pause(keys=[f"{self.prefix}:pause"], args=[seconds])


class SharedTokens:
    """A connector TokenStore: one token for all workers, encrypted, asked for by one of them at a time."""

    def __init__(self, client: redis.Redis | None = None) -> None:
        self.client = client or shared()

    def get(self, key: str) -> Token | None:
        stored: Any = self.client.get(f"token:{key}")
        if not stored:
            return None
        try:
            expires, scope, value = crypto.decrypt(stored.decode()).split("\n", 2)
        except (crypto.Undecryptable, ValueError):
            return None  # written under a key that has been rotated away: ask for a new one
        return Token(value, datetime.fromisoformat(expires), scope)

    def put(self, key: str, token: Token) -> None:
        text = "\n".join((token.expires_at.isoformat(), token.scope, token.value))
        life = max(timedelta(seconds=1), token.expires_at - clock.now())
        self.client.set(f"token:{key}", crypto.encrypt(text), px=int(life.total_seconds() * 1000))

    def lock(self, key: str) -> AbstractContextManager[object]:
        lock: AbstractContextManager[object] = self.client.lock(
            f"token-lock:{key}", timeout=120, blocking_timeout=120
        )
        return lock
