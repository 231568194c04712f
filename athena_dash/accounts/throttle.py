"""Counts failed sign-ins of one username from one address: ten in a quarter of an hour, then a pause."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from django.core.cache import cache
from redis import RedisError

ALLOWED = 10
WINDOW = timedelta(minutes=15)

log = logging.getLogger(__name__)


def exhausted(username: str, address: str) -> bool:
    """Without the cache nobody is locked out: the desk must be able to work while Valkey is away."""
    try:
        return int(cache.get(_key(username, address), 0)) >= ALLOWED
    except RedisError:
        log.warning("sign-ins are not throttled: the cache does not answer")
        return False


def count_failure(username: str, address: str) -> None:
    key = _key(username, address)
    try:
        if not cache.add(key, 1, timeout=int(WINDOW.total_seconds())):
            cache.incr(key)
    except (RedisError, ValueError):  # ValueError: the window ended between the two calls
        log.warning("a failed sign-in was not counted")


def forget(username: str, address: str) -> None:
    try:
        cache.delete(_key(username, address))
    except RedisError:
        log.warning("the failed sign-ins of a user were not forgotten")


def _key(username: str, address: str) -> str:
    """Hashed: people type passwords and patients' names into the wrong field."""
    return "sign-in:" + hashlib.sha256(f"{username.strip().lower()}\x00{address}".encode()).hexdigest()[:32]
