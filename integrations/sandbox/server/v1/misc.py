"""GET /ping, and the per-key toggle of "proper JSON encoding" (GET/POST/DELETE /misc/properjsonencoding)."""

from __future__ import annotations

import msgspec

from integrations.sandbox.server.call import Call, Endpoint


def ping(call: Call) -> object:
    return {"pong": "true"}


def show_encoding(call: Call) -> object:
    return {"enabled": call.client.proper_json}


def proper_encoding(call: Call) -> object:
    call.sandbox.keyring.keep(msgspec.structs.replace(call.client, proper_json=True))
    return {"success": True}


def loose_encoding(call: Call) -> object:
    call.sandbox.keyring.keep(msgspec.structs.replace(call.client, proper_json=False))
    return {"success": True}


ENDPOINTS = [
    Endpoint("GET", "/ping", ping),
    Endpoint("GET", "/misc/properjsonencoding", show_encoding),
    Endpoint("POST", "/misc/properjsonencoding", proper_encoding),
    Endpoint("DELETE", "/misc/properjsonencoding", loose_encoding),
]
