"""Patients in scope → their records that name no appointment, and the visits these may belong to; holds raw
SQL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from athena_dash.correlation.matching import Candidate, Unbound
from athena_dash.correlation.scope import Scope

UNBOUND_CLAIMS = """
select c.external_id, c.patient_id, c.service_date, c.department_id,
    array[c.billed_provider_id, c.supervising_provider_id], c.procedure_codes, c.diagnosis_codes
from records_claim c
where c.practice_id = %(practice)s and c.appointment_id = '' and c.patient_id = any(%(patients)s)
  and c.patient_id <> '' and c.gone_at is null
"""

# Only a VISIT has an appointment to look for; orders and flowsheets have none by nature.
UNBOUND_ENCOUNTERS = """
select e.external_id, e.patient_id, e.date, e.department_id, array[e.provider_id], '{}'::text[], '{}'::text[]
from records_encounter e
where e.practice_id = %(practice)s and e.appointment_id = '' and e.kind = 'VISIT'
  and e.patient_id = any(%(patients)s) and e.patient_id <> '' and e.gone_at is null
  and not exists (
    select from records_appointment a
    where a.practice_id = e.practice_id and a.encounter_id = e.external_id and a.status <> 'o')
"""

# `taken` for an encounter: the appointment has one by id. Its services are not needed to tell encounters apart.
APPOINTMENTS_FOR_ENCOUNTERS = """
select v.id, v.anchor_id, a.patient_id, a.date, a.department_id,
    array[a.provider_id, a.rendering_provider_id], a.supervising_provider_id, '{}'::text[], '{}'::text[],
    a.status in ('2', '3', '4'), true,
    a.encounter_id <> '' or exists (
        select from records_encounter e
        where e.practice_id = a.practice_id and e.appointment_id = a.external_id),
    a.encounter_state <> ''
from records_appointment a
join correlation_visit v
  on v.practice_id = a.practice_id and v.anchor = 'appointment' and v.anchor_id = a.external_id
where a.practice_id = %(practice)s and a.patient_id = any(%(patients)s) and a.gone_at is null
"""

# A slip waived as a duplicate has its charges on another claim, such as one keyed by hand; other waivers expect none.
# `awaited`: status 4 means that a claim exists (revenue-cycle.md §0.2).
# `taken` for a claim: a live claim names the visit's appointment by id. Voids are told by their netted lines.
VISITS_FOR_CLAIMS = """
with notes as (
    select l.visit_id,
        array_agg(distinct s.procedure_code) filter (where s.procedure_code <> '') as procedures,
        array_agg(distinct d.code) filter (where d.code is not null) as diagnoses
    from correlation_link l
    join records_encounter e on e.practice_id = l.practice_id and e.external_id = l.record_id
    left join records_serviceline s
      on s.practice_id = e.practice_id and s.encounter_id = e.external_id and s.gone_at is null
    left join lateral unnest(e.diagnosis_codes) as d(code) on true
    where l.practice_id = %(practice)s and l.kind = 'encounter' and l.visit_id is not null
      and e.patient_id = any(%(patients)s)
    group by l.visit_id
), taken as (
    select distinct c.appointment_id from records_claim c
    where c.practice_id = %(practice)s and c.patient_id = any(%(patients)s) and c.appointment_id <> ''
      and c.gone_at is null and not (
        c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
        and c.patient_status in ('', 'CLOSED') and exists (
            select from records_chargeline n
            where n.practice_id = c.practice_id and n.claim_id = c.external_id and n.gone_at is null
            having sum(n.amount) = 0 and bool_or(n.amount <> 0)))
)
select v.id, v.anchor_id, a.patient_id, a.date, a.department_id,
    array[a.provider_id, a.rendering_provider_id], a.supervising_provider_id,
    coalesce(n.procedures, '{}'), coalesce(n.diagnoses, '{}'),
    a.status in ('2', '3', '4'),
    not a.charge_entry_not_required or a.charge_entry_not_required_reason ilike 'duplicate%%',
    t.appointment_id is not null,
    a.status = '4' and not a.charge_entry_not_required
from records_appointment a
join correlation_visit v
  on v.practice_id = a.practice_id and v.anchor = 'appointment' and v.anchor_id = a.external_id
left join notes n on n.visit_id = v.id
left join taken t on t.appointment_id = a.external_id
where a.practice_id = %(practice)s and a.patient_id = any(%(patients)s) and a.gone_at is null
union all
select v.id, v.anchor_id, e.patient_id, e.date, e.department_id, array[e.provider_id], '',
    coalesce(n.procedures, '{}'), coalesce(n.diagnoses, '{}'),
    e.status <> 'DELETED', e.kind <> 'FLOWSHEET', false, false
from records_encounter e
join correlation_visit v
  on v.practice_id = e.practice_id and v.anchor = 'encounter' and v.anchor_id = e.external_id
left join notes n on n.visit_id = v.id
where e.practice_id = %(practice)s and e.patient_id = any(%(patients)s) and e.gone_at is null
"""


def unbound_claims(scope: Scope) -> list[Unbound]:
    return [as_unbound(row, scope) for row in _rows(UNBOUND_CLAIMS, scope)]


def unbound_encounters(scope: Scope) -> list[Unbound]:
    return [as_unbound(row, scope) for row in _rows(UNBOUND_ENCOUNTERS, scope)]


def candidates_for_claims(scope: Scope) -> list[Candidate]:
    return [as_candidate(row, scope) for row in _rows(VISITS_FOR_CLAIMS, scope)]


def candidates_for_encounters(scope: Scope) -> list[Candidate]:
    return [as_candidate(row, scope) for row in _rows(APPOINTMENTS_FOR_ENCOUNTERS, scope)]


def as_unbound(row: tuple[Any, ...], scope: Scope) -> Unbound:
    record_id, patient_id, date, department_id, providers, procedures, diagnoses = row
    return Unbound(
        record_id=record_id,
        patient_id=scope.merges.survivor(patient_id),
        date=date,
        department_id=department_id,
        provider_ids=named(providers),
        procedures=named(procedures),
        diagnoses=named(diagnoses),
    )


def as_candidate(row: tuple[Any, ...], scope: Scope) -> Candidate:
    (visit_id, anchor_id, patient_id, date, department_id, providers, supervisor_id) = row[:7]
    procedures, diagnoses, happened, expected, taken, awaited = row[7:]
    return Candidate(
        visit_id=visit_id,
        anchor_id=anchor_id,
        patient_id=scope.merges.survivor(patient_id),
        date=date,
        department_id=department_id,
        provider_ids=named(providers),
        supervisor_id=supervisor_id,
        procedures=named(procedures),
        diagnoses=named(diagnoses),
        happened=happened,
        expected=expected,
        taken=taken,
        awaited=awaited,
    )


def named(ids: Iterable[str]) -> frozenset[str]:
    return frozenset(id for id in ids if id not in ("", "0"))


def _rows(statement: str, scope: Scope) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, scope.values)
        return list(cursor.fetchall())
