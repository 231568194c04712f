"""Pairs of a record and a visit → points per fact; a record's pairs → its verdict: linked, review or unmatched.

Holds raw SQL, over scope_unbound and scope_pair. The points are data, in scope_weight (`weights`).
"""

from __future__ import annotations

from collections.abc import Mapping

DOCUMENTS = """
select p.visit_id, l.record_id from (select distinct visit_id from scope_pair) p
join correlation_link l on l.visit_id = p.visit_id and l.kind = 'encounter'
"""

# What the visits on offer document. Empty, or not there, says nothing, for or against.
NOTES = """
select visit_id, array_agg(distinct procedure) filter (where procedure <> ''),
    array_agg(distinct diagnosis) filter (where diagnosis <> '')
from (
    select p.visit_id, s.procedure_code as procedure, '' as diagnosis
    from scope_document p
    join records_serviceline s
      on s.practice_id = %(practice)s and s.encounter_id = p.encounter_id and s.gone_at is null
    union all
    select p.visit_id, '', unnest(e.diagnosis_codes)
    from scope_document p
    join records_encounter e
      on e.practice_id = %(practice)s and e.external_id = p.encounter_id and e.diagnosis_codes <> '{}'
) said
where procedure not in ('', '0') or diagnosis not in ('', '0')
group by visit_id
"""


def family(some: str, others: str) -> str:
    """Codes that differ in their last figure only, such as a visit of another level."""
    return f"exists (select from unnest({some}) a, unnest({others}) b where left(a, 4) = left(b, 4))"


# One row a pair and one level a fact, null where either side does not say. What bills the rest of a visit is within
# what it documents: that is said once, by `billed_rest`. Compared apart (`offset 0`), or the planner works each
# comparison out wherever it is spoken of.
LEVELS = f"""
with compared as (
    select u.kind, u.record_id, p.visit_id, p.anchor_id, p.date as visit_date, p.department_id, p.provider_ids,
        coalesce(n.procedures, '{{}}') as procedures, coalesce(n.diagnoses, '{{}}') as diagnoses,
        abs(p.date - u.date) as days, p.utc_date <> p.date as evening, p.utc_date = u.date as utc_day,
        n.procedures is null or u.procedures = '{{}}' as procedures_unknown,
        u.procedures <@ n.procedures as all_documented, n.procedures <@ u.procedures as all_billed,
        u.procedures && n.procedures as some_documented,
        u.procedures as procedures_said,
        n.diagnoses is null or u.diagnoses = '{{}}' as diagnoses_unknown,
        u.diagnoses <@ n.diagnoses as within_diagnoses, n.diagnoses <@ u.diagnoses as no_more_diagnoses,
        u.diagnoses && n.diagnoses as some_diagnoses,
        u.provider_ids <> '{{}}' and p.provider_ids <> '{{}}' as providers_known,
        u.provider_ids && p.provider_ids as same_provider, p.supervisor_id = any(u.provider_ids) as supervisor,
        u.department_id <> '' and p.department_id <> '' as departments_known,
        u.department_id = p.department_id as same_department,
        p.happened, p.expected, p.taken, p.awaited, other.same as billed_again, other.apart as billed_apart,
        other.apart and other.codes || u.procedures @> n.procedures and u.procedures <@ n.procedures
            and not n.procedures <@ u.procedures as billed_rest
    from scope_pair p
    join scope_unbound u on u.record_id = p.record_id and u.kind = %(kind)s
    left join scope_note n on n.visit_id = p.visit_id
    cross join lateral (
        select case when p.taken and u.kind = 'claim' and u.procedures <> '{{}}' then (
            select array_agg(code) from records_claim c, unnest(c.procedure_codes) code
            where c.practice_id = %(practice)s and c.appointment_id = p.anchor_id and c.appointment_id <> ''
              and c.external_id <> u.record_id and c.gone_at is null
        ) end as codes
        offset 0
    ) billed
    cross join lateral (
        select codes, u.procedures <@ codes and u.procedures @> codes as same,
            case when codes is not null
                 then not u.procedures && codes and not {family("u.procedures", "codes")} end as apart
        offset 0
    ) other
    offset 0
)
select *,
    case when days = 0 then case when evening then 'same_local_day' else 'same_day' end
         when days = 1 and utc_day then 'utc_day'
         when days = 1 then 'one_day' when days = 2 then 'two_days' else 'three_days' end as date_level,
    case when not providers_known then null when same_provider then 'same_provider'
         when supervisor then 'supervisor' else 'other_provider' end as provider_level,
    case when not departments_known then null when same_department then 'same_department'
         else 'other_department' end as department_level,
    case when procedures_unknown or billed_rest then null
         when all_documented and all_billed
         then case when cardinality(procedures_said) > 1 then 'procedures_agree' else 'one_procedure' end
         when all_documented then 'procedures_within'
         when some_documented then 'procedures_some'
         when {family("procedures_said", "procedures")} then 'procedures_family'
         else 'procedures_differ' end as procedures_level,
    case when diagnoses_unknown then null
         when within_diagnoses then case when no_more_diagnoses then 'diagnoses_agree' else 'diagnoses_within' end
         when some_diagnoses then 'diagnoses_some' else 'diagnoses_differ' end as diagnoses_level,
    case when not taken then 'free' when billed_again then 'billed_again'
         when billed_rest then 'billed_rest' when billed_apart then 'billed_other' else 'taken' end as taken_level,
    days = 0 and happened and same_department and (same_provider or supervisor) as exact
from compared
"""  # noqa: S608 - made of this module's constants
LEARNT = ("date", "provider", "department", "procedures", "diagnoses", "taken")


def alone(level: str, condition: str) -> str:
    """The points of a fact of one level; looked up once, not joined to every pair."""
    points = f"(select points from scope_weight where level = '{level}')"  # noqa: S608 - this module's constants
    return f"case when {condition} then {points} end as {level}_points"


SCORED = f"""
select *, date_points + coalesce(provider_points, 0) + coalesce(department_points, 0)
    + coalesce(procedures_points, 0) + coalesce(diagnoses_points, 0) + coalesce(taken_points, 0)
    + coalesce(awaited_points, 0) + coalesce(not_expected_points, 0) + coalesce(did_not_happen_points, 0) as points,
    {" + ".join(f"coalesce({fact}_stray, 0)" for fact in LEARNT)} as stray
from (
    select level.*, {", ".join(f"{fact}.points as {fact}_points, {fact}.stray as {fact}_stray" for fact in LEARNT)},
        {alone("awaited", "awaited and not taken")},
        {alone("not_expected", "not expected")},
        {alone("did_not_happen", "not happened")}
    from ({LEVELS}) level
    {" ".join(f"left join scope_weight {fact} on {fact}.level = {fact}_level" for fact in LEARNT)}
) pair
"""  # noqa: S608 - made of this module's constants

SHOWN = {
    "date": "date_points",
    "provider": "provider_points",
    "department": "department_points",
    "procedures": "procedures_points",
    "diagnoses": "diagnoses_points",
    "taken": "nullif(taken_points, 0)",
    "awaited": "awaited_points",
    "not expected": "not_expected_points",
    "did not happen": "did_not_happen_points",
}


def members(points: Mapping[str, str]) -> str:
    """Of a json object, those that are not null. As text, which is read as jsonb once: built value by value, evidence
    costs as much as weighing it."""
    said = [f"""'"{name}": ' || {value}""" for name, value in points.items()]
    return f"concat_ws(', ', {', '.join(said)})"


EXPLAINED = f"('{{' || {members(SHOWN)} || '}}')::jsonb"
OFFER = {"visit_id": "visit_id", "anchor_id": "to_json(anchor_id)", "points": "total"}
CANDIDATE = f"'{{' || {members(OFFER)} || '}}'"

# It bills none of the services that the best visit documents: that goes to a person, however good the rest.
# `score` is the chance that the best is the right one, of all on offer and of none; with learnt points a probability.
# `nowhere` is belonging to none, as a stray or to a visit that is not here (`absent`), kept where exp() can still tell
# it. A patient's day is shared out: as likely
# as other records without an id belong to a visit, it is for this one as if they named it, each by what it bills. All
# are weighed alone first, so that order never matters. A pair is worked out once and kept narrow: it is sorted thrice.
# `candidates` are a row and the next best, so the best's are all that are kept.
VERDICTS = f"""
with pair as materialized (
    select record_id, visit_id, anchor_id, taken, exact, procedures_points, points, stray,
        procedures_level is not distinct from 'procedures_differ' as differs, {members(SHOWN)} as facts
    from ({SCORED}) scored
), alone as (
    select *, ln(exp(greatest(-50, least(50, %(none)s + sum(stray) over record))::float) + exp(%(absent)s::float))
        as nowhere
    from pair
    window record as (partition by record_id)
), likely as (
    select *, exp(points::float) / (exp(nowhere) + sum(exp(points::float)) over record) as likely
    from alone
    window record as (partition by record_id)
), claimed as (
    select *, case when taken then 0 else sum(likely) over (partition by visit_id) - likely end as elsewhere
    from likely
), crowd as materialized (
    select c.record_id, c.visit_id, c.likely, u.procedures as procedures_said,
        coalesce(n.procedures, '{{}}') as procedures, c.procedures_points
    from claimed c
    join scope_unbound u on u.record_id = c.record_id and u.kind = %(kind)s
    left join scope_note n on n.visit_id = c.visit_id
    where not c.taken and c.elsewhere > 0
), rivals as (
    select c.record_id, c.visit_id, sum(r.likely) as likely, sum(r.likely * exp(case
        when c.procedures_said = '{{}}' or r.procedures_said = '{{}}' then %(taken)s
        when c.procedures_said <@ r.procedures_said and c.procedures_said @> r.procedures_said then %(billed_again)s
        when c.procedures_said && r.procedures_said or {family("c.procedures_said", "r.procedures_said")} then %(taken)s
        when c.procedures_said <@ c.procedures and not c.procedures <@ c.procedures_said
         and c.procedures_said || r.procedures_said @> c.procedures
        then %(billed_rest)s - coalesce(c.procedures_points, 0)
        else %(billed_other)s end - %(free)s)::float) as weight
    from crowd c join crowd r on r.visit_id = c.visit_id and r.record_id <> c.record_id
    where r.likely > 0.0001
    group by c.record_id, c.visit_id
), shared as (
    select l.*, case when r.likely > 0.01
        then round(ln(1 - least(r.likely, 1) + r.weight / greatest(r.likely, 1))::numeric, 2) else 0 end as shared
    from claimed l
    left join rivals r on r.record_id = l.record_id and r.visit_id = l.visit_id
), weighed as (
    select *, points + shared as total from shared
), ranked as (
    select *, row_number() over best as rank, total - greatest(nowhere, lead(total) over best) as ahead,
        exp(total::float) / (exp(nowhere) + sum(exp(total::float)) over record) as chance,
        count(*) filter (where exact) over record as exacts,
        '"candidates": [' || string_agg({CANDIDATE}, ', ') over best || ']' as candidates
    from weighed
    window record as (partition by record_id),
        best as (partition by record_id order by total desc, anchor_id
                 rows between current row and %(kept)s::int - 1 following)
), judged as (
    select *, case when ahead >= %(sure)s and not differs then 'linked'
                   when total - nowhere >= %(look)s then 'review' else 'unmatched' end as state
    from ranked where rank = 1
)
select %(kind)s, u.record_id, case when j.state = 'linked' then j.visit_id end, coalesce(j.state, 'unmatched'),
    case when j.state is distinct from 'linked' then 'none' when j.exact and j.exacts = 1 then 'patient_day'
         else 'scored' end,
    coalesce(round(j.chance::numeric, 4), 0),
    case when u.date is null then '{{"lacks": "date"}}'
         when j.state is null then '{{"candidates": []}}'
         when j.state = 'linked'
         then ('{{"points": {{' || concat_ws(', ', j.facts, '"shared": ' || nullif(j.shared, 0)) || '}}, '
            || j.candidates || '}}')::jsonb
         else ('{{' || j.candidates || '}}')::jsonb end
from scope_unbound u
left join judged j on j.record_id = u.record_id
where u.kind = %(kind)s
"""  # noqa: S608 - made of this module's constants
