"""A visit's records into one line of events across both systems and our own, oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from athena_dash.practices.statuses import meaning
from athena_dash.worklist.visit_records import VisitRecords
from athena_dash.worklist.words import CLOSED_BY, gap_title


class Side(StrEnum):
    CLINICAL = "clinical"
    REVENUE = "revenue"
    OURS = "ours"


@dataclass(frozen=True)
class Event:
    """`time` is None where the source gives a date only; `note` says how far to trust the moment."""

    day: dt.date
    time: dt.datetime | None
    side: Side
    text: str
    note: str = ""

    @property
    def clock(self) -> str:
        return f"{self.time:%H:%M %Z}" if self.time else ""


def timeline(records: VisitRecords) -> list[Event]:
    events = [
        *_appointments(records),
        *_encounters(records),
        *_claims(records),
        *_statuses(records),
        *_gaps(records),
    ]
    latest = dt.time.max
    return sorted(events, key=lambda e: (e.day, e.time.timetz().replace(tzinfo=None) if e.time else latest))


def _at(
    records: VisitRecords, when: dt.datetime | dt.date | None, side: Side, text: str, note: str = ""
) -> Iterator[Event]:
    if isinstance(when, dt.datetime):
        local = when.astimezone(records.zone)
        yield Event(local.date(), local, side, text, note)
    elif when:
        yield Event(when, None, side, text, note)


def _appointments(records: VisitRecords) -> Iterator[Event]:
    for a in records.appointments:
        yield from _at(records, a.scheduled_at, Side.CLINICAL, f"Booked as {a.type_name or 'an appointment'}")
        yield from _at(records, a.checked_in_at, Side.CLINICAL, "Checked in")
        yield from _at(records, a.exam_done_at, Side.CLINICAL, "Exam finished")
        yield from _at(records, a.checked_out_at, Side.CLINICAL, "Checked out")
        reason = f": {a.cancel_reason.lower()}" if a.cancel_reason else ""
        word = "No-show" if a.no_show else "Cancelled"
        yield from _at(records, a.cancelled_at, Side.CLINICAL, word + reason)


def _encounters(records: VisitRecords) -> Iterator[Event]:
    for e in records.encounters:
        yield from _at(records, e.started_at or e.date, Side.CLINICAL, "Encounter opened")
        yield from _at(records, e.closed_on, Side.CLINICAL, "Note signed")
        yield from _at(records, e.reopened_on, Side.CLINICAL, "Note reopened")


def _claims(records: VisitRecords) -> Iterator[Event]:
    for claim in records.claims:
        amount = f" for ${claim.charge_amount:,.2f} gross" if claim.charge_amount else ""
        yield from _at(
            records, claim.created_date, Side.REVENUE, f"Claim {claim.external_id} created{amount}"
        )


def _statuses(records: VisitRecords) -> Iterator[Event]:
    """athena gives statuses no dates; ours are when we first saw them (records.history)."""
    for seen in records.statuses:
        told = meaning(seen.status, records.policies.claim_statuses)
        text = f"{seen.slot.capitalize()} {seen.status}: {told.plain}"
        note = "known since backfill, may be older" if seen.since_backfill else "when we first saw it"
        yield from _at(records, seen.first_seen, Side.REVENUE, text, note)


def _gaps(records: VisitRecords) -> Iterator[Event]:
    for gap in records.gaps:
        again = f" (opened {gap.times_opened} times)" if gap.times_opened > 1 else ""
        yield from _at(records, gap.opened_at, Side.OURS, f"Gap opened: {gap_title(gap.code).lower()}{again}")
        why = CLOSED_BY.get(gap.closed_by, "no reason recorded")
        yield from _at(records, gap.closed_at, Side.OURS, f"Gap closed: {gap_title(gap.code).lower()}, {why}")
