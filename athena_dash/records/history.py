"""What the payer slots of a claim have stood in: our own history, because the API dates no status; holds raw SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from athena_dash.core import literals
from athena_dash.core.one_trip import fetch
from athena_dash.records.facts import SLOTS, ClaimFact, Sourced
from athena_dash.records.models import Claim, ClaimStatusChange

END = """
insert into records_claimstatuschange (practice_id, claim_id, slot, status, first_seen, ended_at, since_backfill)
select %(practice)s, c.external_id, s.slot, s.before, coalesce(s.since, c.first_seen), a.at, s.since is null
from unnest(%(ids)s::text[], %(primary)s::text[], %(secondary)s::text[], %(patient)s::text[], %(at)s::timestamptz[])
     as a(id, primary_status, secondary_status, patient_status, at)
join records_claim c on c.practice_id = %(practice)s and c.external_id = any(%(ids)s::text[]) and c.external_id = a.id
cross join lateral (values
    ('primary', c.primary_status, a.primary_status, c.primary_since),
    ('secondary', c.secondary_status, a.secondary_status, c.secondary_since),
    ('patient', c.patient_status, a.patient_status, c.patient_since)
) as s(slot, before, now, since)
where s.before <> '' and s.before <> s.now
"""


def end_statuses(practice_id: int, facts: Iterable[Sourced]) -> None:
    """Keep the statuses that these claims are about to leave, before `upsert` writes the new ones over them."""
    newest: dict[str, tuple[ClaimFact, datetime]] = {}
    for one in facts:
        if isinstance(one.fact, ClaimFact):
            newest[one.fact.external_id] = (one.fact, one.fetched_at)
    if not newest:
        return
    claims = newest.values()
    values: dict[str, Any] = {
        "practice": practice_id,
        "ids": literals.text_array(newest),
        "primary": literals.text_array([claim.primary_status for claim, _ in claims]),
        "secondary": literals.text_array([claim.secondary_status for claim, _ in claims]),
        "patient": literals.text_array([claim.patient_status for claim, _ in claims]),
        "at": literals.array([at for _, at in claims]),
    }
    fetch(values, END)


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """A payer slot in one status. `ended_at`: None for the one it stands in; `since_backfill`: it may be older."""

    claim_id: str
    slot: str
    status: str
    first_seen: datetime
    ended_at: datetime | None
    since_backfill: bool


def statuses(practice_id: int, claims: Sequence[Claim]) -> list[SlotStatus]:
    """All that these claims' slots have stood in and stand in, in the order in which we saw them begin."""
    left = ClaimStatusChange.objects.filter(
        practice_id=practice_id, claim_id__in=[claim.external_id for claim in claims]
    )
    columns = ("claim_id", "slot", "status", "first_seen", "ended_at", "since_backfill")
    found = [SlotStatus(*row) for row in left.order_by("pk").values_list(*columns)]
    found += [status for claim in claims for slot in SLOTS if (status := standing(claim, slot))]
    return sorted(found, key=lambda status: status.first_seen)


def standing(claim: Claim, slot: str) -> SlotStatus | None:
    """None for an empty slot, and for one of a claim that `/claims` has not shown."""
    status, since = getattr(claim, f"{slot}_status"), getattr(claim, f"{slot}_since")
    if not status or not claim.first_seen:
        return None
    return SlotStatus(claim.external_id, slot, status, since or claim.first_seen, None, since is None)
