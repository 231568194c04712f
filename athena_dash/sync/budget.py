"""The calls that all workers share, kept in Redis: per practice and per API key, by the second and by the day.

Calls are made for a share. Live calls may use everything; replays and backfills only what lies above a reserve, of
the second and of the day, and a small floor keeps them from waiting for ever. Times are Redis' own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import redis
from django.conf import settings

from integrations.athena.errors import RateLimited

LONGEST_WAIT = 30.0  # seconds a call may queue for its turn before the run gives way to others
# athena counts in seconds of its own, and calls do not arrive as evenly as they left: a tenth is left unused, which
# forgives 0.1 s of jitter. SLACK is what a late caller may catch up of it.
HEADROOM = 0.9
SLACK = 0.04  # seconds
FLOOR = 0.05  # of the calls a second: what a waiting share gets at least
RECOVERY = 0.01  # of the rate, regained a second after a 429 has halved it
SLOWEST = 0.1  # of the rate, however many 429s
KEPT = 172_800  # seconds


class Share(StrEnum):
    """What a call is made for."""

    LIVE = "live"
    REPLAY = "replay"
    BACKFILL = "backfill"


RESERVES: Mapping[Share, float] = {Share.LIVE: 0.0, Share.REPLAY: 0.15, Share.BACKFILL: 0.3}
"""The part of each second and of each day that the share leaves to those before it."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`name` holds a row id or a fingerprint, never the key itself."""

    name: str
    per_second: int
    per_day: int


# A generic cell rate algorithm (GCRA) on two buckets: `due` is when the next call is due at the even rate. Answers
# the seconds to wait (0 = go), or -n when the share's part of the day is spent and n seconds remain of it.
#   Reserve: a share below live takes a slot only once it has stood idle for `gap`, so alone it gets 1 - reserve of
# the rate, and beside live what live leaves.
#   Floor: a share that has had no call for 1 / (FLOOR * rate) seconds may borrow the next slot.
#   Turns: whoever must wait gets a time of its own in its share's `line`, and asks again then. So nobody polls, those
# who wait are served in order, and they do not wake up all at once. The line is the key's, unless the practice is the
# narrower of the two. Who is refused in its turn, since others took the slot, gets another, off the beat: in step with
# them it might be refused for ever.
TAKE = """
local practice, key, practice_day, key_day = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local practice_rate, key_rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local practice_daily, key_daily = tonumber(ARGV[3]), tonumber(ARGV[4])
local share, reserve, turn, patience = ARGV[5], tonumber(ARGV[6]), ARGV[7] == '1', tonumber(ARGV[8])
local slack, floor, recovery, kept = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12]

local clock = redis.call('time')
local now = clock[1] + clock[2] / 1e6
local function number(name, field) return tonumber(redis.call('hget', name, field) or '0') end
local function keep(name, field, value)
    redis.call('hset', name, field, string.format('%.6f', value))
    redis.call('expire', name, kept)
end

local pause = number(key, 'pause')
if pause > now then return tostring(pause - now) end

local heard = number(key_day, 'limit')
if heard > 0 then key_daily = math.min(key_daily, heard) end
local spent = math.max(number(key_day, 'used'), number(key_day, 'theirs'))
if number(practice_day, 'used') + 1 > practice_daily * (1 - reserve) or spent + 1 > key_daily * (1 - reserve) then
    return tostring(-(86400 - now % 86400))
end

local slow = number(key, 'slow')
if slow > 0 then
    key_rate = key_rate * math.min(1, slow + math.max(0, now - number(key, 'slow_at')) * recovery)
end
local rate = math.min(practice_rate, key_rate)

local queue = practice_rate < key_rate and practice or key
local line = number(queue, 'line:' .. share)
local at
if line > now and not turn then
    at = line
else
    local lead = slack
    if reserve > 0 then
        lead = -reserve / (1 - reserve) / rate
        if now - number(key, 'last:' .. share) >= 1 / (floor * rate) then lead = slack + 1 / rate end
    end
    at = math.max(number(practice, 'due'), number(key, 'due')) - lead
    if at <= now + 1e-4 then
        keep(practice, 'due', math.max(number(practice, 'due'), now) + 1 / practice_rate)
        keep(key, 'due', math.max(number(key, 'due'), now) + 1 / key_rate)
        keep(key, 'last:' .. share, now)
        for _, day in ipairs({practice_day, key_day}) do
            redis.call('hincrby', day, 'used', 1)
            redis.call('expire', day, kept)
        end
        return '0'
    end
    at = math.max(at, line)
    if turn then at = at + (clock[2] % 997) / 997 / rate end
end
if at - now <= patience then keep(queue, 'line:' .. share, at + 1 / rate / (1 - reserve)) end
return tostring(at - now)
"""

# A 429 stops everybody who shares the key, and halves the rate, once for answers that come together. The rate comes
# back bit by bit. A shorter pause never ends a longer one.
PAUSE = """
local clock = redis.call('time')
local now = clock[1] + clock[2] / 1e6
local function number(field, otherwise) return tonumber(redis.call('hget', KEYS[1], field) or otherwise) end
local till = math.max(number('pause', '0'), now + tonumber(ARGV[1]))
if now - number('cut_at', '0') > 1 then
    local rate = math.min(1, number('slow', '1') + math.max(0, now - number('slow_at', '0')) * tonumber(ARGV[2]))
    redis.call('hset', KEYS[1], 'cut_at', string.format('%.6f', now))
    redis.call('hset', KEYS[1], 'slow', string.format('%.6f', math.max(tonumber(ARGV[3]), rate / 2)))
end
redis.call('hset', KEYS[1], 'pause', string.format('%.6f', till), 'slow_at', string.format('%.6f', till))
redis.call('expire', KEYS[1], ARGV[4])
"""


def shared() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def day_of(bucket: Bucket) -> str:
    """Where the bucket's day is counted. The day is GMT, as athena counts it (athena-api.md §2.0)."""
    return f"budget:{bucket.name}:day:{time.strftime('%Y%m%d', time.gmtime())}"


class SharedBudget:
    """A connector Limiter: `acquire` blocks until a call may be made; `penalise` slows all workers at once."""

    def __init__(
        self, practice: Bucket, key: Bucket, share: Share = Share.LIVE, client: redis.Redis | None = None
    ) -> None:
        self.client = client or shared()
        self.take, self.pause = self.client.register_script(TAKE), self.client.register_script(PAUSE)
        self.practice, self.key, self.share = practice, key, share

    def acquire(self) -> None:
        deadline = time.monotonic() + LONGEST_WAIT
        turn = False
        while (wait := self.ask(turn, patience=deadline - time.monotonic())) != 0:
            if wait < 0:
                raise RateLimited(self.spent(), retry_after=-wait)
            if time.monotonic() + wait > deadline:
                raise RateLimited(
                    "athena asked us to slow down; waiting for our turn took too long.", retry_after=wait
                )
            time.sleep(wait)
            turn = True

    def ask(self, turn: bool = False, patience: float = LONGEST_WAIT) -> float:
        """0: the call is counted and may be made. Else seconds to wait and then ask again, with `turn`; negative
        when the day is spent. A wait longer than `patience` books no turn."""
        answer: Any = self.take(
            keys=[*map(name_of, (self.practice, self.key)), *map(day_of, (self.practice, self.key))],
            args=[
                self.practice.per_second * HEADROOM,
                self.key.per_second * HEADROOM,
                self.practice.per_day,
                self.key.per_day,
                self.share.value,
                RESERVES[self.share],
                int(turn),
                patience,
                SLACK,
                FLOOR,
                RECOVERY,
                KEPT,
            ],
        )
        return float(answer)

    def spent(self) -> str:
        if self.share is Share.LIVE:
            return "Today's calls to athena are used up; they return at midnight GMT."
        return (
            f"What a {self.share.value} may use of today's calls to athena is used up; the rest is kept for live "
            "calls. It returns at midnight GMT."
        )

    def penalise(self, seconds: float) -> None:
        self.pause(keys=[name_of(self.key)], args=[seconds, RECOVERY, SLOWEST, KEPT])


def name_of(bucket: Bucket) -> str:
    return f"budget:{bucket.name}"
