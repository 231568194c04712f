"""Verdicts of open gaps against the ledger, before and after a night's live reads; and which cause was taken for which.

"Not billed" is right where the ledger knows a cause for the gap, "not synced" where it knows none: then athena has what
is missing, and we have not. Suspect and unverified claim nothing; they only lower the coverage.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from athena_dash.core import clock
from athena_dash.core.shares import interval, ratio
from athena_dash.correlation.models import Gap, Verdict
from athena_dash.correlation.rules import RULES
from athena_dash.practices.models import Practice
from athena_dash.sync import audit, live_plan, pipeline, sweep
from athena_dash.sync.models import LiveRead

CONFIRMED = (Verdict.NOT_BILLED, Verdict.NOT_SYNCED)
MOST_TURNS = 10  # of a night whose reads meet faults
EVERYTHING = 10_000
EVENING = timedelta(hours=8)
NOTHING = "nothing"
ORDER = [rule.code for rule in RULES]

Names = Mapping[str, Collection[str]]
"""Visits by gap code."""


class Shown(msgspec.Struct, frozen=True):
    """One open gap: `true` when the ledger knows its cause."""

    code: str
    verdict: str
    true: bool


def score_verdicts(shown: Collection[Shown]) -> dict[str, Any]:
    confirmed = [one for one in shown if one.verdict in CONFIRMED]
    right = sum(one.true == (one.verdict == Verdict.NOT_BILLED) for one in confirmed)
    counted = Counter(f"{one.verdict}{'' if one.true else ' (no cause)'}" for one in shown)
    return {
        "shown": len(shown),
        "confirmed": len(confirmed),
        "right": ratio(right, len(confirmed)),
        "right_95": interval(right, len(confirmed)),
        "coverage": ratio(len(confirmed), len(shown)),
        "by_verdict": dict(sorted(counted.items())),
        "unconfirmed": dict(
            sorted(Counter(one.code for one in shown if one.verdict not in CONFIRMED).items())
        ),
    }


def confusion(expected: Names, tolerated: Names, found: Names) -> Counter[str]:
    """Of each visit, the earliest true code → the earliest shown one, where they differ. What lies within a business
    day of its grace may be shown or not."""
    true, either, shown = (first_by_visit(names) for names in (expected, tolerated, found))
    pairs = Counter(
        (true.get(visit, NOTHING), shown.get(visit, NOTHING))
        for visit in true.keys() | shown.keys()
        if visit in true or visit not in either
    )
    return Counter({f"{was} as {said}": n for (was, said), n in pairs.items() if was != said})


def first_by_visit(names: Names) -> dict[str, str]:
    codes = defaultdict[str, list[str]](list)
    for code in ORDER:
        for visit in names.get(code, ()):
            codes[visit].append(code)
    return {visit: found[0] for visit, found in codes.items()}


def read_by_night() -> Counter[str]:
    """One night of every practice, with whatever faults are on: the audit, then live reads; what they asked, and what
    came of it."""
    gaps = Gap.objects.filter(closed_at__isnull=True, primary=True, visit__isnull=False).count()
    with clock.frozen(clock.now() + EVENING):
        for practice in Practice.objects.all():
            try_again(practice)
        return night(gaps)


def try_again(practice: Practice) -> None:
    """What has waited for its next try since the day."""
    for _ in range(MOST_TURNS):
        if not sweep.retry_due(practice.pk, EVERYTHING):
            return


def night(gaps: int) -> Counter[str]:
    for practice in Practice.objects.all():
        audit.audit_practice(practice)
        pipeline.compare_days(practice.pk)
        live_plan.weigh(practice.pk)
        live_plan.plan_night(practice.pk)
    for _ in range(MOST_TURNS):
        for practice_id, trigger in live_plan.waiting():
            live_plan.make(practice_id, trigger, EVERYTHING)
    reads = LiveRead.objects.all()
    return Counter(
        gaps=gaps,
        made=reads.count(),
        failed=reads.filter(state=LiveRead.State.FAILED).count(),
        questions=sum(reads.values_list("asked", flat=True)),
        gaps_closed=sum(reads.values_list("gaps_closed", flat=True)),
    )
