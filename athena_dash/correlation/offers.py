"""One record + its patient's visits around its day → up to three offers, scored exactly as the rules score them.

For a person to choose from. What is farther away than the rules look is offered without a score.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from athena_dash.correlation.merges import MergeMap, merge_map
from athena_dash.correlation.models import Link
from athena_dash.correlation.scoring_sql import DOCUMENTS, EXPLAINED, NOTES, SCORED
from athena_dash.correlation.tables import TABLES, run
from athena_dash.correlation.unbound_sql import PAIRS_OF_CLAIMS, PAIRS_OF_ENCOUNTERS
from athena_dash.correlation.weights import POINTS, SHIPPED, WINDOW_DAYS, weighing, weights_of
from athena_dash.records.models import Claim, ClinicalFact, Encounter

Record = Claim | Encounter | ClinicalFact

MODELS: Mapping[Link.Kind, Any] = {
    Link.Kind.CLAIM: Claim,
    Link.Kind.ENCOUNTER: Encounter,
    Link.Kind.CLINICAL: ClinicalFact,
}
MOST = 3
WITHIN_DAYS = 14


PAIR_COLUMNS = ", ".join(column.split()[0] for column in TABLES["scope_pair"].split(","))


def statement(pairs: str) -> str:
    """One record and its patient in place of the tables a correlation works in."""
    return f"""
with scope_unbound as (
    select %(kind)s::text as kind, %(record_id)s::text as record_id, %(patient_id)s::text as patient_id,
        %(date)s::date as date, %(department_id)s::text as department_id,
        %(provider_ids)s::text[] as provider_ids, %(procedures)s::text[] as procedures,
        %(diagnoses)s::text[] as diagnoses
), scope_patient as (
    select unnest(%(patient_ids)s::text[]) as id, %(patient_id)s::text as survivor
), scope_visit as (
    select 0::bigint as id, ''::text as anchor, ''::text as anchor_id where false
), scope_weight (level, points, stray) as ({POINTS}), scope_pair ({PAIR_COLUMNS}) as ({pairs}),
scope_document (visit_id, encounter_id) as ({DOCUMENTS}), scope_note (visit_id, procedures, diagnoses) as ({NOTES})
select visit_id, visit_date, department_id, provider_ids, procedures, diagnoses, days,
    case when days <= %(scored_days)s then points end, case when days <= %(scored_days)s then {EXPLAINED} end
from ({SCORED}) scored
order by case when days <= %(scored_days)s then points end desc nulls last, days, anchor_id limit %(most)s
"""  # noqa: S608 - made of this stage's constants


OFFERS = {"encounter": statement(PAIRS_OF_ENCOUNTERS), "claim": statement(PAIRS_OF_CLAIMS)}


@dataclass(frozen=True, slots=True)
class Side:
    """What the rules compare of a record, or of a visit. `patient_id` of a record is after the merge map."""

    date: dt.date | None
    patient_id: str = ""
    department_id: str = ""
    provider_ids: Collection[str] = ()
    procedures: Collection[str] = ()
    diagnoses: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """`points` and the `facts` they are the sum of; None and empty where the rules would not look."""

    visit_id: int
    visit: Side
    days: int
    points: float | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


def record_of(link: Link) -> Record | None:
    """None while the record itself has not arrived."""
    rows = MODELS[Link.Kind(link.kind)].objects.for_practice(link.practice_id)
    found: Record | None = rows.filter(external_id=link.record_id).first()
    return found


def offers_for(link: Link, record: Record) -> tuple[Side, list[Offer]]:
    """What the rules compare of the record, and the offers, best first."""
    merges = merge_map(link.practice_id)
    side = side_of(record, merges, ZoneInfo(link.practice.timezone))
    if not side.patient_id or side.date is None:
        return side, []
    kind = "encounter" if isinstance(record, Encounter) else "claim"
    weights = weights_of(link.practice_id) if kind == "claim" else SHIPPED
    values = {
        **weighing(weights),
        "practice": link.practice_id,
        "kind": kind,
        "record_id": record.external_id,
        "patient_id": side.patient_id,
        "patient_ids": merges.clusters([side.patient_id]),
        "date": side.date,
        "department_id": side.department_id,
        "provider_ids": list(side.provider_ids),
        "procedures": list(side.procedures),
        "diagnoses": list(side.diagnoses),
        "window": WITHIN_DAYS,
        "scored_days": WINDOW_DAYS,
        "most": MOST,
    }
    return side, [offer(*row) for row in run(OFFERS[kind], values)]


def offer(
    visit_id: int,
    date: dt.date,
    department_id: str,
    provider_ids: list[str],
    procedures: list[str],
    diagnoses: list[str],
    days: int,
    points: Any,
    facts: str | None,
) -> Offer:
    visit = Side(
        date=date,
        department_id=department_id,
        provider_ids=provider_ids,
        procedures=procedures,
        diagnoses=diagnoses,
    )
    return Offer(visit_id, visit, days, points and float(points), json.loads(facts or "{}"))


def side_of(record: Record, merges: MergeMap, zone: ZoneInfo) -> Side:
    patient_id = merges.survivor(record.patient_id)
    if isinstance(record, Claim):
        return Side(
            patient_id=patient_id,
            date=record.service_date,
            department_id=record.department_id,
            provider_ids=named([record.billed_provider_id, record.supervising_provider_id]),
            procedures=named(record.procedure_codes),
            diagnoses=named(record.diagnosis_codes),
        )
    if isinstance(record, Encounter):
        return Side(
            patient_id=patient_id,
            date=record.date or (record.started_at and record.started_at.astimezone(zone).date()),
            department_id=record.department_id,
            provider_ids=named([record.provider_id]),
        )
    return Side(
        patient_id=patient_id,
        date=record.at and record.at.astimezone(zone).date(),
        provider_ids=named([record.provider_id]),
    )


def named(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({id for id in ids if id not in ("", "0")}))
