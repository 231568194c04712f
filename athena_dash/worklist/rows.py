"""A visit of `queries.rows_of` into a Row: the same facts in the words and shapes of the worklist."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from athena_dash.core.templatetags.ui import business_days
from athena_dash.correlation.models import Verdict
from athena_dash.worklist.models import WorkItem
from athena_dash.worklist.names import Names
from athena_dash.worklist.queries import DEADLINE_DAYS, Desktop
from athena_dash.worklist.words import ESTIMATORS, gap_title

# Tone and Lucide icon of each verdict; the word stands beside it.
VERDICTS: dict[str, tuple[str, str]] = {
    Verdict.NOT_BILLED: ("bad", "circle-x"),
    Verdict.NOT_SYNCED: ("wait", "cloud-off"),
    Verdict.SUSPECT_SYNC: ("wait", "cloud-alert"),
    Verdict.UNVERIFIED: ("", "circle-question-mark"),
}


@dataclass(frozen=True)
class VerdictBadge:
    tone: str
    word: str
    shape: str


@dataclass(frozen=True)
class Row:
    """`why_suspect` says why the verdict cannot be trusted now; `days_left` to the filing limit may be negative."""

    pk: int
    patient: str
    patient_id: str
    practice: str
    date: dt.date | None
    age: int | None  # business days since the visit
    visit_type: str
    track: str
    sentence: str
    owner: str
    others: tuple[str, ...]
    payer: str
    provider: str
    department: str
    at_risk: Decimal | None
    estimator: str
    limit: dt.date | None
    days_left: int | None
    verdict: VerdictBadge | None
    why_suspect: str
    asked_at: dt.datetime | None  # athena itself, where the verdict rests on its answer
    assignee: str
    snoozed_until: dt.datetime | None
    worked_at: dt.datetime | None  # and the gap that was open then still is

    @property
    def urgent(self) -> bool:
        return self.days_left is not None and self.days_left <= DEADLINE_DAYS

    @property
    def limit_words(self) -> str:
        if self.days_left is None:
            return ""
        if self.days_left < 0:
            return f"{-self.days_left} d past"
        return "today" if self.days_left == 0 else f"{self.days_left} d"


def is_worked(work: WorkItem, opened_at: dt.datetime | None) -> bool:
    return bool(work.worked_at and opened_at and opened_at <= work.worked_at)


def verdict_badge(verdict: str | None) -> VerdictBadge | None:
    if not verdict:
        return None
    tone, shape = VERDICTS[verdict]
    return VerdictBadge(tone, Verdict(verdict).label, shape)


def rows(visits: Iterable[Any], desk: Desktop, names: Names) -> list[Row]:
    return [_row(visit, desk, names) for visit in visits]


def _row(visit: Any, desk: Desktop, names: Names) -> Row:
    work = getattr(visit, "work", None)
    limit = visit.gap_filing_limit
    return Row(
        pk=visit.pk,
        patient=(visit.initials or "").upper() or "?",
        patient_id=visit.patient_id,
        practice=visit.practice.name,
        date=visit.service_date,
        age=business_days(visit.service_date, desk.today) if visit.service_date else None,
        visit_type=visit.visit_type,
        track=desk.freshness.heard(visit.practice_id, visit.track),
        sentence=visit.gap_sentence or visit.suppressor or "",
        owner=visit.gap_owner or "",
        others=tuple(gap_title(code) for code in visit.other_codes),
        payer=visit.payer_name,
        provider=names.of("provider", visit.practice_id, visit.provider_id),
        department=names.of("department", visit.practice_id, visit.department_id),
        at_risk=visit.gap_at_risk,
        estimator=ESTIMATORS.get(visit.gap_estimator or "", ""),
        limit=limit,
        days_left=(limit - desk.today).days if limit else None,
        verdict=verdict_badge(visit.verdict),
        why_suspect=desk.freshness.why_suspect(
            visit.practice_id, visit.gap_needs_feed or "", visit.gap_asked_at
        ),
        asked_at=visit.gap_asked_at,
        assignee=str(work.assignee) if work and work.assignee else "",
        snoozed_until=work.snoozed_until if work else None,
        worked_at=work.worked_at if work and is_worked(work, visit.gap_opened_at) else None,
    )
