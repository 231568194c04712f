"""The changed feeds: reading is destructive. Returned rows are marked read for the API key, and the mark is
on disk before the response leaves: a lost response loses its rows unless showprocessed* asks again.

athena-api.md 2.1. Holds the SQL of the `change` and `read_mark` tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import invalid_field, not_subscribed
from integrations.sandbox.server.paging import envelope, window
from integrations.sandbox.server.reads import by_id
from integrations.sandbox.server.v1 import appointment_view, claim_view, patients, providers
from integrations.sandbox.server.v1.subscriptions import active_subscription
from integrations.sandbox.store import stamp
from integrations.sandbox.world import Appointment, Claim, Patient, Provider, Subscription, Thing

UNREAD = """
select change.seq, change.id from change
 where practice = ? and feed = ? and at >= ?
   and not exists (select 1 from read_mark where api_key = ? and read_mark.seq = change.seq)
   and event in ({events})
 order by change.seq
"""
PROCESSED = """
select change.seq, change.id from change join read_mark using (seq)
 where practice = ? and feed = ? and api_key = ? and read_at between ? and ?
 order by change.seq
"""


@dataclass(frozen=True)
class Feed:
    name: str
    struct: type[Thing]
    record_key: str
    render: Callable[[Call, Sequence[Any]], list[object]]


FEEDS = (
    Feed("appointments", Appointment, "appointmentid", appointment_view.render_all),
    Feed("patients", Patient, "patientid", patients.render_all),
    Feed("claims", Claim, "claimid", lambda call, found: [claim_view.own(item) for item in found]),
    Feed("providers", Provider, "providerid", lambda call, found: [providers.render(item) for item in found]),
)


def read(call: Call, feed: Feed) -> object:
    """The full current object of each changed thing, once, however many changes it had."""
    limit, offset = window(call, 1000, 10_000)
    subscription = active_subscription(call, feed.name)
    if subscription is None:
        raise not_subscribed()
    window_of_processed = processed_window(call)
    if window_of_processed:
        sequences = processed(call, feed, *window_of_processed)
        wanted, total = select(call, feed, subscription, sequences, limit, offset)
    elif call.query.flag("leaveunprocessed"):
        wanted, total = select(call, feed, subscription, unread(call, feed, subscription), limit, offset)
    else:
        wanted, total = take(call, feed, subscription, limit, offset)
    return envelope(call, feed.name, feed.render(call, wanted), total, limit, offset)


def take(
    call: Call, feed: Feed, subscription: Subscription, limit: int, offset: int
) -> tuple[list[Thing], int]:
    """Select unread rows and mark them read in one transaction."""
    if not unread(call, feed, subscription):
        return [], 0
    db = call.store.db
    with call.store.transaction():
        sequences = unread(call, feed, subscription)
        wanted, total = select(call, feed, subscription, sequences, limit, offset)
        read_at = stamp(call.sandbox.clock().astimezone(UTC))
        marks = [(call.client.id, seq, read_at) for thing in wanted for seq in sequences[thing.id]]
        db.executemany("insert or ignore into read_mark values (?,?,?)", marks)
    return wanted, total


def unread(call: Call, feed: Feed, subscription: Subscription) -> dict[str, list[int]]:
    """Change numbers by thing, oldest change first. Not retroactive: only what came after activation."""
    sql = UNREAD.format(events=",".join("?" * len(subscription.events)))
    args = (call.practice, feed.name, stamp(subscription.active_at.astimezone(UTC)), call.client.id)
    return grouped(call.store.db.execute(sql, (*args, *subscription.events)).fetchall())


def processed(call: Call, feed: Feed, first: datetime, last: datetime) -> dict[str, list[int]]:
    bounds = [stamp(at.astimezone(UTC)) for at in (first, last)]
    return grouped(
        call.store.db.execute(PROCESSED, (call.practice, feed.name, call.client.id, *bounds)).fetchall()
    )


def grouped(rows: Sequence[tuple[int, str]]) -> dict[str, list[int]]:
    sequences: dict[str, list[int]] = {}
    for seq, id in rows:
        sequences.setdefault(id, []).append(seq)
    return sequences


def select(
    call: Call,
    feed: Feed,
    subscription: Subscription,
    sequences: dict[str, list[int]],
    limit: int,
    offset: int,
) -> tuple[list[Thing], int]:
    """The asked-for page of the changed things that pass the subscription's and the request's filters."""
    things = by_id(call.store, call.practice, feed.struct, sequences)
    departments = set(subscription.department_ids)
    kept = [
        things[id]
        for id in sequences
        if id in things
        and passes(things[id], "department_id", departments)
        and passes(things[id], "department_id", set(call.query.texts("departmentid")))
        and passes(things[id], "patient_id", set(call.query.texts("patientid")))
        and passes(things[id], "provider_id", set(call.query.texts("providerid")))
    ]
    return kept[offset : offset + limit], len(kept)


def passes(thing: Thing, field: str, allowed: set[str]) -> bool:
    """Things without the field pass; a patient is judged by its own id."""
    if not allowed:
        return True
    if field == "patient_id" and isinstance(thing, Patient):
        return thing.id in allowed
    return not hasattr(thing, field) or getattr(thing, field) in allowed


def processed_window(call: Call) -> tuple[datetime, datetime] | None:
    first = call.query.stamp("showprocessedstartdatetime")
    last = call.query.stamp("showprocessedenddatetime")
    if first is None and last is None:
        return None
    if first is None or last is None:
        missing = "showprocessedstartdatetime" if first is None else "showprocessedenddatetime"
        raise invalid_field(missing, "Both SHOWPROCESSED datetimes are needed.")
    # The asked-for second ends when the next begins; marks carry fractions of it.
    return first, last.replace(microsecond=999_999)


def reader(feed: Feed) -> Callable[[Call], object]:
    return lambda call: read(call, feed)


ENDPOINTS = [Endpoint("GET", f"/{feed.name}/changed", reader(feed), feed.record_key) for feed in FEEDS]
