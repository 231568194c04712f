"""What people did about a visit's gaps → what became of it: fixed, watched, or back on the list."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from athena_dash.core import clock
from athena_dash.worklist.models import Worked
from athena_dash.worklist.visit_records import VisitRecords
from athena_dash.worklist.words import CLOSED_BY


@dataclass(frozen=True)
class Watched:
    """`tone` and `word` are its badge; `at` is when it was fixed, came back, or will."""

    worked: Worked
    tone: str
    word: str
    at: dt.datetime
    because: str = ""


def watched(records: VisitRecords) -> list[Watched]:
    """Oldest first. Fixed means that every gap open then has been seen closed since."""
    return [outcome(one, records) for one in records.worked]


def outcome(worked: Worked, records: VisitRecords) -> Watched:
    gaps = [gap for gap in records.gaps if gap.code in worked.codes and gap.opened_at <= worked.at]
    closed = [gap for gap in records.gaps if gap.code in worked.codes and gap.closed_at]
    if not gaps or all(gap.closed_at for gap in gaps):
        last = max(
            (gap for gap in closed if gap.closed_at), key=lambda gap: gap.closed_at or worked.at, default=None
        )
        at = last.closed_at if last and last.closed_at else worked.at
        return Watched(worked, "good", "Fixed", at, CLOSED_BY.get(last.closed_by, "") if last else "")
    if worked.returns_at > clock.now():
        return Watched(worked, "wait", "Watched", worked.returns_at)
    return Watched(worked, "bad", "Not fixed", worked.returns_at)
