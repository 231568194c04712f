"""2-legged OAuth: client credentials become opaque bearer tokens, all of it in the store's settings.

athena-api.md section 1. Only hashes of secrets and tokens are kept, as a real server would.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from integrations.sandbox.server.errors import access_denied, bad_token
from integrations.sandbox.server.limits import MINUTE, Budget
from integrations.sandbox.server.query import Query

if TYPE_CHECKING:
    from integrations.sandbox.server.sandbox import Sandbox

DEFAULT_CLIENT, DEFAULT_SECRET = "sandbox-client", "sandbox-secret"
LIFETIME = timedelta(hours=1)
SCOPE = re.compile(r"(athena/service/Athenanet\.MDP\.\*|(system|user|patient)/[A-Za-z*]+\.[a-z*]+)")


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """`practices` None means every practice; `proper_json` is athena's per-key "strict JSON" toggle."""

    id: str
    secret_hash: str
    practices: tuple[str, ...] | None = None
    proper_json: bool = True


class Token(msgspec.Struct, frozen=True, kw_only=True):
    client_id: str
    scope: str
    expires_at: datetime


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Keyring:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        # Once: revoking the default client must outlive a restart.
        if sandbox.store.setting("clients") is None:
            self.keep(Client(id=DEFAULT_CLIENT, secret_hash=digest(DEFAULT_SECRET)))
            sandbox.store.set("clients", b"1")

    def client(self, id: str) -> Client | None:
        kept = self.sandbox.store.setting(f"client:{id}")
        return None if kept is None else msgspec.json.decode(kept, type=Client)

    def keep(self, client: Client) -> None:
        with self.sandbox.store.transaction():
            self.sandbox.store.set(f"client:{client.id}", msgspec.json.encode(client))

    def drop(self, client_id: str) -> None:
        """Revoke a client and every token it holds."""
        store = self.sandbox.store
        with store.transaction():
            store.db.execute("delete from setting where name=?", (f"client:{client_id}",))
            self.drop_tokens(lambda token: token.client_id == client_id)

    def clients(self) -> list[Client]:
        rows = self.sandbox.store.db.execute("select value from setting where name like 'client:%'")
        return [msgspec.json.decode(value, type=Client) for (value,) in rows]

    def drop_tokens(self, ended: Callable[[Token], bool]) -> None:
        db = self.sandbox.store.db
        for name, value in db.execute("select name, value from setting where name like 'token:%'").fetchall():
            if ended(msgspec.json.decode(value, type=Token)):
                db.execute("delete from setting where name=?", (name,))

    def drop_token(self, token: str) -> None:
        with self.sandbox.store.transaction():
            self.sandbox.store.db.execute("delete from setting where name=?", (f"token:{digest(token)}",))

    def issue(self, authorization: str | None, form: Query) -> dict[str, object]:
        """The token response; `expires_in` is a string (recorded 2016-2023)."""
        client = self.known_client(authorization)
        scope = form.text("scope") or ""
        if form.text("grant_type") != "client_credentials" or client is None:
            raise access_denied()
        if not scope.split() or not all(SCOPE.fullmatch(part) for part in scope.split()):
            raise access_denied()
        token, now = secrets.token_urlsafe(24), self.sandbox.clock()
        kept = Token(client_id=client.id, scope=scope, expires_at=now + LIFETIME)
        store = self.sandbox.store
        with store.transaction():
            self.drop_tokens(lambda token: token.expires_at <= now)
            store.set(f"token:{digest(token)}", msgspec.json.encode(kept))
        return {
            "token_type": "Bearer",
            "expires_in": str(int(LIFETIME.total_seconds())),
            "access_token": token,
            "scope": scope,
        }

    def named_client(self, authorization: str | None) -> Client | None:
        """Whoever the credentials name, right or wrong."""
        credentials = basic_credentials(authorization)
        return self.client(credentials[0]) if credentials else None

    def known_client(self, authorization: str | None) -> Client | None:
        credentials, client = basic_credentials(authorization), self.named_client(authorization)
        if credentials is None or client is None:
            return None
        return client if hmac.compare_digest(client.secret_hash, digest(credentials[1])) else None

    def bearer(self, authorization: str | None) -> Client:
        """The client behind a bearer token, or 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise bad_token()
        kept = self.sandbox.store.setting(f"token:{digest(token)}")
        if kept is None:
            raise bad_token()
        known = msgspec.json.decode(kept, type=Token)
        client = self.client(known.client_id)
        if client is None or known.expires_at <= self.sandbox.clock():
            raise bad_token()
        return client

    def spend_token_call(self, authorization: str | None) -> Budget:
        """Every call counts, also a refused one: a loop of wrong secrets runs into 429 (athena-api.md 1)."""
        credentials = basic_credentials(authorization)
        subject = f"token:{credentials[0] if credentials else ''}"
        return self.sandbox.windows.spend(subject, MINUTE, self.sandbox.preset.tokens_per_minute)


def basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (id, secret) if colon else None
