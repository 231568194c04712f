"""Counts what one address pushes to one practice: so many a minute, then 429 until the next."""

from __future__ import annotations

import hashlib
import logging

from django.core.cache import cache
from redis import RedisError

from athena_dash.core import clock

ALLOWED = 1_200  # a minute: more than the busiest practice's events, less than a flood
MINUTE = 60  # seconds

log = logging.getLogger(__name__)


def too_many(slug: str, address: str) -> bool:
    """Without the cache nothing is refused: an event refused for an hour is an event lost."""
    minute = int(clock.now().timestamp()) // MINUTE
    # Hashed: the slug is whatever a stranger has put into the URL.
    key = "push:" + hashlib.sha256(f"{slug}\x00{address}\x00{minute}".encode()).hexdigest()[:32]
    try:
        cache.add(key, 0, timeout=2 * MINUTE)
        return int(cache.incr(key)) > ALLOWED
    except (RedisError, ValueError):  # ValueError: the key was evicted between the two calls
        log.warning("pushes are not counted: the cache does not answer")
        return False
