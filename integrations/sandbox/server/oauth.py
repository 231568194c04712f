"""The token and revocation endpoints: budget, faults, then the keyring (athena-api.md section 1)."""

from __future__ import annotations

from dataclasses import replace

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.errors import ApiError
from integrations.sandbox.server.fault_kinds import too_many
from integrations.sandbox.server.gateway import early_fault, late_faults, refusal
from integrations.sandbox.server.reply import Reply, spell


def token(call: Call, authorization: str | None) -> Reply:
    budget = call.sandbox.keyring.spend_token_call(authorization)
    if budget.exceeded:
        return too_many(call.rng, budget.headers())
    try:
        reply = early_fault(call) or issued(call, authorization)
    except ApiError as error:
        reply = refusal(error)
    return replace(late_faults(call, reply), headers=budget.headers())


def issued(call: Call, authorization: str | None) -> Reply:
    body = call.sandbox.keyring.issue(authorization, call.query)
    return Reply(status=200, body=spell(body), media_type="application/json")


def revoke(call: Call, authorization: str | None) -> Reply:
    """RFC 7009: success whether or not the token was known, but only for a known client."""
    if call.sandbox.keyring.known_client(authorization) is None:
        raise ApiError(401, {"error": "invalid_client"})
    call.sandbox.keyring.drop_token(call.query.text("token") or "")
    return Reply(status=200)
