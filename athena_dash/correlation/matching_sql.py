"""Records in scope → visits and links, by the ids they name, in sets; holds raw SQL.

The identifier bridge of athena-api.md §4. What ids cannot decide comes in as matches already made
(`matching`), as arrays. A person's decision is never overwritten, and a row that would not change is not
written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from athena_dash.correlation.matching import Match
from athena_dash.correlation.scope import Scope

BRIDGE = """
bridge as (
    select distinct on (e.external_id) e.external_id as encounter_id, e.kind, e.status, e.gone_at,
        coalesce(nullif(e.appointment_id, ''), named.external_id, '') as appointment_id
    from records_encounter e
    left join records_appointment named
      on named.practice_id = e.practice_id and named.encounter_id = e.external_id and named.status <> 'o'
    where e.practice_id = %(practice)s and e.external_id = any(%(encounters)s)
    order by e.external_id, named.charge_entry_not_required, named.status = 'x', length(named.external_id),
        named.external_id
)
"""

# An encounter came first and has a visit of its own: once its appointment is known, the same row becomes that
# appointment's visit, so that notes, assignments and gaps stay.
RE_ANCHOR = f"""
with {BRIDGE}, first as (
    select distinct on (b.appointment_id) v.id, b.appointment_id
    from bridge b
    join correlation_visit v
      on v.practice_id = %(practice)s and v.anchor = 'encounter' and v.anchor_id = b.encounter_id
    join records_appointment a
      on a.practice_id = v.practice_id and a.external_id = b.appointment_id and a.status <> 'o'
    where b.appointment_id <> '' and not exists (
        select from correlation_visit taken
        where taken.practice_id = v.practice_id and taken.anchor = 'appointment'
          and taken.anchor_id = b.appointment_id)
    order by b.appointment_id, v.id
)
update correlation_visit v set anchor = 'appointment', anchor_id = first.appointment_id
from first where first.id = v.id
"""  # noqa: S608 - made of this module's constants

APPOINTMENT_VISITS = """
insert into correlation_visit
    (practice_id, anchor, anchor_id,
     patient_id, department_id, provider_id, visit_type, payer_name, track, suppressor)
select a.practice_id, 'appointment', a.external_id, '', '', '', '', '', '--------', ''
from records_appointment a
where a.practice_id = %(practice)s and a.external_id = any(%(appointments)s) and a.status <> 'o'
  and not exists (
    select from correlation_visit v
    where v.practice_id = a.practice_id and v.anchor = 'appointment' and v.anchor_id = a.external_id)
order by a.external_id
on conflict do nothing
"""

# No appointment is known for these, and /chart (or a stay's FHIR id) says that there is none to wait for.
ENCOUNTER_VISITS = f"""
with {BRIDGE}, matched as (select unnest(%(matched)s::text[]) as record_id)
insert into correlation_visit
    (practice_id, anchor, anchor_id,
     patient_id, department_id, provider_id, visit_type, payer_name, track, suppressor)
select %(practice)s, 'encounter', b.encounter_id, '', '', '', '', '', '--------', ''
from bridge b
where b.appointment_id = '' and (b.kind <> '' or b.encounter_id like 'stay-%%')
  and not exists (select from matched m where m.record_id = b.encounter_id)
  and not exists (
    select from correlation_link l
    where l.practice_id = %(practice)s and l.kind = 'encounter' and l.record_id = b.encounter_id
      and l.method = 'manual')
order by b.encounter_id
on conflict do nothing
"""  # noqa: S608 - made of this module's constants

APPOINTMENT_LINKS = """
select 'appointment' as kind, v.anchor_id as record_id, v.id as visit_id, 'linked' as state, 'anchor' as method,
    1.0::float as score, '{}'::jsonb as evidence
from correlation_visit v
where v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = any(%(appointments)s)
"""

MATCHES = """
matches as (
    select * from unnest(
        %(match_record)s::text[], %(match_visit)s::bigint[], %(match_state)s::text[], %(match_method)s::text[],
        %(match_score)s::float[], %(match_evidence)s::jsonb[])
        as m(record_id, visit_id, state, method, score, evidence)
)
"""

ENCOUNTER_LINKS = f"""
with {BRIDGE}, {MATCHES}
select 'encounter' as kind, b.encounter_id as record_id,
    coalesce(own.id, m.visit_id, alone.id) as visit_id,
    case when coalesce(own.id, m.visit_id, alone.id) is null then 'pending' else 'linked' end as state,
    case when own.id is not null then 'id' when m.visit_id is not null then m.method
         when alone.id is not null then 'anchor' else 'none' end as method,
    case when own.id is not null then 1.0 when m.visit_id is not null then m.score
         when alone.id is not null then 1.0 else 0.0 end::float as score,
    case when b.appointment_id <> '' then jsonb_build_object('appointment_id', b.appointment_id)
         when m.visit_id is not null then m.evidence
         when alone.id is null then '{{"awaits": "chart"}}'::jsonb
         else '{{}}'::jsonb end as evidence
from bridge b
left join correlation_visit own
  on own.practice_id = %(practice)s and own.anchor = 'appointment' and own.anchor_id = b.appointment_id
left join matches m on m.record_id = b.encounter_id and b.appointment_id = '' and m.state = 'linked'
left join correlation_visit alone
  on alone.practice_id = %(practice)s and alone.anchor = 'encounter' and alone.anchor_id = b.encounter_id
 and b.appointment_id = '' and m.visit_id is null
"""  # noqa: S608 - made of this module's constants

CLAIM_LINKS = f"""
with {MATCHES}
select 'claim' as kind, c.external_id as record_id, coalesce(own.id, m.visit_id) as visit_id,
    case when own.id is not null then 'linked' when c.appointment_id <> '' then 'pending'
         else coalesce(m.state, 'unmatched') end as state,
    case when own.id is not null then 'id' when c.appointment_id <> '' then 'none'
         else coalesce(m.method, 'none') end as method,
    case when own.id is not null then 1.0 else coalesce(m.score, 0.0) end::float as score,
    case when c.appointment_id <> '' then jsonb_build_object('appointment_id', c.appointment_id)
         else coalesce(m.evidence, '{{}}'::jsonb) end as evidence
from records_claim c
left join correlation_visit own
  on own.practice_id = c.practice_id and own.anchor = 'appointment' and own.anchor_id = c.appointment_id
 and c.appointment_id <> ''
left join matches m on m.record_id = c.external_id and c.appointment_id = ''
where c.practice_id = %(practice)s and c.external_id = any(%(claims)s)
"""  # noqa: S608 - made of this module's constants

# A result that names no encounter is never guessed into one: it is an orphan that a person ties (G17).
FACT_LINKS = """
select 'clinical' as kind, f.external_id as record_id, e.visit_id,
    case when f.encounter_id = '' then 'unmatched' when e.visit_id is null then 'pending'
         else 'linked' end as state,
    case when e.visit_id is null then 'none' else 'id' end as method,
    case when e.visit_id is null then 0.0 else 1.0 end::float as score,
    case when f.encounter_id = '' then '{}'::jsonb
         else jsonb_build_object('encounter_id', f.encounter_id) end as evidence
from records_clinicalfact f
left join correlation_link e
  on e.practice_id = f.practice_id and e.kind = 'encounter' and e.record_id = f.encounter_id
 and f.encounter_id <> ''
where f.practice_id = %(practice)s
  and (f.external_id = any(%(facts)s) or f.encounter_id <> '' and f.encounter_id = any(%(encounters)s))
"""

WRITE_LINKS = """
insert into correlation_link as l
    (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
select %(practice)s, w.kind, w.record_id, w.visit_id, w.state, w.method, w.score, w.evidence, %(now)s
from ({wanted}) w
left join correlation_link old
  on old.practice_id = %(practice)s and old.kind = w.kind and old.record_id = w.record_id
where old.id is null or (
    old.method <> 'manual' and old.decided_by_id is null
    and (old.visit_id, old.state, old.method, old.score, old.evidence)
        is distinct from (w.visit_id, w.state, w.method, w.score, w.evidence))
order by w.kind, w.record_id
on conflict (practice_id, kind, record_id) do update
set (visit_id, state, method, score, evidence, linked_at)
  = row(excluded.visit_id, excluded.state, excluded.method, excluded.score, excluded.evidence, excluded.linked_at)
returning l.visit_id
"""

# Visits made for an encounter that now belongs elsewhere, with the visit it belongs to.
ABSORBED = """
select v.id, l.visit_id from correlation_visit v
join correlation_link l
  on l.practice_id = v.practice_id and l.kind = 'encounter' and l.record_id = v.anchor_id
where v.practice_id = %(practice)s and v.anchor = 'encounter' and v.anchor_id = any(%(encounters)s)
  and l.visit_id is not null and l.visit_id <> v.id
"""

TOUCHED_VISITS = """
select distinct l.visit_id from correlation_link l
where l.practice_id = %(practice)s and l.visit_id is not null and (
    l.kind = 'appointment' and l.record_id = any(%(appointments)s)
    or l.kind = 'encounter' and l.record_id = any(%(encounters)s)
    or l.kind = 'claim' and l.record_id = any(%(claims)s)
    or l.kind = 'clinical' and l.record_id = any(%(facts)s))
"""

AROUND_VISITS = """
select v.id from correlation_visit v
where v.practice_id = %(practice)s and (
    v.department_id = any(%(department)s) or v.provider_id = any(%(provider)s)
    or v.patient_id in (
        select coalesce(m.survivor, i.patient_id) from records_insurance i
        left join unnest(%(losers)s::text[], %(survivors)s::text[]) as m(loser, survivor) on m.loser = i.patient_id
        where i.practice_id = %(practice)s and i.external_id = any(%(insurance)s)))
"""


def make_appointment_visits(scope: Scope) -> None:
    _run(RE_ANCHOR, scope.values)
    _run(APPOINTMENT_VISITS, scope.values)


def make_encounter_visits(scope: Scope, matched: Sequence[Match]) -> None:
    """For encounters with no appointment, except those matched to a visit without an id."""
    linked = [match.record_id for match in matched if match.state == "linked"]
    _run(ENCOUNTER_VISITS, scope.values | {"matched": linked})


def link_appointments(scope: Scope, now: Any) -> None:
    _run(WRITE_LINKS.format(wanted=APPOINTMENT_LINKS), scope.values | {"now": now})


def link_encounters(scope: Scope, matched: Sequence[Match], now: Any) -> None:
    _run(WRITE_LINKS.format(wanted=ENCOUNTER_LINKS), scope.values | columns(matched) | {"now": now})


def link_claims(scope: Scope, matched: Sequence[Match], now: Any) -> None:
    _run(WRITE_LINKS.format(wanted=CLAIM_LINKS), scope.values | columns(matched) | {"now": now})


def link_facts(scope: Scope, now: Any) -> None:
    _run(WRITE_LINKS.format(wanted=FACT_LINKS), scope.values | {"now": now})


def absorbed(scope: Scope) -> list[tuple[int, int]]:
    return [(gone, into) for gone, into in _run(ABSORBED, scope.values)]


def touched_visits(scope: Scope) -> set[int]:
    return {id for (id,) in _run(TOUCHED_VISITS, scope.values)}


def visits_around(scope: Scope, touched: dict[str, list[str]]) -> set[int]:
    """Visits whose department, provider or patient's insurance changed."""
    if not any(touched.values()):
        return set()
    return {id for (id,) in _run(AROUND_VISITS, scope.values | touched)}


def columns(matches: Sequence[Match]) -> dict[str, list[Any]]:
    return {
        "match_record": [m.record_id for m in matches],
        "match_visit": [m.visit_id for m in matches],
        "match_state": [m.state for m in matches],
        "match_method": [m.method for m in matches],
        "match_score": [m.score for m in matches],
        "match_evidence": [json.dumps(m.evidence) for m in matches],
    }


def _run(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
