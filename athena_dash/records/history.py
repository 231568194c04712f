"""Claim statuses → our own history of each payer slot, because the API dates none of them; holds raw SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from athena_dash.core import literals

CLOSE = """
with ended as (
    select standing.id from ({current}) as c(claim_id, slot, status)
    cross join lateral ({standing}) standing
    where standing.status <> c.status
)
update records_claimstatuschange h set ended_at = %(at)s from ended where h.id = ended.id
"""

OPEN = """
insert into records_claimstatuschange (practice_id, claim_id, slot, status, first_seen, since_backfill)
select %(practice)s, c.claim_id, c.slot, c.status, %(at)s, not exists (
    select from records_claimstatuschange h
    where h.practice_id = %(practice)s and h.claim_id = c.claim_id and h.slot = c.slot)
from ({current}) as c(claim_id, slot, status)
left join lateral ({standing}) standing on true
where c.status <> '' and standing.id is null
"""

CURRENT = """
select c.external_id, s.slot, s.status from unnest(%(claims)s::text[]) as changed(id)
cross join lateral (
    select * from records_claim r where r.practice_id = %(practice)s and r.external_id = changed.id offset 0
) c
cross join lateral (values
    ('primary', c.primary_status), ('secondary', c.secondary_status), ('patient', c.patient_status)
) as s(slot, status)
"""


# one look into the index per slot: as a join, a table that has just been filled is planned as if it were empty
STANDING = """
select h.id, h.status from records_claimstatuschange h
where h.practice_id = %(practice)s and h.claim_id = c.claim_id and h.slot = c.slot and h.ended_at is null
limit 1
"""


def append_statuses(practice_id: int, claim_ids: Collection[str], at: datetime) -> None:
    """Compare the claims' present slots with the open history rows; end those that changed and begin the new ones.

    A slot's first row says `since_backfill`: it may have had that status long before we first looked.
    """
    if not claim_ids:
        return
    values: dict[str, Any] = {"practice": practice_id, "claims": literals.text_array(claim_ids), "at": at}
    with connection.cursor() as cursor:
        for statement in (CLOSE, OPEN):
            cursor.execute(statement.format(current=CURRENT, standing=STANDING), values)
