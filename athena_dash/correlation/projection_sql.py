"""Visits → their projection: what lists show of the linked records, in sets; holds raw SQL.

A visit whose projection would not change is not written.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from athena_dash.correlation.merges import MergeMap

PROJECT = """
with visit as (
    select * from correlation_visit where practice_id = %(practice)s and id = any(%(visits)s)
), claim as (
    select l.visit_id, c.external_id, c.primary_insurance_id, c.created_date,
        sum(n.amount) as charges, sum(n.payments) as paid, sum(n.outstanding) as outstanding,
        coalesce(sum(n.amount) = 0 and bool_or(n.amount <> 0), false)
            and c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
            and c.patient_status in ('', 'CLOSED') as voided
    from visit v
    join correlation_link l on l.visit_id = v.id and l.kind = 'claim' and l.state = 'linked'
    join records_claim c on c.practice_id = l.practice_id and c.external_id = l.record_id and c.gone_at is null
    left join records_chargeline n
      on n.practice_id = c.practice_id and n.claim_id = c.external_id and n.gone_at is null
    group by l.visit_id, c.id
), money as (
    select visit_id, sum(charges) as charges, sum(paid) as paid, sum(outstanding) as outstanding
    from claim where not voided group by visit_id
), payer as (
    select distinct on (claim.visit_id) claim.visit_id,
        case when claim.primary_insurance_id in ('', '0') then 'Self-pay' else i.payer_name end as payer_name
    from claim left join records_insurance i
      on i.practice_id = %(practice)s and i.external_id = claim.primary_insurance_id
    order by claim.visit_id, claim.voided, claim.created_date desc nulls last, claim.external_id desc
), anchor as (
    select v.id, a.patient_id, a.date, a.department_id,
        coalesce(nullif(a.rendering_provider_id, ''), a.provider_id) as provider_id, a.type_name
    from visit v join records_appointment a on a.practice_id = v.practice_id and a.external_id = v.anchor_id
    where v.anchor = 'appointment'
    union all
    select v.id, e.patient_id,
        coalesce(e.date, (e.started_at at time zone coalesce(d.timezone, p.timezone))::date),
        e.department_id, e.provider_id, coalesce(nullif(e.visit_name, ''), e.kind)
    from visit v join records_encounter e on e.practice_id = v.practice_id and e.external_id = v.anchor_id
    join practices_practice p on p.id = v.practice_id
    left join records_department d on d.practice_id = v.practice_id and d.external_id = e.department_id
    where v.anchor = 'encounter'
), wanted as (
    select v.id, coalesce(m.survivor, a.patient_id) as patient_id, a.date, a.department_id, a.provider_id,
        a.type_name,
        coalesce(payer.payer_name, insured.payer_name, '') as payer_name,
        money.charges, money.paid, money.outstanding
    from visit v join anchor a on a.id = v.id
    left join unnest(%(losers)s::text[], %(survivors)s::text[]) as m(loser, survivor) on m.loser = a.patient_id
    left join money on money.visit_id = v.id
    left join payer on payer.visit_id = v.id
    left join lateral (
        select i.payer_name from records_insurance i
        where i.practice_id = v.practice_id and i.patient_id in (a.patient_id, m.survivor)
          and i.gone_at is null and (i.expires_on is null or i.expires_on >= a.date)
          and (i.cancelled_on is null or i.cancelled_on > a.date)
        order by i.sequence nulls last, i.external_id limit 1
    ) insured on true
)
update correlation_visit v
set (patient_id, service_date, department_id, provider_id, visit_type, payer_name, charges, paid, outstanding)
  = row(w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name, w.charges, w.paid,
        w.outstanding)
from wanted w
where v.id = w.id and
    (v.patient_id, v.service_date, v.department_id, v.provider_id, v.visit_type, v.payer_name,
     v.charges, v.paid, v.outstanding)
    is distinct from
    (w.patient_id, w.date, w.department_id, w.provider_id, w.type_name, w.payer_name,
     w.charges, w.paid, w.outstanding)
"""


def project(practice_id: int, visit_ids: Collection[int], merges: MergeMap) -> int:
    """How many visits changed."""
    values: dict[str, Any] = {
        "practice": practice_id,
        "visits": list(visit_ids),
        "losers": merges.losers,
        "survivors": merges.survivors,
    }
    with connection.cursor() as cursor:
        cursor.execute(PROJECT, values)
        return int(cursor.rowcount)
