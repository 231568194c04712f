"""Reads `.well-known/smart-configuration`: where tokens are issued and what the server can do. Public."""

from __future__ import annotations

import msgspec

from integrations.athena.errors import InvalidResponse
from integrations.athena.session import Session

from .client import ROOT

PATH = f"{ROOT}/.well-known/smart-configuration"


class SmartConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    token_endpoint: str
    authorization_endpoint: str | None = None
    issuer: str | None = None
    jwks_uri: str | None = None
    grant_types_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ()
    scopes_supported: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()


def discover(session: Session) -> SmartConfiguration:
    call = session.call("GET", PATH)
    answer = session.get(call, PATH, public=True)
    try:
        return msgspec.json.decode(answer.body, type=SmartConfiguration)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidResponse(
            "the address answered, but not with a SMART configuration",
            request_id=answer.request_id,
            endpoint=call.endpoint,
        ) from None
