"""Claim statuses → our own history of each payer slot, because the API dates none of them; holds raw SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

CLOSE = """
with current(claim_id, slot, status) as ({current})
update records_claimstatuschange h set ended_at = %(at)s
from current c
where h.practice_id = %(practice)s and h.ended_at is null
  and h.claim_id = c.claim_id and h.slot = c.slot and h.status <> c.status
"""

OPEN = """
with current(claim_id, slot, status) as ({current})
insert into records_claimstatuschange (practice_id, claim_id, slot, status, first_seen, since_backfill)
select %(practice)s, c.claim_id, c.slot, c.status, %(at)s, not exists (
    select from records_claimstatuschange h
    where h.practice_id = %(practice)s and h.claim_id = c.claim_id and h.slot = c.slot)
from current c
where c.status <> '' and not exists (
    select from records_claimstatuschange h
    where h.practice_id = %(practice)s and h.claim_id = c.claim_id and h.slot = c.slot and h.ended_at is null)
"""

CURRENT = """
select c.external_id, s.slot, s.status from records_claim c
cross join lateral (values
    ('primary', c.primary_status), ('secondary', c.secondary_status), ('patient', c.patient_status)
) as s(slot, status)
where c.practice_id = %(practice)s and c.external_id = any(%(claims)s)
"""


def append_statuses(practice_id: int, claim_ids: Collection[str], at: datetime) -> None:
    """Compare the claims' present slots with the open history rows; end those that changed and begin the new ones.

    A slot's first row says `since_backfill`: it may have had that status long before we first looked.
    """
    if not claim_ids:
        return
    values: dict[str, Any] = {"practice": practice_id, "claims": list(claim_ids), "at": at}
    with connection.cursor() as cursor:
        for statement in (CLOSE, OPEN):
            cursor.execute(statement.format(current=CURRENT), values)
