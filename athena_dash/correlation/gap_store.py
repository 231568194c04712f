"""Judged visits → Gap rows: opened, reopened, changed or closed, and nothing written where nothing changed.

Holds raw SQL: thousands of rows in one statement.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from athena_dash.core import literals
from athena_dash.core.one_trip import Row, fetch
from athena_dash.correlation.judge import FoundGap, Judged

CENT = Decimal("0.01")

TYPES = {  # what a gap says, by column
    '"primary"': "boolean",
    "owner": "text",
    "sentence": "text",
    "at_risk": "numeric",
    "estimator": "text",
    "verdict": "text",
    "evidence": "jsonb",
    "needs_feed": "text",
    "since": "timestamptz",
    "due_at": "timestamptz",
    "filing_limit": "date",
    "asked_at": "timestamptz",
}
GIVEN = {"visit_id": "bigint", "code": "text", **TYPES}
NAMED = {
    "columns": ", ".join(TYPES),
    "wanted": ", ".join(f"w.{name}" for name in TYPES),
    "gaps": "unnest(" + ", ".join(f"%({name})s::{kind}[]" for name, kind in GIVEN.items()) + ")"
    f" as w({', '.join(GIVEN)})",
}

STORED = """
select visit_id, code, id, closed_at is null from correlation_gap
where practice_id = %(practice)s and visit_id = any((select %(visits)s::bigint[])::bigint[])
"""

SAID = f"""
select visit_id, code, {", ".join(TYPES)} from correlation_gap
where practice_id = %(practice)s and visit_id = any(%(broken)s::bigint[])
"""  # noqa: S608 - columns of this module; of those that close, and of many more that have, nobody asks what they said

VISITS = """
update correlation_visit v
set suppressor = w.suppressor, track = w.track, reconsider_at = w.reconsider_at, judged_at = %(now)s
from unnest(%(visits)s::bigint[], %(suppressors)s::text[], %(tracks)s::text[], %(again)s::timestamptz[])
    as w(visit_id, suppressor, track, reconsider_at)
where v.id = w.visit_id and v.id = any(%(visits)s::bigint[])
"""

CLOSE = """
update correlation_gap set closed_at = %(now)s, closed_by = %(by)s, "primary" = false
where id = any((select %(ids)s::bigint[])::bigint[])
"""

STEP_BACK = 'update correlation_gap set "primary" = false where id = any(%(ids)s::bigint[])'

CHANGE = """
update correlation_gap g
set ({columns}) = row({wanted}),
    opened_at = case when g.closed_at is null then g.opened_at else %(now)s end,
    times_opened = g.times_opened + (g.closed_at is not null)::int,
    closed_at = null, closed_by = ''
from {gaps} where g.visit_id = w.visit_id and g.code = w.code
    and g.visit_id = any((select %(visit_id)s::bigint[])::bigint[])
"""

OPEN = """
insert into correlation_gap
    (practice_id, visit_id, code, {columns}, record_kind, record_id, opened_at, closed_by, times_opened)
select %(practice)s, w.*, '', '', %(now)s, '', 1 from {gaps}
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What storing comes to: codes of gap rows, by what happens to them, and the rows to write for it.

    `opening` and `changing` hold gaps in the order of GIVEN; `closing` (by what closes them) and `stepping_back` (open,
    and no longer the visit's first) hold ids.
    """

    opened: Counter[str] = field(default_factory=Counter)
    reopened: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    opening: list[Row] = field(default_factory=list)
    changing: list[Row] = field(default_factory=list)
    closing: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    stepping_back: list[int] = field(default_factory=list)


def store(practice_id: int, judged: Sequence[Judged], now: datetime) -> Changes:
    asked = {
        "practice": practice_id,
        "visits": literals.array([visit.visit_id for visit in judged]),
        "broken": literals.array([visit.visit_id for visit in judged if visit.gaps]),
    }
    found, standing = fetch(asked, STORED, SAID)
    stored = {row[:2]: row[2:] for row in found}
    said = {row[:2]: row[2:] for row in standing}
    changes = Changes()
    for visit in judged:
        for gap in visit.gaps:
            key = (visit.visit_id, gap.code)
            place(visit.visit_id, gap, stored.pop(key, None), said.get(key), changes)
    suppressed = {visit.visit_id for visit in judged if visit.suppressor}
    for (visit_id, code), (pk, is_open) in stored.items():
        if is_open:
            changes.closed[code] += 1
            changes.closing["suppressor" if visit_id in suppressed else "data"].append(pk)
    write_visits([visit for visit in judged if not visit.as_before], now)
    write_gaps(practice_id, changes, now)
    return changes


def place(visit_id: int, found: FoundGap, row: Row | None, said: Row | None, changes: Changes) -> None:
    """`row`: its (id, is open); `said`: its words, in the order of TYPES."""
    wanted = words(found)
    gap = (visit_id, found.code, *wanted)
    if row is None:
        changes.opened[found.code] += 1
        changes.opening.append(gap)
        return
    pk, is_open = row
    if not is_open:
        changes.reopened[found.code] += 1
        changes.changing.append(gap)
    elif said != wanted:
        changes.changed[found.code] += 1
        changes.changing.append(gap)
        if said and said[0] and not found.primary:
            changes.stepping_back.append(pk)


def words(found: FoundGap) -> Row:
    """In the order of TYPES."""
    dollars = found.estimate.dollars
    return (
        found.primary,
        found.owner,
        found.sentence,
        None if dollars is None else dollars.quantize(CENT),
        found.estimate.estimator,
        found.judgement.verdict,
        list(found.judgement.says),
        found.needs_feed,
        found.since,
        found.due_at,
        found.filing_limit,
        found.judgement.asked_at,
    )


def arrays(gaps: Sequence[Row]) -> dict[str, Any]:
    """By column of GIVEN."""
    columns: dict[str, Sequence[Any]] = dict(zip(GIVEN, zip(*gaps, strict=True), strict=True))
    columns["evidence"] = [literals.json(says) for says in columns["evidence"]]
    return {name: literals.array(column) for name, column in columns.items()}


def write_visits(judged: Sequence[Judged], now: datetime) -> None:
    if not judged:
        return
    values: dict[str, Any] = {
        "now": now,
        "visits": literals.array([visit.visit_id for visit in judged]),
        "suppressors": literals.array([visit.suppressor for visit in judged]),
        "tracks": literals.array([visit.track for visit in judged]),
        "again": literals.array([visit.reconsider_at for visit in judged]),
    }
    with connection.cursor() as cursor:
        cursor.execute(VISITS, values)


def write_gaps(practice_id: int, changes: Changes, now: datetime) -> None:
    """What stops being the visit's first gap does so before another becomes it: there is one at any instant."""
    with connection.cursor() as cursor:
        for by, ids in changes.closing.items():
            cursor.execute(CLOSE, {"now": now, "by": by, "ids": literals.array(ids)})
        if changes.stepping_back:
            cursor.execute(STEP_BACK, {"ids": literals.array(changes.stepping_back)})
        if changes.changing:
            cursor.execute(CHANGE.format(**NAMED), {**arrays(changes.changing), "now": now})
        if changes.opening:
            cursor.execute(
                OPEN.format(**NAMED), {**arrays(changes.opening), "practice": practice_id, "now": now}
            )
