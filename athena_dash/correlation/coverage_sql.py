"""Claims of the patients in scope that pay for many visits → the visits they cover, in sets; holds raw SQL.

docs/adr/0011 says what a candidate is, what is certain and what is asked. Of each patient in scope everything is worked
out anew, after the visits of the run are written: a claim that changed and a visit that changed end the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from athena_dash.core.literals import array, json, text_array
from athena_dash.correlation.merges import merge_map
from athena_dash.correlation.projection_sql import VOIDED
from athena_dash.correlation.scope import MERGES, Scope, Touched
from athena_dash.correlation.tables import LARGE, fill, prepare, run
from athena_dash.correlation.unbound_sql import visits_of
from athena_dash.practices.packages import KINDS, Package

# Beside the patients in scope those of a provider whose specialty may have changed.
PATIENTS_SEEN = """
with seen as (
    select distinct v.patient_id as id from scope_given g
    join correlation_visit v on v.practice_id = %(practice)s and v.provider_id = g.id
    where g.kind = 'provider'
)
select id, id from seen union select m.loser, m.survivor from seen join scope_merge m on m.survivor = seen.id
"""

# Which claims are asked: of a whole practice scope_patient holds only those patients whose records lack ids.
OF_SCOPE = "c.patient_id in (select id from scope_patient)"
OF_ALL = "c.patient_id <> ''"


# Most practices have few such claims or none, and this is asked of every claim in scope: a hashed look-up of the first
# codes costs a tenth of comparing two arrays. Of several packages on a claim, the one that reaches furthest counts.
# What it covered before comes along, without a package, so that there is nothing to do where there is neither.
def episodes(claims: str) -> str:
    """Those among the claims that the condition picks."""
    return f"""
with found as materialized (
    select c.*, coalesce(m.survivor, c.patient_id) as survivor
    from records_claim c left join scope_merge m on m.loser = c.patient_id
    where c.practice_id = %(practice)s and {claims}
      and (c.procedure_codes[1] = any(%(codes)s::text[]) or c.procedure_codes[2] = any(%(codes)s::text[])
        or c.procedure_codes[3] = any(%(codes)s::text[])
        or (cardinality(c.procedure_codes) > 3 and c.procedure_codes && %(codes)s::text[]))
      and c.gone_at is null and c.service_date is not null
), alive as materialized (
    select c.* from found c
    where not (
        select {VOIDED} from records_chargeline n
        where n.practice_id = %(practice)s and n.claim_id = c.external_id and n.gone_at is null)
)
select distinct on (claim_id) * from (
    select c.external_id as claim_id, c.survivor as patient_id, k.kind, k.code,
        coalesce(c.service_date - k.before, date_trunc('month', c.service_date)::date) as starts_on,
        coalesce(c.service_date + k.after, (date_trunc('month', c.service_date) + interval '1 month - 1 day')::date)
            as ends_on,
        array_remove(array_remove(array[c.billed_provider_id, c.supervising_provider_id], ''), '0') as providers,
        case when k.repeats then c.procedure_codes else k.pays_for end as pays_for,
        case when k.repeats then array[k.code] else k.marks end as marks,
        k.diagnoses,
        case when k.reason then array(
            select distinct left(replace(d, '.', ''), 3) from unnest(c.diagnosis_codes) d where d not in ('', '0'))
        else '{{}}' end as reasons
    from alive c join json_to_recordset(%(packages)s) as k(code text, kind text, before int, after int, pays_for text[],
        marks text[], diagnoses text[], repeats bool, reason bool) on k.code = any(c.procedure_codes)
    union all
    select o.claim_id, '', '', '', null, null, '{{}}', '{{}}', '{{}}', '{{}}', '{{}}'
    from correlation_coverage o join correlation_visit v on v.id = o.visit_id
    where o.practice_id = %(practice)s
      and (v.patient_id in (select survivor from scope_patient) or o.claim_id in (select id from scope_claim))
) each
order by claim_id, kind = '', ends_on desc, code
"""  # noqa: S608 - made of this module's constants


# A claim that an appointment has named, or that charges were entered for over there, is the visit's own though it has
# not reached us (G14). Codes are compared without their dots: sources write them either way.
CANDIDATES = f"""
select v.id, e.claim_id, e.kind, e.code, e.starts_on, e.ends_on,
    case when said.marks <> '{{}}' then 'covered'
         when said.own and near.how <> 'other' then 'covered'
         when said.related and note.services <> '{{}}' and near.how <> 'other' then 'covered'
         when said.ours <> '{{}}' then 'asked'
         when note.diagnoses = '{{}}' and e.diagnoses <> '{{}}' and near.how <> 'other' then 'asked'
    end,
    jsonb_build_object('marks', said.marks, 'diagnoses', said.ours, 'others', said.others, 'provider', near.how)
from scope_episode e
join (
    select patient_id as id, patient_id as survivor from scope_episode
    union select m.loser, m.survivor from scope_episode o join scope_merge m on m.survivor = o.patient_id
) p on p.survivor = e.patient_id
{visits_of("p.id")} and v.service_date between e.starts_on and e.ends_on
left join records_appointment a
  on v.anchor = 'appointment' and a.practice_id = v.practice_id and a.external_id = v.anchor_id
left join records_provider seen on seen.practice_id = v.practice_id and seen.external_id = v.provider_id
cross join lateral (
    select case
        when v.provider_id = any(e.providers) or a.supervising_provider_id = any(e.providers) then 'same'
        when seen.specialty <> '' and exists (
            select from records_provider r where r.practice_id = v.practice_id
              and r.external_id = any(e.providers) and r.specialty = seen.specialty) then 'specialty'
        else 'other' end as how
) near
cross join lateral (
    select
        array(select distinct d from correlation_link l
            join records_encounter n on n.practice_id = l.practice_id and n.external_id = l.record_id
            cross join unnest(n.diagnosis_codes) d
            where l.visit_id = v.id and l.kind = 'encounter' and l.state = 'linked' and n.gone_at is null
              and n.status not in ('DELETED', 'TEMP') and d not in ('', '0')) as diagnoses,
        array(select distinct s.procedure_code from correlation_link l
            join records_serviceline s on s.practice_id = l.practice_id and s.encounter_id = l.record_id
            where l.visit_id = v.id and l.kind = 'encounter' and l.state = 'linked' and s.gone_at is null) as services,
        array(select distinct s.procedure_code from correlation_link l
            join records_serviceline s on s.practice_id = l.practice_id and s.encounter_id = l.record_id
            where l.visit_id = v.id and l.kind = 'encounter' and l.state = 'linked' and s.gone_at is null
              and s.bill_for_service) as billable
) note
cross join lateral (
    select array(select unnest(note.services) intersect select unnest(e.marks)) as marks,
        array(select d from unnest(note.diagnoses) d
            where replace(d, '.', '') ^@ any (e.diagnoses || e.reasons)) as ours,
        array(select d from unnest(note.diagnoses) d
            where not replace(d, '.', '') ^@ any (e.diagnoses || e.reasons)) as others,
        note.diagnoses <> '{{}}' and not exists (select from unnest(note.diagnoses) d
            where not replace(d, '.', '') ^@ any (e.diagnoses)) as own,
        note.diagnoses <> '{{}}' and not exists (select from unnest(note.diagnoses) d
            where not replace(d, '.', '') ^@ any (e.diagnoses || e.reasons)) as related
) said
where note.billable <@ e.pays_for
  and (v.anchor = 'encounter' or a.gone_at is null
    and (a.status in ('2', '3') or a.status = '4' and a.charge_entry_not_required))
  and not exists (
    select from correlation_link l
    join records_claim c on c.practice_id = l.practice_id and c.external_id = l.record_id and c.gone_at is null
    where l.visit_id = v.id and l.kind = 'claim' and l.state = 'linked' and not (
        select {VOIDED} from records_chargeline n
        where n.practice_id = c.practice_id and n.claim_id = c.external_id and n.gone_at is null))
"""  # noqa: S608 - made of this module's constants

# What a person said stays with its row; the row of a pair that is no candidate any more says that it is over.
WRITE = """
with wanted as materialized (
    select * from scope_cover where state is not null
), standing as materialized (
    select o.id, o.visit_id, o.claim_id, o.said, o.state from correlation_coverage o
    where o.practice_id = %(practice)s and o.claim_id in (select claim_id from scope_episode)
), removed as (
    delete from correlation_coverage o using standing s
    where o.id = s.id and s.said = ''
      and not exists (select from wanted w where (w.visit_id, w.claim_id) = (s.visit_id, s.claim_id))
    returning o.visit_id
), ended as (
    update correlation_coverage o set state = 'over', since = %(now)s from standing s
    where o.id = s.id and s.said <> '' and s.state <> 'over'
      and not exists (select from wanted w where (w.visit_id, w.claim_id) = (s.visit_id, s.claim_id))
    returning o.visit_id
), changed as (
    update correlation_coverage o
    set (kind, code, starts_on, ends_on, evidence, state, since)
      = row(w.kind, w.code, w.starts_on, w.ends_on, w.evidence, coalesce(nullif(o.said, ''), w.state),
            case when o.state = coalesce(nullif(o.said, ''), w.state) then o.since else %(now)s end)
    from wanted w, standing s
    where o.id = s.id and (w.visit_id, w.claim_id) = (s.visit_id, s.claim_id)
      and (o.kind, o.code, o.starts_on, o.ends_on, o.evidence, o.state) is distinct from
          (w.kind, w.code, w.starts_on, w.ends_on, w.evidence, coalesce(nullif(o.said, ''), w.state))
    returning o.visit_id
), made as (
    insert into correlation_coverage
        (practice_id, visit_id, claim_id, kind, code, starts_on, ends_on, state, evidence, since, said)
    select %(practice)s, w.visit_id, w.claim_id, w.kind, w.code, w.starts_on, w.ends_on, w.state, w.evidence,
        %(now)s, ''
    from wanted w
    where not exists (select from standing s where (w.visit_id, w.claim_id) = (s.visit_id, s.claim_id))
    returning visit_id
)
select visit_id from removed union select visit_id from ended union select visit_id from changed
union select visit_id from made
"""


PATIENTS_OF = """
select distinct patient_id, patient_id from correlation_visit
where practice_id = %(practice)s and id = any(%(visits)s::bigint[])
union
select m.loser, m.survivor from correlation_visit v join scope_merge m on m.survivor = v.patient_id
where v.practice_id = %(practice)s and v.id = any(%(visits)s::bigint[])
"""
COVERED = """
select w.visit_id, w.claim_id, w.kind, w.ends_on from scope_cover w
left join correlation_coverage o on o.visit_id = w.visit_id and o.claim_id = w.claim_id
where coalesce(nullif(o.said, ''), w.state) = 'covered' and w.visit_id = any(%(visits)s::bigint[])
order by w.ends_on desc, w.claim_id desc
"""


def cover(scope: Scope, touched: Touched, packages: Collection[Package], now: datetime) -> set[int]:
    """The visits whose coverage changed."""
    values = scope.values | {"now": now}
    if touched.get("provider"):
        fill("scope_patient", PATIENTS_SEEN, values)
    if not find(packages, values, OF_ALL if scope.whole else OF_SCOPE):
        return set()
    return {visit_id for (visit_id,) in run(WRITE, values)}


def covered_by(
    practice_id: int, packages: Collection[Package], visits: Collection[int]
) -> list[tuple[Any, ...]]:
    """Of these visits, those covered if the packages were these: (visit, claim, kind, end), in the order of a
    dossier's. Stores nothing; in a transaction of the caller's."""
    prepare(large=len(visits) >= LARGE)
    values = {"practice": practice_id, "visits": array(visits)}
    merges = merge_map(practice_id)
    fill("scope_merge", MERGES, {"losers": merges.losers, "survivors": merges.survivors})
    fill("scope_patient", PATIENTS_OF, values)
    return run(COVERED, values) if find(packages, values, OF_SCOPE) else []


def find(packages: Collection[Package], values: Mapping[str, Any], claims: str) -> int:
    """Fills scope_episode, and scope_cover from it; how many claims there are to speak of."""
    found = fill("scope_episode", episodes(claims), {**values, **table_of(packages)})
    if found:
        fill("scope_cover", CANDIDATES, values)
    return found


def table_of(packages: Iterable[Package]) -> dict[str, str]:
    """The values of `episodes`: each package with what its kind says."""
    table = list(packages)
    return {
        "codes": text_array(one.code for one in table),
        "packages": json(
            [
                {"code": one.code, "kind": one.kind, "before": one.before, "after": one.after}
                | {
                    name: getattr(KINDS[one.kind], name)
                    for name in ("pays_for", "marks", "repeats", "reason")
                }
                | {"diagnoses": [start.replace(".", "") for start in KINDS[one.kind].diagnoses]}
                for one in table
            ]
        ),
    }
