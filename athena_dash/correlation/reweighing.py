"""A practice's own weights: learnt as a version, tried out on its claims, made active, and applied batch by batch.

Inside the caller's transaction, under the practice's lock. Versions are never changed: taking one back is activating
another, and 0 are the shipped points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from django.db import transaction

from athena_dash.core import clock
from athena_dash.correlation.labels_sql import known_claims, labels_of, lone_of
from athena_dash.correlation.learning import METHOD, blend, lone_points, points_of
from athena_dash.correlation.models import Weights
from athena_dash.correlation.service import correlate
from athena_dash.correlation.tables import run
from athena_dash.correlation.weights import SHIPPED

ENOUGH = 300  # claims whose visit is known, to learn anything from
GROWN = 1.2  # times as many as last time, to learn anew
SAMPLES = 5

LONE = """
select external_id from records_claim
where practice_id = %(practice)s and appointment_id = '' and gone_at is null and external_id > %(after)s
order by external_id limit %(size)s
"""
NEWEST = """
select external_id from records_claim
where practice_id = %(practice)s and appointment_id = '' and gone_at is null and service_date is not null
order by service_date desc, external_id limit %(size)s
"""
REACHED = """
select count(*) filter (where external_id <= %(reached)s), count(*) from records_claim
where practice_id = %(practice)s and appointment_id = '' and gone_at is null
"""
PLACES = """
select record_id, visit_id from correlation_link
where practice_id = %(practice)s and kind = 'claim' and record_id = any(%(claims)s) and state = 'linked'
"""


class Change(msgspec.Struct, frozen=True):
    """Claims of one kind of change, and a few of them: claim, visit before, visit after."""

    claims: int
    samples: tuple[tuple[str, int | None, int | None], ...]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    claims: int  # that were looked at
    added: Change
    removed: Change
    moved: Change


def learn_weights(practice_id: int) -> Weights | None:
    """The next version, not yet active; None while too little is known, or little more than when last learnt so."""
    known = known_claims(practice_id)
    rows = Weights.objects.for_practice(practice_id)
    newest, last = rows.first(), rows.filter(method=METHOD).first()
    if known < max(ENOUGH, last.known * GROWN if last else 0):
        return None
    labels = labels_of(practice_id, SHIPPED)
    own = points_of(labels.counts)
    lone = lone_of(practice_id, {level: Decimal(value) for level, value in own.items()})
    points = blend(lone_points(labels, own, lone), labels.others)
    if newest is None:
        keep(practice_id, 0)
    version = newest.version + 1 if newest else 1
    return keep(practice_id, version, known=known, pairs=labels.pairs, others=labels.others, points=points)


def keep(
    practice_id: int,
    version: int,
    *,
    known: int = 0,
    pairs: int = 0,
    others: int = 0,
    points: Mapping[str, Decimal] | None = None,
) -> Weights:
    row: Weights = Weights.objects.create(
        practice_id=practice_id,
        version=version,
        learnt_at=clock.now(),
        method=METHOD,
        known=known,
        pairs=pairs,
        others=others,
        points={level: str(value) for level, value in (points or {}).items()},
    )
    return row


def activate(practice_id: int, version: int, user_id: int | None = None) -> Weights:
    """From here on every claim that comes is tied by it; those here already as `lone_after` hands them out."""
    rows = Weights.objects.for_practice(practice_id)
    row: Weights = rows.get(version=version)
    rows.filter(active=True).update(active=False)
    row.active, row.reached, row.applied_at, row.applied_by_id = True, "", None, user_id
    row.save(update_fields=["active", "reached", "applied_at", "applied_by"])
    return row


def preview(practice_id: int, version: int, claims: Sequence[str]) -> Preview:
    """What applying it would do to these claims without an id: done, looked at, and rolled back."""
    before = places(practice_id, claims)
    with transaction.atomic():
        activate(practice_id, version)
        correlate(practice_id, {"claim": claims})
        after = places(practice_id, claims)
        transaction.set_rollback(True)
    moves = sorted((id, before.get(id), after.get(id)) for id in before.keys() | after.keys())
    return Preview(
        claims=len(claims),
        added=change([move for move in moves if move[1] is None]),
        removed=change([move for move in moves if move[2] is None]),
        moved=change([move for move in moves if None not in move and move[1] != move[2]]),
    )


def change(moves: Sequence[tuple[str, int | None, int | None]]) -> Change:
    return Change(len(moves), tuple(moves[:SAMPLES]))


def places(practice_id: int, claims: Sequence[str]) -> dict[str, int]:
    return dict(run(PLACES, {"practice": practice_id, "claims": list(claims)}))


def lone_after(practice_id: int, reached: str, size: int | None) -> list[str]:
    """The next claims without an id, in the order of their ids."""
    return [id for (id,) in run(LONE, {"practice": practice_id, "after": reached, "size": size})]


def newest_lone(practice_id: int, size: int) -> list[str]:
    return [id for (id,) in run(NEWEST, {"practice": practice_id, "size": size})]


def being_applied() -> list[int]:
    """Practices with an active version that has not reached all their claims."""
    rows = Weights.objects.filter(active=True, applied_at__isnull=True, practice__paused_at__isnull=True)
    return list(rows.values_list("practice_id", flat=True))


def next_batch(practice_id: int, size: int) -> list[str]:
    """The claims the active version comes to next, noted as reached; empty when all are done."""
    row = Weights.objects.for_practice(practice_id).filter(active=True, applied_at__isnull=True).first()
    if row is None:
        return []
    claims = lone_after(practice_id, row.reached, size)
    if claims:
        row.reached = claims[-1]
    else:
        row.applied_at = clock.now()
    row.save(update_fields=["reached", "applied_at"])
    return claims


def progress(weights: Weights) -> tuple[int, int]:
    """Claims reached, of all without an id."""
    values = {"practice": weights.practice_id, "reached": weights.reached}
    reached, lone = run(REACHED, values)[0]
    return (lone if weights.applied_at else reached), lone
