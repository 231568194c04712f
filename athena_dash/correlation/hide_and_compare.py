"""Records tied by an id → where the rules would have put them without it: the links' quality, on a practice's own data.

An id is the best truth a live practice has. Records that never had one are harder than those whose id was hidden, so
what this measures is an upper bound for them (docs/evaluation.md). Holds raw SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from athena_dash.correlation.models import Link
from athena_dash.correlation.service import correlate
from athena_dash.correlation.tables import run

KINDS = (Link.Kind.CLAIM, Link.Kind.ENCOUNTER)
"""What the rules match without an id. Charges follow their claim, and a clinical fact is never guessed."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A record whose id is to be hidden, and the visit the id names. `place` orders a sample; it goes on after one."""

    record_id: str
    visit_id: int
    department_id: str  # the visit's
    place: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What the rules made of a record without its id. Not linked: they abstained, which is counted apart.

    `best`: the likeliest visit on offer, tied to it or not.
    """

    hidden: Hidden
    visit_id: int | None
    best: int | None
    state: str
    method: str
    score: float  # 0..1

    @property
    def linked(self) -> bool:
        # A visit made for the encounter itself says only that none was found for it.
        return self.state == Link.State.LINKED and self.method != Link.Method.ANCHOR

    @property
    def right(self) -> bool:
        return self.linked and self.visit_id == self.hidden.visit_id


# An encounter of another kind than VISIT has no appointment by nature, and the rules look for none.
COMPARABLE = {
    Link.Kind.CLAIM: "r.service_date is not null",
    Link.Kind.ENCOUNTER: "r.kind = 'VISIT' and r.date is not null",
}
TABLES = {Link.Kind.CLAIM: "claim", Link.Kind.ENCOUNTER: "encounter"}

SAMPLE = """
select r.external_id, l.visit_id, v.department_id, md5(%(seed)s || r.external_id) as place
from correlation_link l
join records_{table} r on r.practice_id = l.practice_id and r.external_id = l.record_id and r.gone_at is null
join correlation_visit v on v.id = l.visit_id
where l.practice_id = %(practice)s and l.kind = %(kind)s and l.state = 'linked' and l.method = 'id'
  and {comparable} and md5(%(seed)s || r.external_id) > %(after)s
order by place limit %(size)s
"""

HIDE: Mapping[str, tuple[str, ...]] = {
    Link.Kind.CLAIM: (
        "update records_claim set appointment_id = '' where practice_id = %(practice)s and external_id = any(%(ids)s)",
    ),
    Link.Kind.ENCOUNTER: (  # the bridge may be read from either end
        "update records_appointment set encounter_id = '' "
        "where practice_id = %(practice)s and encounter_id = any(%(ids)s)",
        "update records_encounter set appointment_id = '' "
        "where practice_id = %(practice)s and external_id = any(%(ids)s)",
    ),
}

PLACED = """
select record_id, visit_id, coalesce(visit_id, (evidence -> 'candidates' -> 0 ->> 'visit_id')::bigint), state, method,
    score
from correlation_link
where practice_id = %(practice)s and kind = %(kind)s and record_id = any(%(ids)s)
"""


# Claims that never had an id and whose visit a person chose: the only truth a practice has of them.
DECIDED = """
select r.external_id, l.visit_id, v.department_id, ''
from correlation_link l
join records_claim r on r.practice_id = l.practice_id and r.external_id = l.record_id and r.gone_at is null
join correlation_visit v on v.id = l.visit_id
where l.practice_id = %(practice)s and l.kind = 'claim' and l.state = 'linked' and l.method = 'manual'
  and r.appointment_id = '' and r.service_date is not null
order by r.external_id limit %(size)s
"""
UNDECIDE = (
    "update correlation_link set state = 'unmatched', method = 'none', visit_id = null, decided_by_id = null "
    "where practice_id = %(practice)s and kind = %(kind)s and record_id = any(%(ids)s)",
)


def sample(practice_id: int, kind: Link.Kind, size: int, *, seed: str, after: str = "") -> list[Hidden]:
    """The same records for the same seed while their links stand; `after` is the place of the last one had."""
    statement = SAMPLE.format(table=TABLES[kind], comparable=COMPARABLE[kind])
    values = {"practice": practice_id, "kind": kind.value, "seed": seed, "after": after, "size": size}
    return [Hidden(*row) for row in run(statement, values)]


def decided(practice_id: int, size: int) -> list[Hidden]:
    rows = run(DECIDED, {"practice": practice_id, "size": size})
    return [Hidden(*row) for row in rows]


def ask_again(practice_id: int, claims: Sequence[Hidden]) -> list[Compared]:
    """What the rules would have said of claims that a person decided about; as hide_and_compare."""
    return compare(practice_id, Link.Kind.CLAIM, UNDECIDE, claims)


def hide_and_compare(practice_id: int, kind: Link.Kind, hidden: Sequence[Hidden]) -> list[Compared]:
    """Hides the ids, correlates, looks, and rolls all of it back: nothing real is ever seen to move.

    Inside the caller's transaction, under the practice's lock taken by the caller. Keep a batch small: it is
    correlated as any batch is, and the practice's own work waits meanwhile.
    """
    return compare(practice_id, kind, HIDE[kind], hidden)


def compare(
    practice_id: int, kind: Link.Kind, hide: Sequence[str], hidden: Sequence[Hidden]
) -> list[Compared]:
    values = {"practice": practice_id, "kind": kind.value, "ids": [one.record_id for one in hidden]}
    with transaction.atomic():
        for statement in hide:
            run(statement, values)
        correlate(practice_id, {TABLES[kind]: values["ids"]})  # type: ignore[dict-item]
        placed = {record_id: place for record_id, *place in run(PLACED, values)}
        transaction.set_rollback(True)
    return [Compared(one, *placed[one.record_id]) for one in hidden]
