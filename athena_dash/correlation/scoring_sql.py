"""Pairs of a record and a visit → points per fact; a record's pairs → its verdict: linked, review or unmatched.

Holds raw SQL, over scope_unbound and scope_pair. The points are parameters, `weights.WEIGHTS`. Each record is judged by
itself against all visits of its patient, so that order never matters.
"""

from __future__ import annotations

DOCUMENTS = """
select distinct p.visit_id, l.record_id from (select distinct visit_id from scope_pair) p
join correlation_link l on l.visit_id = p.visit_id and l.kind = 'encounter'
"""

# What the visits on offer document. Empty says nothing, for or against.
NOTES = """
select p.visit_id,
    array_agg(distinct s.procedure_code) filter (where s.procedure_code not in ('', '0')),
    array_agg(distinct d.code) filter (where d.code not in ('', '0'))
from scope_document p
join records_encounter e on e.practice_id = %(practice)s and e.external_id = p.encounter_id
left join records_serviceline s
  on s.practice_id = %(practice)s and s.encounter_id = p.encounter_id and s.gone_at is null
left join lateral unnest(e.diagnosis_codes) as d(code) on true
group by p.visit_id
"""

# One row a pair and one column a fact, null where either side does not say.
FACTS = """
with compared as (
    select u.kind, u.record_id, p.visit_id, p.anchor_id, p.date as visit_date, p.department_id, p.provider_ids,
        coalesce(n.procedures, '{}') as procedures, coalesce(n.diagnoses, '{}') as diagnoses,
        abs(p.date - u.date) as days, cardinality(u.procedures) as procedures_said,
        cardinality(u.diagnoses) as diagnoses_said,
        case when n.procedures is null or u.procedures = '{}' then null
             else (select count(*) from unnest(u.procedures) code where code = any(n.procedures))
        end as procedures_shared,
        case when n.diagnoses is null or u.diagnoses = '{}' then null
             else (select count(*) from unnest(u.diagnoses) code where code = any(n.diagnoses))
        end as diagnoses_shared,
        u.provider_ids <> '{}' and p.provider_ids <> '{}' as providers_known,
        u.provider_ids && p.provider_ids as same_provider, p.supervisor_id = any(u.provider_ids) as supervisor,
        u.department_id <> '' and p.department_id <> '' as departments_known,
        u.department_id = p.department_id as same_department,
        p.happened, p.expected, p.taken, p.awaited
    from scope_pair p
    join scope_unbound u on u.record_id = p.record_id and u.kind = %(kind)s
    left join scope_note n on n.visit_id = p.visit_id
)
select *,
    case days when 0 then %(same_day)s when 1 then %(one_day)s when 2 then %(two_days)s else %(three_days)s end
        as date_points,
    case when not providers_known then null when same_provider then %(same_provider)s
         when supervisor then %(supervisor)s else %(other_provider)s end as provider_points,
    case when not departments_known then null when same_department then %(same_department)s
         else %(other_department)s end as department_points,
    case when procedures_shared = 0 then %(procedures_differ)s
         else round(%(procedures_agree)s * procedures_shared / procedures_said, 2) end as procedures_points,
    case when diagnoses_shared = 0 then %(diagnoses_differ)s
         else round(%(diagnoses_agree)s * diagnoses_shared / diagnoses_said, 2) end as diagnoses_points,
    case when taken then %(taken)s end as taken_points,
    case when awaited and not taken then %(awaited)s end as awaited_points,
    case when not expected then %(not_expected)s end as not_expected_points,
    case when not happened then %(did_not_happen)s end as did_not_happen_points,
    days = 0 and happened and same_department and (same_provider or supervisor) as exact
from compared
"""

SCORED = f"""
select *, date_points + coalesce(provider_points, 0) + coalesce(department_points, 0)
    + coalesce(procedures_points, 0) + coalesce(diagnoses_points, 0) + coalesce(taken_points, 0)
    + coalesce(awaited_points, 0) + coalesce(not_expected_points, 0) + coalesce(did_not_happen_points, 0) as points
from ({FACTS}) facts
"""  # noqa: S608 - made of this module's constants

EXPLAINED = """jsonb_strip_nulls(jsonb_build_object(
    'date', date_points, 'provider', provider_points, 'department', department_points,
    'procedures', procedures_points, 'diagnoses', diagnoses_points, 'taken', taken_points,
    'awaited', awaited_points, 'not expected', not_expected_points, 'did not happen', did_not_happen_points))"""

# It bills none of the services that the best visit documents: that goes to a person, however good the rest.
# `score` is for people to compare, 0..1; the decision is made on points.
VERDICTS = f"""
with ranked as (
    select *, row_number() over best as rank, points - lead(points) over best as ahead,
        count(*) filter (where exact) over (partition by record_id) as exacts
    from ({SCORED}) scored
    window best as (partition by record_id order by points desc, anchor_id)
), shown as (
    select record_id, jsonb_agg(jsonb_build_object('visit_id', visit_id, 'anchor_id', anchor_id, 'points', points)
        order by rank) as candidates
    from ranked where rank <= %(kept)s group by record_id
), judged as (
    select *, case when points >= %(threshold)s and coalesce(ahead, %(margin)s) >= %(margin)s
                        and coalesce(procedures_points, 0) >= 0 then 'linked'
                   when points >= %(review_floor)s then 'review' else 'unmatched' end as state
    from ranked where rank = 1
)
select %(kind)s, u.record_id, case when j.state = 'linked' then j.visit_id end, coalesce(j.state, 'unmatched'),
    case when j.state is distinct from 'linked' then 'none' when j.exact and j.exacts = 1 then 'patient_day'
         else 'scored' end,
    coalesce(round(1 / (1 + exp(-(j.points - %(threshold)s) / 1.5 - 1)), 3), 0),
    case when u.date is null then '{{"lacks": "date"}}'
         when j.state is null then '{{"candidates": []}}'
         when j.state = 'linked' then jsonb_build_object('points', {EXPLAINED}, 'candidates', s.candidates)
         else jsonb_build_object('candidates', s.candidates) end
from scope_unbound u
left join judged j on j.record_id = u.record_id
left join shown s on s.record_id = u.record_id
where u.kind = %(kind)s
"""  # noqa: S608 - made of this module's constants
