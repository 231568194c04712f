"""The one token of a credential, for all workers: encrypted in Redis, asked for by one of them at a time."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import redis

from athena_dash.core import clock, crypto
from integrations.athena.auth import Token


class SharedTokens:
    """A connector TokenStore."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

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
