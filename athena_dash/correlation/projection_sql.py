"""Visits → their projection: what lists show of the linked records, in sets; holds raw SQL.

New visits are written here, once and whole. A visit whose projection would not change is not written.
"""

from __future__ import annotations

from athena_dash.correlation.scope import Scope
from athena_dash.correlation.tables import fill, run

# In tables of their own, whose sizes the planner knows: guessed from common table expressions, a backfill's joins were
# planned as loops.
SHOWN = """
select id, anchor, anchor_id, true from scope_visit
union all
select v.id, v.anchor, v.anchor_id, false
from (select distinct visit_id from scope_touched) t join correlation_visit v on v.id = t.visit_id
"""
CHARGED = """
select s.id, l.record_id from scope_shown s
join correlation_link l on l.visit_id = s.id and l.kind = 'claim' and l.state = 'linked'
"""

# Of a claim `c` and its lines `n` (athena-api.md §2.2).
VOIDED = """coalesce(sum(n.amount) = 0 and bool_or(n.amount <> 0), false)
            and c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
            and c.patient_status in ('', 'CLOSED')"""

PROJECT = f"""
with claim as materialized (
    select l.visit_id, c.external_id, c.primary_insurance_id, c.created_date,
        sum(n.amount) as charges, sum(n.payments) as paid, sum(n.outstanding) as outstanding,
        {VOIDED} as voided
    from scope_charged l
    join records_claim c on c.practice_id = %(practice)s and c.external_id = l.claim_id and c.gone_at is null
    left join records_chargeline n
      on n.practice_id = %(practice)s and n.claim_id = c.external_id and n.gone_at is null
    group by l.visit_id, c.id
), money as materialized (
    select visit_id, sum(charges) as charges, sum(paid) as paid, sum(outstanding) as outstanding
    from claim where not voided group by visit_id
), payer as materialized (
    select distinct on (claim.visit_id) claim.visit_id,
        case when claim.primary_insurance_id in ('', '0') then 'Self-pay' else i.payer_name end as payer_name
    from claim left join records_insurance i
      on i.practice_id = %(practice)s and i.external_id = claim.primary_insurance_id
    order by claim.visit_id, claim.voided, claim.created_date desc nulls last, claim.external_id desc
), anchor as materialized (
    select v.id, v.fresh, v.anchor, v.anchor_id, a.patient_id, a.date, a.department_id,
        coalesce(nullif(a.rendering_provider_id, ''), a.provider_id) as provider_id, a.type_name
    from scope_shown v join records_appointment a on a.practice_id = %(practice)s and a.external_id = v.anchor_id
    where v.anchor = 'appointment'
    union all
    select v.id, v.fresh, v.anchor, v.anchor_id, e.patient_id,
        coalesce(e.date, (e.started_at at time zone coalesce(d.timezone, p.timezone))::date),
        e.department_id, e.provider_id, coalesce(nullif(e.visit_name, ''), e.kind)
    from scope_shown v join records_encounter e on e.practice_id = %(practice)s and e.external_id = v.anchor_id
    join practices_practice p on p.id = %(practice)s
    left join records_department d on d.practice_id = %(practice)s and d.external_id = e.department_id
    where v.anchor = 'encounter'
), wanted as materialized (
    select a.id, a.fresh, a.anchor, a.anchor_id, coalesce(m.survivor, a.patient_id) as patient_id, a.date,
        a.department_id, a.provider_id, a.type_name,
        coalesce(payer.payer_name, insured.payer_name, '') as payer_name,
        money.charges, money.paid, money.outstanding
    from anchor a
    left join scope_merge m on m.loser = a.patient_id
    left join money on money.visit_id = a.id
    left join payer on payer.visit_id = a.id
    left join lateral (
        select i.payer_name from records_insurance i
        where payer.payer_name is null and i.practice_id = %(practice)s
          and i.patient_id in (a.patient_id, m.survivor)
          and i.gone_at is null and (i.expires_on is null or i.expires_on >= a.date)
          and (i.cancelled_on is null or i.cancelled_on > a.date)
        order by i.sequence nulls last, i.external_id limit 1
    ) insured on true
), made as (
    insert into correlation_visit
        (id, practice_id, anchor, anchor_id, patient_id, service_date, department_id, provider_id, visit_type,
         payer_name, charges, paid, outstanding, track, suppressor)
    select w.id, %(practice)s, w.anchor, w.anchor_id, w.patient_id, w.date, w.department_id, w.provider_id,
        w.type_name, w.payer_name, w.charges, w.paid, w.outstanding, '--------', ''
    from wanted w where w.fresh
    order by w.id
)
update correlation_visit v
set (patient_id, service_date, department_id, provider_id, visit_type, payer_name, charges, paid, outstanding)
  = row(w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name, w.charges, w.paid,
        w.outstanding)
from wanted w
where v.id = w.id and not w.fresh and
    (v.patient_id, v.service_date, v.department_id, v.provider_id, v.visit_type, v.payer_name,
     v.charges, v.paid, v.outstanding)
    is distinct from
    (w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name,
     w.charges, w.paid, w.outstanding)
"""  # noqa: S608 - made of this module's constants


def project(scope: Scope) -> set[int]:
    """The visits in scope_touched and scope_visit, which are returned."""
    fill("scope_shown", SHOWN, scope.values)
    fill("scope_charged", CHARGED, scope.values)
    run(PROJECT, scope.values)
    return {id for (id,) in run("select id from scope_shown", {})}
