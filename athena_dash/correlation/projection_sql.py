"""Visits → their projection: what lists show of the linked records, in sets; holds raw SQL.

New visits are written here, once and whole. A visit whose projection would not change is not written.
"""

from __future__ import annotations

from athena_dash.correlation.scope import Scope
from athena_dash.correlation.tables import fill, run

# In tables of their own, whose sizes the planner knows: guessed from common table expressions, a backfill's joins were
# planned as loops.
SHOWN = """
select v.id, v.anchor, v.anchor_id
from (select distinct visit_id from scope_touched) t join correlation_visit v on v.id = t.visit_id
"""
CHARGED = """
select s.id, l.record_id from scope_shown s
join correlation_link l on l.visit_id = s.id and l.kind = 'claim' and l.state = 'linked'
"""

# Of a claim `c` and its lines `n` (athena-api.md §2.2).
SETTLED = """c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
            and c.patient_status in ('', 'CLOSED')"""
NETTED = "coalesce(sum(n.amount) = 0 and bool_or(n.amount <> 0), false)"
VOIDED = f"{NETTED} and {SETTLED}"

# Lines come in the order of their claims, and claims of their visits: sums kept for all of them at once are slower.
WANTED = f"""
with line as (
    select l.visit_id, c.external_id, c.primary_insurance_id, c.created_date, {SETTLED} as settled,
        n.amount, n.payments, n.outstanding
    from scope_charged l
    join records_claim c on c.practice_id = %(practice)s and c.external_id = l.claim_id and c.gone_at is null
    left join records_chargeline n
      on n.practice_id = %(practice)s and n.claim_id = c.external_id and n.gone_at is null
    order by 1, 2, 3, 4, 5
), claim as (
    select visit_id, external_id, primary_insurance_id, created_date,
        sum(amount) as charges, sum(payments) as paid, sum(outstanding) as outstanding,
        settled and {NETTED} as voided
    from line n group by visit_id, external_id, primary_insurance_id, created_date, settled
), money as (
    select visit_id, sum(charges) filter (where not voided) as charges, sum(paid) filter (where not voided) as paid,
        sum(outstanding) filter (where not voided) as outstanding,
        (array_agg(primary_insurance_id order by voided, created_date desc nulls last, external_id desc))[1]
            as insurance_id
    from claim group by visit_id
), anchor as (
    select v.id, v.anchor, v.anchor_id, a.patient_id, a.date, a.department_id,
        coalesce(nullif(a.rendering_provider_id, ''), a.provider_id) as provider_id, a.type_name
    from {{visits}} v join records_appointment a on a.practice_id = %(practice)s and a.external_id = v.anchor_id
    where v.anchor = 'appointment'
    union all
    select v.id, v.anchor, v.anchor_id, e.patient_id,
        coalesce(e.date, (e.started_at at time zone coalesce(d.timezone, p.timezone))::date),
        e.department_id, e.provider_id, coalesce(nullif(e.visit_name, ''), e.kind)
    from {{visits}} v join records_encounter e on e.practice_id = %(practice)s and e.external_id = v.anchor_id
    join practices_practice p on p.id = %(practice)s
    left join records_department d on d.practice_id = %(practice)s and d.external_id = e.department_id
    where v.anchor = 'encounter'
), wanted as (
    select a.id, a.anchor, a.anchor_id, coalesce(m.survivor, a.patient_id) as patient_id, a.date,
        a.department_id, a.provider_id, a.type_name,
        coalesce(case when money.insurance_id in ('', '0') then 'Self-pay' else i.payer_name end, (
            select o.payer_name from records_insurance o
            where o.practice_id = %(practice)s and o.patient_id in (a.patient_id, m.survivor)
              and o.gone_at is null and (o.expires_on is null or o.expires_on >= a.date)
              and (o.cancelled_on is null or o.cancelled_on > a.date)
            order by o.sequence nulls last, o.external_id limit 1
        ), '') as payer_name,
        money.charges, money.paid, money.outstanding
    from anchor a
    left join scope_merge m on m.loser = a.patient_id
    left join money on money.visit_id = a.id
    left join records_insurance i on i.practice_id = %(practice)s and i.external_id = money.insurance_id
)
"""  # noqa: S608 - this module's constants

MAKE = f"""
{WANTED.format(visits="scope_visit")}
insert into correlation_visit
    (id, practice_id, anchor, anchor_id, patient_id, service_date, department_id, provider_id, visit_type,
     payer_name, charges, paid, outstanding, track, suppressor)
select id, %(practice)s, anchor, anchor_id, patient_id, date, department_id, provider_id, type_name,
    payer_name, charges, paid, outstanding, '--------', ''
from wanted
"""  # noqa: S608 - this module's constants

RENEW = f"""
{WANTED.format(visits="scope_shown")}
update correlation_visit v
set (patient_id, service_date, department_id, provider_id, visit_type, payer_name, charges, paid, outstanding)
  = row(w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name, w.charges, w.paid,
        w.outstanding)
from (select * from wanted offset 0) w
where v.id = w.id and
    (v.patient_id, v.service_date, v.department_id, v.provider_id, v.visit_type, v.payer_name,
     v.charges, v.paid, v.outstanding)
    is distinct from
    (w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name,
     w.charges, w.paid, w.outstanding)
"""  # noqa: S608 - made of this module's constants


def project(scope: Scope) -> set[int]:
    """The visits in scope_touched and scope_visit, which are returned. The claims of new ones were noted when they were
    linked."""
    if fill("scope_shown", SHOWN, scope.values):
        fill("scope_charged", CHARGED, scope.values)
    made, standing = ids("scope_visit"), ids("scope_shown")
    if made:
        run(MAKE, scope.values)
    if standing:
        run(RENEW, scope.values)
    return made | standing


def ids(table: str) -> set[int]:
    return set(run(f"select array(select id from {table})", {})[0][0])  # noqa: S608 - this module's constants
