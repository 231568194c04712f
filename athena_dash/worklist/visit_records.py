"""One visit into everything known of it: linked records of both systems, gaps, notes and failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from athena_dash.correlation.models import Gap, Link, Visit
from athena_dash.practices.policies import Policies, policies_of
from athena_dash.records.history import SlotStatus, statuses
from athena_dash.records.models import (
    Appointment,
    ChargeLine,
    Claim,
    ClaimNote,
    ClinicalFact,
    Encounter,
    Insurance,
    Patient,
    ServiceLine,
)
from athena_dash.sync.models import Failure
from athena_dash.worklist.models import Note, Worked, WorkItem

MOST_FACTS = 50  # clinical facts shown; a stay can have thousands


@dataclass(frozen=True)
class VisitRecords:
    """Newest last in every list. `work` is None until somebody has done something with the visit."""

    visit: Visit
    zone: ZoneInfo
    policies: Policies
    patient: Patient | None
    links: Sequence[Link]
    appointments: Sequence[Appointment]
    encounters: Sequence[Encounter]
    services: Sequence[ServiceLine]
    facts: Sequence[ClinicalFact]
    claims: Sequence[Claim]
    lines: Sequence[ChargeLine]
    claim_notes: Sequence[ClaimNote]
    statuses: Sequence[SlotStatus]
    insurances: Sequence[Insurance]
    gaps: Sequence[Gap]
    failures: Sequence[Failure]
    notes: Sequence[Note]
    worked: Sequence[Worked]
    work: WorkItem | None

    def link(self, kind: str, record_id: str) -> Link | None:
        return next((link for link in self.links if (link.kind, link.record_id) == (kind, record_id)), None)

    @property
    def primary_gap(self) -> Gap | None:
        return next((gap for gap in self.gaps if gap.primary and gap.closed_at is None), None)


def read_records(visit: Visit) -> VisitRecords:
    """A fixed number of queries, whatever hangs on the visit."""
    links = list(visit.links.select_related("decided_by").order_by("kind", "record_id"))
    encounter_ids = _ids(links, Link.Kind.ENCOUNTER)
    claim_ids = _ids(links, Link.Kind.CLAIM)
    appointment_ids = [visit.anchor_id] if visit.anchor == Visit.Anchor.APPOINTMENT else []

    def of(model: Any, order: str, **where: Any) -> list[Any]:
        return list(model.objects.for_practice(visit.practice_id).filter(**where).order_by(order, "pk"))

    facts = ClinicalFact.objects.for_practice(visit.practice_id).filter(
        Q(encounter_id__in=encounter_ids) | Q(external_id__in=_ids(links, Link.Kind.CLINICAL))
    )
    claims = of(Claim, "created_date", external_id__in=claim_ids)
    return VisitRecords(
        visit=visit,
        zone=ZoneInfo(visit.practice.timezone),
        policies=policies_of(visit.practice_id),
        patient=next(iter(of(Patient, "pk", external_id=visit.patient_id)), None),
        links=links,
        appointments=of(Appointment, "starts_at", external_id__in=appointment_ids),
        encounters=of(Encounter, "date", external_id__in=encounter_ids),
        services=of(ServiceLine, "external_id", encounter_id__in=encounter_ids),
        facts=list(facts.order_by("at", "pk")[:MOST_FACTS]),
        claims=claims,
        lines=of(ChargeLine, "claim_id", claim_id__in=claim_ids),
        claim_notes=of(ClaimNote, "external_id", claim_id__in=claim_ids),
        statuses=statuses(visit.practice_id, claims),
        insurances=of(Insurance, "sequence", patient_id=visit.patient_id) if visit.patient_id else [],
        gaps=list(visit.gaps.order_by("-primary", "since")),
        failures=_failures(visit, links, appointment_ids),
        notes=list(visit.notes.select_related("author").order_by("at")),
        worked=list(visit.worked.select_related("by").order_by("at")),
        work=WorkItem.objects.filter(visit=visit).select_related("assignee", "snoozed_by").first(),
    )


def _ids(links: Sequence[Link], kind: str) -> list[str]:
    return [link.record_id for link in links if link.kind == kind]


def _failures(visit: Visit, links: Sequence[Link], appointment_ids: Sequence[str]) -> list[Failure]:
    """Open failures on exactly these record keys, or on the visit itself."""
    keys = Q(subject_kind=Failure.SubjectKind.VISIT, subject_id=str(visit.pk))
    for kind in {link.kind for link in links}:
        keys |= Q(record_kind=kind, record_id__in=_ids(links, kind))
    if appointment_ids:
        keys |= Q(appointment_id__in=appointment_ids) | Q(
            record_kind="appointment", record_id__in=appointment_ids
        )
    open_failures = Failure.objects.for_practice(visit.practice_id).filter(resolved_at__isnull=True)
    return list(open_failures.filter(keys).order_by("-last_seen")[:20])
