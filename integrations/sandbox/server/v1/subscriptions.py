"""POST/GET/DELETE {feed}/changed/subscription and .../events: effective only after the activation lag."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import msgspec

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import invalid_field
from integrations.sandbox.server.reads import one
from integrations.sandbox.world import Subscription

EVENTS = {
    "appointments": (
        "ScheduleAppointment",
        "CheckIn",
        "CheckOut",
        "UpdateAppointment",
        "CancelAppointment",
        "FreezeAppointment",
        "UnfreezeAppointment",
        "DeleteAppointment",
        "AddAppointmentSlot",
    ),
    "patients": ("AddPatient", "DeletePatient", "UpdatePatient", "MergePatient", "UpdatePatientCustomField"),
    "claims": ("UpdateClaim",),
    "providers": ("ProviderAdd", "ProviderUpdate", "ProviderDelete", "ProviderUndelete"),
}


def active_subscription(call: Call, feed: str) -> Subscription | None:
    """The key's subscription, once its lag is over."""
    kept = one(call.store, call.practice, Subscription, f"{call.client.id}:{feed}")
    return kept if kept and kept.events and kept.active_at <= call.sandbox.clock() else None


def subscribe(call: Call, feed: str) -> object:
    """One event a call, none means all. Repeating a subscription does not start its lag again."""
    event = call.query.text("eventname")
    if event is not None and event not in EVENTS[feed]:
        raise invalid_field("eventname", "Invalid EVENTNAME.")
    now = call.sandbox.clock().astimezone(UTC)
    id = f"{call.client.id}:{feed}"
    with call.store.transaction():
        kept = one(call.store, call.practice, Subscription, id)
        wanted = {event} if event else set(EVENTS[feed])
        events = wanted | set(kept.events if kept else ())
        subscription = Subscription(
            id=id,
            modified=now,
            feed=feed,
            api_key=call.client.id,
            active_at=kept.active_at if kept and kept.events else now + call.sandbox.activation_lag,
            events=tuple(name for name in EVENTS[feed] if name in events),
            department_ids=tuple(call.query.texts("departmentids")),
        )
        call.store.put(call.practice, "subscription", [subscription])
    return {"success": True}


def unsubscribe(call: Call, feed: str) -> object:
    event = call.query.text("eventname")
    with call.store.transaction():
        kept = one(call.store, call.practice, Subscription, f"{call.client.id}:{feed}")
        if kept is not None:
            events = tuple(name for name in kept.events if event and name != event)
            call.store.put(call.practice, "subscription", [msgspec.structs.replace(kept, events=events)])
    return {"success": True}


def show(call: Call, feed: str) -> object:
    """ACTIVE with every event, PARTIAL with some, INACTIVE before the lag is over or without any."""
    kept = active_subscription(call, feed)
    if kept is None:
        return {"status": "INACTIVE", "subscriptions": []}
    body: dict[str, object] = {
        "status": "ACTIVE" if set(kept.events) == set(EVENTS[feed]) else "PARTIAL",
        "subscriptions": [{"eventname": event} for event in kept.events],
    }
    if kept.department_ids:
        body["departmentids"] = list(kept.department_ids)
    return body


def list_events(call: Call, feed: str) -> object:
    return {"subscriptions": [{"eventname": event} for event in EVENTS[feed]]}


def for_feed(act: Callable[[Call, str], object], feed: str) -> Callable[[Call], object]:
    return lambda call: act(call, feed)


ENDPOINTS = [
    endpoint
    for feed in EVENTS
    for endpoint in (
        Endpoint("POST", f"/{feed}/changed/subscription", for_feed(subscribe, feed)),
        Endpoint("GET", f"/{feed}/changed/subscription", for_feed(show, feed)),
        Endpoint("DELETE", f"/{feed}/changed/subscription", for_feed(unsubscribe, feed)),
        Endpoint("GET", f"/{feed}/changed/subscription/events", for_feed(list_events, feed)),
    )
]
