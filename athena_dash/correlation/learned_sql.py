"""A practice's own settled claims of the last half year → what it is usually paid, in one query; holds raw
SQL."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from athena_dash.core import clock
from athena_dash.correlation.estimate import Learned
from athena_dash.practices.policies import Policies

LOOK_BACK = timedelta(days=180)  # revenue-cycle.md §2.0 E2
ENOUGH_VISITS = 20  # §2.0 E4
ENOUGH_LINES = 5

LEARN = """
with settled as (
    select n.procedure_code, n.amount, n.payments, n.claim_id from records_chargeline n
    join records_claim c on c.practice_id = n.practice_id and c.external_id = n.claim_id
    where n.practice_id = %(practice)s and n.gone_at is null and n.amount > 0 and n.payments > 0
      and n.outstanding = 0 and c.service_date >= %(since)s
), visit as (
    select v.visit_type, v.provider_id, v.paid from correlation_visit v
    where v.practice_id = %(practice)s and v.service_date >= %(since)s and v.outstanding = 0 and v.paid > 0
)
select 'ratio', '', count(*), sum(payments) / sum(amount) from settled having count(*) >= %(lines)s
union all
select 'procedure', procedure_code, count(*), percentile_cont(0.5) within group (order by payments)
from settled
where procedure_code <> '' group by procedure_code having count(*) >= %(lines)s
union all
select 'visit', case
        when grouping(provider_id) = 0 then visit_type || '|' || provider_id
        when grouping(visit_type) = 0 then visit_type
        else '' end,
    count(*), percentile_cont(0.5) within group (order by paid) from visit
group by grouping sets ((visit_type, provider_id), (visit_type), ()) having count(*) >= %(visits)s
"""


def learn(practice_id: int, policies: Policies) -> Learned:
    ratio = Decimal(str(policies.value("expected_ratio")))
    by_procedure: dict[str, Decimal] = {}
    by_visit: dict[str, Decimal] = {}
    values: dict[str, Any] = {
        "practice": practice_id,
        "since": (clock.now() - LOOK_BACK).date(),
        "lines": ENOUGH_LINES,
        "visits": ENOUGH_VISITS,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEARN, values)
        for kind, key, _, dollars in cursor.fetchall():
            if kind == "ratio":
                ratio = Decimal(dollars)
            else:
                (by_procedure if kind == "procedure" else by_visit)[key] = Decimal(str(dollars))
    return Learned(ratio=ratio, by_procedure=by_procedure, by_visit=by_visit)
