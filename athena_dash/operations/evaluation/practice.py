"""A live practice → how often the rules would be right about its own records; nothing of it is seen to move.

Ids are hidden batch by batch, in transactions that are rolled back, under the practice's lock. What never had an id is
told apart: of claims that a person decided about the rules are asked again, of the others only how they stand is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.db import transaction

from athena_dash.correlation import hide_and_compare
from athena_dash.correlation.hide_and_compare import Compared, Hidden
from athena_dash.correlation.models import Link
from athena_dash.correlation.tables import run
from athena_dash.operations.evaluation.breakdown import Placed, breakdown, tally
from athena_dash.operations.evaluation.score import LINK_COUNTS, Truth
from athena_dash.sync import pipeline

BATCH = 100  # the practice's own work waits meanwhile

# By the rules alone: `expected_wrong` adds up what chance leaves of those that were tied.
NATIVE = """
select l.state, count(*), sum(1 - l.score) filter (where l.state = 'linked')
from records_claim c
join correlation_link l on l.practice_id = c.practice_id and l.kind = 'claim' and l.record_id = c.external_id
where c.practice_id = %(practice)s and c.appointment_id = '' and c.gone_at is null and l.method <> 'manual'
group by l.state order by l.state
"""


def evaluate_practice(practice_id: int, size: int, seed: str) -> dict[str, Any]:
    """At most `size` records of each kind whose id is hidden, and as many decisions of people."""
    placed = {
        f"{kind}_hidden_id": [
            place(kind, one)
            for batch in batches(hide_and_compare.sample(practice_id, kind, size, seed=seed))
            for one in locked(
                practice_id, partial(hide_and_compare.hide_and_compare, practice_id, kind, batch)
            )
        ]
        for kind in hide_and_compare.KINDS
    }
    placed["claim_decided_by_people"] = [
        place(Link.Kind.CLAIM, one)
        for batch in batches(hide_and_compare.decided(practice_id, size))
        for one in locked(practice_id, partial(hide_and_compare.ask_again, practice_id, batch))
    ]
    native = run(NATIVE, {"practice": practice_id})
    return {
        "links": {name: tally(rows).report(*LINK_COUNTS) for name, rows in placed.items()},
        "never_had_id": {
            state: {"claims": claims} | ({"expected_wrong": round(wrong, 1)} if wrong is not None else {})
            for state, claims, wrong in native
        },
        **breakdown([row for name, rows in placed.items() if name.endswith("hidden_id") for row in rows]),
    }


def batches(hidden: Sequence[Hidden]) -> Iterator[Sequence[Hidden]]:
    for start in range(0, len(hidden), BATCH):
        yield hidden[start : start + BATCH]


def locked(practice_id: int, ask: Callable[[], list[Compared]]) -> list[Compared]:
    with transaction.atomic():
        pipeline.lock(practice_id)
        return ask()


def place(kind: Link.Kind, one: Compared) -> Placed:
    return Placed(
        kind=kind.value,
        id=one.hidden.record_id,
        truth=Truth(frozenset({str(one.hidden.visit_id)})),
        visit=str(one.visit_id) if one.linked else None,
        best=str(one.best) if one.best else None,
        chance=one.score,
        tier=one.method,
        department=one.hidden.department_id,
    )
