"""Visit ids → VisitFacts of all of them, in one query per kind of record; never one per visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from athena_dash.correlation.models import Link, Visit
from athena_dash.correlation.neighbours import neighbours_of
from athena_dash.correlation.visit_facts import (
    AppointmentFacts,
    ClaimFacts,
    EncounterFacts,
    LineFacts,
    Neighbours,
    ServiceFacts,
    SlotFacts,
    VisitFacts,
)
from athena_dash.practices.models import Practice
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage, meaning
from athena_dash.records.models import (
    Appointment,
    ChargeLine,
    Claim,
    ClaimNote,
    ClaimStatusChange,
    Department,
    Encounter,
    Insurance,
    Provider,
    ServiceLine,
)
from athena_dash.records.models.billing import NAMED_ONLY

NO_ZERO = ("", "0")


def load(practice_id: int, visit_ids: Collection[int], policies: Policies) -> list[VisitFacts]:
    visits = list(Visit.objects.for_practice(practice_id).filter(pk__in=visit_ids).order_by("pk"))
    links = linked(practice_id, visit_ids)
    ids = {kind: [id for ids in by_visit.values() for id in ids] for kind, by_visit in links.items()}
    appointments = {
        row.external_id: as_appointment(row)
        for row in Appointment.objects.for_practice(practice_id).filter(
            external_id__in=[visit.anchor_id for visit in visits if visit.anchor == Visit.Anchor.APPOINTMENT]
        )
    }
    encounters = {
        row.external_id: as_encounter(row)
        for row in Encounter.objects.for_practice(practice_id).filter(
            external_id__in=ids["encounter"], gone_at__isnull=True
        )
    }
    claims = load_claims(practice_id, ids["claim"], policies)
    services = load_services(practice_id, ids["encounter"])
    review = in_review(practice_id, visit_ids)
    insurance = insurance_types(practice_id, visits)
    places = Places(practice_id)
    around = neighbours_of(practice_id, visits)
    return [
        VisitFacts(
            id=visit.pk,
            anchor=visit.anchor,
            service_date=visit.service_date,
            patient_id=visit.patient_id,
            department_id=visit.department_id,
            provider_id=visit.provider_id,
            visit_type=visit.visit_type,
            payer_name=visit.payer_name,
            insurance_type=insurance.get((visit.patient_id, visit.payer_name), ""),
            appointment=appointments.get(visit.anchor_id)
            if visit.anchor == Visit.Anchor.APPOINTMENT
            else None,
            encounters=tuple(encounters[id] for id in links["encounter"][visit.pk] if id in encounters),
            services=tuple(service for id in links["encounter"][visit.pk] for service in services[id]),
            claims=tuple(claims[id] for id in links["claim"][visit.pk] if id in claims),
            possible_claims=tuple(review[visit.pk]),
            neighbours=around.get((visit.department_id, visit.service_date), Neighbours()),
            **places.of(visit),
        )
        for visit in visits
    ]


class Places:
    """Zone, place of service, and whether an encounter is to be expected, by department and provider."""

    def __init__(self, practice_id: int) -> None:
        practice = Practice.objects.get(pk=practice_id)
        self.zone = ZoneInfo(practice.timezone)
        self.departments = {row.external_id: row for row in Department.objects.for_practice(practice_id)}
        silent = Provider.objects.for_practice(practice_id).filter(creates_encounter=False)
        self.silent = set(silent.values_list("external_id", flat=True))

    def of(self, visit: Visit) -> dict[str, Any]:
        department = self.departments.get(visit.department_id)
        return {
            "zone": ZoneInfo(department.timezone) if department else self.zone,
            "place_of_service": department.place_of_service if department else "",
            "clinicals": department.clinicals if department else True,
            "provider_documents": visit.provider_id not in self.silent,
        }


def linked(practice_id: int, visit_ids: Collection[int]) -> dict[str, dict[int, list[str]]]:
    found: dict[str, dict[int, list[str]]] = {kind: defaultdict(list) for kind in ("encounter", "claim")}
    rows = Link.objects.for_practice(practice_id).filter(
        visit_id__in=visit_ids, kind__in=found, state="linked"
    )
    for kind, visit_id, record_id in rows.order_by("record_id").values_list("kind", "visit_id", "record_id"):
        found[kind][visit_id].append(record_id)
    return found


def in_review(practice_id: int, visit_ids: Collection[int]) -> dict[int, list[str]]:
    """Claims that wait for a person, under each visit they may belong to."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = Link.objects.for_practice(practice_id).filter(kind="claim", state="review").order_by("record_id")
    for record_id, evidence in rows.values_list("record_id", "evidence"):
        for candidate in evidence.get("candidates", ()):
            if candidate["visit_id"] in visit_ids:
                found[candidate["visit_id"]].append(record_id)
    return found


def load_services(practice_id: int, encounter_ids: Iterable[str]) -> Mapping[str, list[ServiceFacts]]:
    found: dict[str, list[ServiceFacts]] = defaultdict(list)
    rows = ServiceLine.objects.for_practice(practice_id).filter(
        encounter_id__in=list(encounter_ids), gone_at__isnull=True
    )
    for row in rows.order_by("external_id"):
        found[row.encounter_id].append(
            ServiceFacts(
                encounter_id=row.encounter_id,
                procedure_code=row.procedure_code,
                modifiers=tuple(row.modifiers),
                bill=row.bill_for_service,
            )
        )
    return found


def load_claims(practice_id: int, claim_ids: Iterable[str], policies: Policies) -> dict[str, ClaimFacts]:
    wanted = list(claim_ids)
    lines: dict[str, list[LineFacts]] = defaultdict(list)
    rows = ChargeLine.objects.for_practice(practice_id).filter(claim_id__in=wanted, gone_at__isnull=True)
    for row in rows.order_by("external_id"):
        lines[row.claim_id].append(
            LineFacts(
                procedure_code=row.procedure_code,
                amount=row.amount or Decimal(0),
                payments=row.payments,
                outstanding=row.outstanding,
                posted_on=row.posted_on,
            )
        )
    notes = load_notes(practice_id, wanted, policies)
    history = {
        (row.claim_id, row.slot): row
        for row in ClaimStatusChange.objects.filter(
            practice_id=practice_id, claim_id__in=wanted, ended_at__isnull=True
        )
    }
    seen = Claim.objects.for_practice(practice_id).exclude(NAMED_ONLY)  # a bare name is no claim yet (G14)
    claims = seen.filter(external_id__in=wanted, gone_at__isnull=True)
    return {
        row.external_id: ClaimFacts(
            id=row.external_id,
            service_date=row.service_date,
            created_on=row.created_date,
            billed_provider_id=row.billed_provider_id,
            slots=tuple(slots_of(row, history, policies)),
            lines=tuple(lines[row.external_id]),
            notes=tuple(notes[row.external_id]),
        )
        for row in claims
    }


def load_notes(practice_id: int, claim_ids: list[str], policies: Policies) -> Mapping[str, list[ClaimStage]]:
    """athena numbers a claim's notes as they are written."""
    found: dict[str, list[tuple[int, ClaimStage]]] = defaultdict(list)
    rows = ClaimNote.objects.for_practice(practice_id).filter(claim_id__in=claim_ids).exclude(status="")
    for external_id, claim_id, status in rows.values_list("external_id", "claim_id", "status"):
        number = external_id.rpartition("/")[2]
        stage = meaning(status, policies.claim_statuses).stage
        found[claim_id].append((int(number) if number.isdecimal() else 0, stage))
    return defaultdict(list, {id: [stage for _, stage in sorted(notes)] for id, notes in found.items()})


def slots_of(
    claim: Claim, history: Mapping[tuple[str, str], ClaimStatusChange], policies: Policies
) -> Iterable[SlotFacts]:
    for name in ("primary", "secondary", "patient"):
        raw = getattr(claim, f"{name}_status")
        change = history.get((claim.external_id, name))
        known = change if change is not None and change.status == raw else None
        yield SlotFacts(
            name=name,
            raw=raw,
            stage=meaning(raw, policies.claim_statuses).stage,
            since=known.first_seen if known else None,
            from_backfill=known.since_backfill if known else True,
        )


def insurance_types(practice_id: int, visits: Iterable[Visit]) -> dict[tuple[str, str], str]:
    """By patient and payer name, as the visit's projection chose it."""
    patients = {visit.patient_id for visit in visits}
    rows = Insurance.objects.for_practice(practice_id).filter(patient_id__in=patients)
    return {
        (patient_id, payer): kind
        for patient_id, payer, kind in rows.values_list("patient_id", "payer_name", "insurance_type")
    }


def as_appointment(row: Appointment) -> AppointmentFacts:
    return AppointmentFacts(
        id=row.external_id,
        status=row.status,
        starts_at=row.starts_at,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        exam_done_at=row.exam_done_at,
        cancelled_at=row.cancelled_at,
        cancel_reason=row.cancel_reason,
        no_show=row.no_show,
        rescheduled_to=row.rescheduled_to,
        charge_entry_not_required=row.charge_entry_not_required,
        charge_entry_not_required_reason=row.charge_entry_not_required_reason,
        encounter_id=row.encounter_id,
        encounter_state=row.encounter_state,
        encounter_status=row.encounter_status,
        gone=row.gone_at is not None,
    )


def as_encounter(row: Encounter) -> EncounterFacts:
    return EncounterFacts(
        id=row.external_id,
        kind=row.kind,
        status=row.status,
        stage=row.stage,
        date=row.date,
        closed_on=row.closed_on,
        reopened_on=row.reopened_on,
        ended_at=row.ended_at,
    )
