"""Reads `.well-known/smart-configuration`: where tokens are issued. Public."""

from __future__ import annotations

import msgspec

from integrations.athena.errors import InvalidResponse
from integrations.athena.session import Session

from .client import ROOT

PATH = f"{ROOT}/.well-known/smart-configuration"


class SmartConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    token_endpoint: str


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
