"""Our tables against the truth: missing, doubled, differing, extra; and nothing kept twice, held, or left undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from athena_dash.core import clock
from athena_dash.operations.torture.truth import RULES, Row, Truth
from athena_dash.practices.models import Practice
from athena_dash.records import models as records
from athena_dash.sync.models import BackfillChunk, Failure, Feed, RawSegment, Subject, Touched

ON_ITS_WAY = timedelta(minutes=2)  # between athena's answer and the instant we note as that of asking


@dataclass
class Compared:
    """One table. `older` changed at athena, unannounced, after it was last asked about: not counted as differing."""

    table: str
    expected: int = 0
    present: int = 0
    older: int = 0
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)  # "id column, column": never a value
    extra: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return len(self.missing) + len(self.doubled) + len(self.differing) + len(self.extra)


Asked = Mapping[tuple[str, str], datetime]


def compare_all(practice: Practice, truth: Truth) -> list[Compared]:
    asked = last_asked(practice)
    return [compare(practice, name, truth, asked) for name in RULES]


def compare(practice: Practice, name: str, truth: Truth, asked: Asked) -> Compared:
    model: Any = getattr(records, name.partition(" ")[0])
    found: dict[str, list[Any]] = {}
    for row in model.objects.filter(practice=practice, gone_at__isnull=True):
        found.setdefault(row.external_id, []).append(row)
    compared, theirs = Compared(name), list(truth.rows(name))
    for row in theirs:
        compared.expected += row.required
        ours = found.get(row.key, [])
        compared.present += bool(ours) and row.required
        unknown = not ours and row.required
        wrong = differing(ours[0], row, truth) if ours else []
        if (unknown or wrong) and changed_since_asked(row, asked):
            compared.older += 1
        elif unknown:
            compared.missing.append(row.key)
        elif wrong:
            compared.differing.append(f"{row.key} {', '.join(wrong)}")
    compared.doubled = [key for key, rows in found.items() if len(rows) > 1]
    compared.extra = sorted(found.keys() - {row.key for row in theirs})
    return compared


def differing(ours: Any, row: Row, truth: Truth) -> list[str]:
    """The columns that do not say what athena says."""
    return [name for name, value in row.says.items() if held(ours, name, truth) != value]


def held(ours: Any, name: str, truth: Truth) -> Any:
    value = getattr(ours, name)
    return truth.person(value) if name in ("patient_id", "merged_into") else value


def changed_since_asked(row: Row, asked: Asked) -> bool:
    """Never asked is no excuse, unless for what is part of a record that itself is older here."""
    if row.asked is None:
        return False
    if row.asked in asked:
        return asked[row.asked] < row.modified + ON_ITS_WAY
    return row.part_of is not None and changed_since_asked(row.part_of, asked)


def last_asked(practice: Practice) -> dict[tuple[str, str], datetime]:
    newest: dict[tuple[str, str], datetime] = {}
    rows = Subject.objects.for_practice(practice).filter(fetched_at__isnull=False)
    for resource, key, at in rows.values_list("resource", "key", "fetched_at"):
        newest[resource, key] = max(at, newest.get((resource, key), at))
    return newest


TWICE = {
    "links": "select kind || ' ' || record_id from correlation_link where practice_id = %s group by kind, record_id"
    " having count(*) > 1",
    "visits": "select anchor || ' ' || anchor_id from correlation_visit where practice_id = %s"
    " group by anchor, anchor_id having count(*) > 1",
    "gaps": "select coalesce(visit_id::text, record_id) || ' ' || code from correlation_gap where practice_id = %s"
    " group by visit_id, record_id, code having count(*) > 1",
    "statuses left": """
        select claim_id || ' ' || slot from records_claimstatuschange where practice_id = %s
        group by claim_id, slot, first_seen having count(*) > 1""",
    "failures": "select subject_kind || ' ' || subject_id from sync_failure where practice_id = %s"
    " group by stage, subject_kind, subject_id, first_seen having count(*) > 1",
    "payloads": """
        select resource || ' ' || id from (
            select id, resource, digest, lag(digest) over (
                partition by resource, external_id, parent_id order by id) before
            from sync_rawrecord where practice_id = %s) r
        where digest = before""",
}


def twice(practice: Practice) -> dict[str, list[str]]:
    """Ids of what is kept twice, by what it is."""
    found = {}
    with connection.cursor() as cursor:
        for name, statement in TWICE.items():
            cursor.execute(statement, [practice.pk])
            found[name] = [text for (text,) in cursor.fetchall()]
    return found


def undone(practice: Practice) -> dict[str, int]:
    """What a practice at rest has none of."""
    return {
        "payloads unprocessed": RawSegment.objects.filter(practice=practice, processed_version=None).count(),
        "records not related": Touched.objects.filter(practice=practice).count(),
        "leases of the dead": Feed.objects.filter(practice=practice, lease_until__lt=clock.now()).count(),
        "windows of history open": BackfillChunk.objects.filter(practice=practice)
        .exclude(state=BackfillChunk.State.DONE)
        .count(),
        "subjects due": Subject.objects.filter(practice=practice, due_at__isnull=False).count(),
        "failures open": Failure.objects.filter(practice=practice, resolved_at__isnull=True).count(),
    }
