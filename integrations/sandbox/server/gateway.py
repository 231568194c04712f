"""The way of a request through athena's gateway: fault, token, budget, practice, handler, fault, bytes.

Everything that goes wrong becomes a Reply here; nothing of a patient is ever logged.
"""

from __future__ import annotations

from collections.abc import Callable

from integrations.sandbox.server import fault_kinds
from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import ApiError, bad_permissions, no_practice
from integrations.sandbox.server.limits import DAY, Budget
from integrations.sandbox.server.reply import FHIR_JSON, JSON, TEXT, Reply, loosened, shuffled, spell

SECOND = 1


def answer(call: Call, endpoint: Endpoint, *, fhir: bool) -> Reply:
    """The reply to an authenticated call, faults and limits included."""
    sandbox = call.sandbox
    sandbox.count(call.practice, "calls")
    today, limited = spend(call)
    if limited:
        sandbox.count(call.practice, "limited")
        return with_budget(fault_kinds.too_many(call.rng, {}), today)
    try:
        reply = early_fault(call) or handled(call, endpoint.handler, fhir=fhir)
    except ApiError as error:
        reply = refusal(error)
    reply = late_faults(call, reply)
    if reply.status == 429:
        sandbox.count(call.practice, "limited")
    return with_budget(reply, today)


def spend(call: Call) -> tuple[Budget, bool]:
    windows, preset = call.sandbox.windows, call.sandbox.preset
    second = windows.spend(f"api:{call.client.id}", SECOND, preset.calls_per_second)
    today = windows.spend(f"api:{call.client.id}", DAY, preset.calls_per_day)
    return today, second.exceeded or today.exceeded


def with_budget(reply: Reply, budget: Budget) -> Reply:
    reply.headers.update(budget.headers())
    return reply


def early_fault(call: Call) -> Reply | None:
    faults = call.sandbox.faults
    for fault in faults.live(frozenset(fault_kinds.REQUEST), call.practice, call.path):
        if fault_kinds.is_relevant(fault, call) and faults.strikes_call(fault, call):
            reply = fault_kinds.REQUEST[fault.kind](fault, call)
            if reply is not None:
                return reply
    return None


def late_faults(call: Call, reply: Reply) -> Reply:
    faults = call.sandbox.faults
    for fault in faults.live(frozenset(fault_kinds.REPLY), call.practice, call.path):
        if faults.strikes_call(fault, call):
            reply = fault_kinds.REPLY[fault.kind](fault, call, reply)
    return reply


def handled(call: Call, handler: Callable[[Call], object], *, fhir: bool) -> Reply:
    """Run the handler and spell its answer: v1 in random key order, as strict or loose as the key is set."""
    if call.practice and not call.sandbox.has_practice(call.practice):
        raise no_practice()
    if call.client.practices is not None and call.practice not in call.client.practices:
        raise bad_permissions()
    payload = handler(call)
    if call.record_key:
        fault_kinds.spoil_rows(call, payload)
    if fhir:
        return Reply(status=200, body=spell(payload), media_type=FHIR_JSON)
    if not call.client.proper_json:
        payload = loosened(payload)
    return Reply(status=200, body=spell(shuffled(payload, call.rng)))


def refusal(error: ApiError) -> Reply:
    if isinstance(error.body, str):
        return Reply(status=error.status, body=error.body.encode(), media_type=TEXT)
    if "resourceType" in error.body or "details" in error.body:
        return Reply(status=error.status, body=spell(error.body), media_type=FHIR_JSON)
    # Recorded: refusals by the application, unlike the gateway's 401, start with blank lines.
    blank = b"" if error.status == 401 else b"\n\n"
    return Reply(status=error.status, body=blank + spell(error.body), media_type=JSON)
