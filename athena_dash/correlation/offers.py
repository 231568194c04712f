"""One record + its patient's visits around its day → up to three offers, scored exactly as the rules score them.

For a person to choose from. What is farther away than the rules look is offered without a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from athena_dash.correlation.matching import WINDOW_DAYS, Candidate, Unbound, days_apart, score
from athena_dash.correlation.merges import MergeMap, merge_map
from athena_dash.correlation.models import Link
from athena_dash.correlation.scope import Scope
from athena_dash.correlation.unbound_sql import candidates_for_claims, candidates_for_encounters, named
from athena_dash.records.models import Claim, ClinicalFact, Encounter

Record = Claim | Encounter | ClinicalFact

MODELS: Mapping[Link.Kind, Any] = {
    Link.Kind.CLAIM: Claim,
    Link.Kind.ENCOUNTER: Encounter,
    Link.Kind.CLINICAL: ClinicalFact,
}
MOST = 3
WITHIN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Offer:
    """`points` and the `facts` they are the sum of; None and empty where the rules would not look."""

    candidate: Candidate
    days: int
    points: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


def record_of(link: Link) -> Record | None:
    """None while the record itself has not arrived."""
    rows = MODELS[Link.Kind(link.kind)].objects.for_practice(link.practice_id)
    found: Record | None = rows.filter(external_id=link.record_id).first()
    return found


def offers_for(link: Link, record: Record) -> tuple[Unbound, list[Offer]]:
    """What the rules compare of the record, and the offers, best first."""
    merges = merge_map(link.practice_id)
    unbound = unbound_of(record, merges, ZoneInfo(link.practice.timezone))
    if not unbound.patient_id or unbound.date is None:
        return unbound, []
    scope = Scope(link.practice_id, merges, patients=merges.clusters([unbound.patient_id]))
    read = candidates_for_encounters if isinstance(record, Encounter) else candidates_for_claims
    own = getattr(record, "appointment_id", "")
    # Its own id in the visit's appointment does not make the visit another's.
    candidates = [replace(c, taken=c.taken and c.anchor_id != own) for c in read(scope)]
    near = (c for c in candidates if c.date and abs((c.date - unbound.date).days) <= WITHIN_DAYS)
    return unbound, sorted((offer(unbound, c) for c in near), key=best_first)[:MOST]


def offer(record: Unbound, candidate: Candidate) -> Offer:
    if days_apart(record, candidate) > WINDOW_DAYS:
        return Offer(candidate, days_apart(record, candidate))
    scored = score(record, candidate)
    return Offer(candidate, days_apart(record, candidate), scored.points, scored.facts)


def best_first(offer: Offer) -> tuple[bool, float, int, str]:
    return offer.points is None, -(offer.points or 0), offer.days, offer.candidate.anchor_id


def unbound_of(record: Record, merges: MergeMap, zone: ZoneInfo) -> Unbound:
    patient_id = merges.survivor(record.patient_id)
    if isinstance(record, Claim):
        return Unbound(
            record_id=record.external_id,
            patient_id=patient_id,
            date=record.service_date,
            department_id=record.department_id,
            provider_ids=named([record.billed_provider_id, record.supervising_provider_id]),
            procedures=named(record.procedure_codes),
            diagnoses=named(record.diagnosis_codes),
        )
    if isinstance(record, Encounter):
        return Unbound(
            record_id=record.external_id,
            patient_id=patient_id,
            date=record.date or (record.started_at and record.started_at.astimezone(zone).date()),
            department_id=record.department_id,
            provider_ids=named([record.provider_id]),
        )
    return Unbound(
        record_id=record.external_id,
        patient_id=patient_id,
        date=record.at and record.at.astimezone(zone).date(),
        provider_ids=named([record.provider_id]),
    )
