"""Event notifications of athena → events kept, and the records they name due to be read again.

An event holds ids and no state, comes at least once and in any order: reading the record again is right whatever came
before. Nothing is asked of athena here, because athena waits two seconds for the answer (athena-api.md §5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection, transaction

from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.records.models import Encounter
from athena_dash.sync import feeds, raw, segments
from athena_dash.sync.models import RawRecord
from athena_dash.sync.payloads import Batch, Payload, digest
from athena_dash.sync.source import FHIR_TYPES
from integrations.athena.notifications import Event, read_notification

RESOURCE = "events"  # in the raw store; no feed pulls it
LOCK = 7_002

ORDERED = ("diagnostic_reports", "medication_requests")
OF_PATIENT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{
            kind.lower(): (resource,)
            for resource, kind in FHIR_TYPES.items()
            if kind not in ("Patient", "Encounter")
        },
        "order": ORDERED,
        "servicerequest": ORDERED,
        "labresult": ("diagnostic_reports", "observations"),
        "imagingresult": ("diagnostic_reports", "document_references"),
        "prescription": ("medication_requests",),
        "historicalmedication": ("medication_requests",),
        "medicationstatement": ("medication_requests",),
        "patientproblem": ("conditions",),
        "clinicalencounterdiagnosi": (
            "conditions",
            "fhir_encounters",
        ),  # read as a plural, its last s is cut off
    }
)
"""What an event of this kind may have changed. athena searches it by patient only, so the event's patient is asked
about; without one nobody is."""

MAKE_DUE = """
insert into sync_subject as s (practice_id, resource, key, scope, due_at)
select %(practice)s, w.resource, w.key, w.scope, %(now)s
from unnest(%(resources)s::text[], %(keys)s::text[], %(scopes)s::text[]) as w(resource, key, scope)
on conflict (practice_id, resource, key, scope) do update set due_at = excluded.due_at
"""

Wanted = tuple[str, str, str]
"""(resource, key, scope) of a subject."""


class ForeignPractice(Exception):
    """The notification names a practice other than the one it was sent to."""


@dataclass(frozen=True, slots=True)
class Received:
    """`feeds` are those that now have something to ask; whoever received the events wakes a worker for them."""

    new: int = 0
    repeated: int = 0
    feeds: list[int] = field(default_factory=list)


def receive(practice: Practice, body: bytes) -> Received:
    """Keep every event not seen before. InvalidResponse or ForeignPractice, with nothing kept, otherwise."""
    events = {event.id: event for event in read_notification(body)}
    if any(event.practices - {practice.athena_id} for event in events.values()):
        raise ForeignPractice
    now = clock.now()
    with transaction.atomic():
        one_at_a_time(practice)
        new = unseen(practice, events)
        keep(practice, new, now)
        wanted = {subject for event in new for subject in subjects_of(practice, event)}
        make_due(practice, sorted(wanted), now)
        due = feeds.hasten(practice.pk, {resource for resource, _, _ in wanted}, now)
    return Received(len(new), len(events) - len(new), due)


def one_at_a_time(practice: Practice) -> None:
    """athena sends again what it had no answer to in time; the first of the two may still be at work."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [LOCK, practice.pk])


def unseen(practice: Practice, events: dict[str, Event]) -> list[Event]:
    seen = RawRecord.objects.for_practice(practice).filter(resource=RESOURCE, external_id__in=list(events))
    known = set(seen.values_list("external_id", flat=True))
    return [event for event in events.values() if event.id not in known]


def keep(practice: Practice, events: Iterable[Event], now: datetime) -> None:
    """Also those of topics we know nothing of. No stage has anything to do with them, so they are processed as kept."""
    payloads = [Payload(event.id, "", event.body, digest(event.body)) for event in events]
    segments.finish(raw.keep_batches(practice.pk, [Batch(RESOURCE, payloads, now)]))


def subjects_of(practice: Practice, event: Event) -> list[Wanted]:
    """What to read again: the record by its id where athena allows it, else all of its kind in the patient's chart."""
    if event.kind in ("appointment", "claim", "patient", "Patient"):
        return [(f"{event.kind.lower()}s", event.number, "")] if event.number else []
    if event.kind in ("encounter", "clinicalencounter", "Encounter"):
        return chart_of(practice, event)
    changed = OF_PATIENT.get(event.kind.lower(), ())
    return [(resource, event.patient, "") for resource in changed] if event.patient else []


def chart_of(practice: Practice, event: Event) -> list[Wanted]:
    """athenaOne lists encounters by patient and department; an event that lacks one may name an encounter we have."""
    known = Encounter.objects.for_practice(practice).filter(external_id=event.number).first()
    patient = event.patient or (known.patient_id if known else "")
    department = event.department or (known.department_id if known else "")
    if not patient:
        return []
    chart = [("encounters", patient, department)] if department else []
    return [*chart, ("fhir_encounters", patient, "")]


def make_due(practice: Practice, wanted: Sequence[Wanted], now: datetime) -> None:
    resources, keys, scopes = ([one[i] for one in wanted] for i in range(3))
    values: dict[str, Any] = {
        "practice": practice.pk,
        "now": now,
        "resources": resources,
        "keys": keys,
        "scopes": scopes,
    }
    with connection.cursor() as cursor:
        cursor.execute(MAKE_DUE, values)
