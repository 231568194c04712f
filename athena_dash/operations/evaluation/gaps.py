"""Open gaps in the database against the causes of the ledger: precision and recall by gap code."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

from athena_dash.core import clock
from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.models import Gap, Visit
from athena_dash.correlation.rules import RULES
from athena_dash.operations.evaluation.labels import Labels, athena_ids, clinical_number
from athena_dash.operations.evaluation.score import GAP_COUNTS, score_gaps
from athena_dash.practices.policies import DAY, Policies
from integrations.sandbox.ledger import Cause, Ledger

EASTERN = ZoneInfo("America/New_York")
ORPHANS = "G17"
NEVER_TRUE = frozenset({"G14"})
"""Athena itself never lacks the claim of a charged visit: each one shown is our own doing."""


def evaluate_gaps(ledger: Ledger) -> dict[str, Any]:
    """Report for `evaluate_gaps`. Codes of which the ledger knows no cause at all are listed as unscored."""
    expected, tolerated = expectations(ledger)
    found = open_gaps(ledger)
    told = ({cause.code for cause in ledger.causes} | NEVER_TRUE) & policy_codes()
    gaps = {
        code: score_gaps(expected[code], tolerated[code], found[code]).report(*GAP_COUNTS)
        for code in sorted(told)
    }
    return {
        "gaps": gaps,
        "unscored": {code: len(names) for code, names in sorted(found.items()) if code not in told},
    }


def expectations(ledger: Ledger) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By code: what must be shown, and what may be, because its grace ends within a business day of as_of.

    A cause counts while it lasts; its grace is the shipped one of its code.
    """
    expected, tolerated = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    as_of = ledger.header.as_of
    for cause in ledger.causes:
        if cause.code not in policy_codes() or (cause.until is not None and cause.until <= as_of):
            continue
        hours = Policies().grace_hours(cause.code)
        if add_business_hours(cause.since, hours + DAY, EASTERN) <= as_of:
            expected[cause.code].add(name_of(cause))
        elif add_business_hours(cause.since, max(hours - DAY, 0), EASTERN) <= as_of:
            tolerated[cause.code].add(name_of(cause))
    return expected, tolerated


def open_gaps(ledger: Ledger) -> dict[str, set[str]]:
    practices = athena_ids()
    names = Labels(ledger).of_visits(Visit.objects.all(), practices)
    found = defaultdict[str, set[str]](set)
    for gap in Gap.objects.filter(closed_at__isnull=True, opened_at__lte=clock.now()):
        if gap.visit_id is None:
            found[gap.code].add(f"{practices[gap.practice_id]}/{clinical_number(gap.record_id)}")
        else:
            found[gap.code].add(names[gap.visit_id])
    return found


def name_of(cause: Cause) -> str:
    """A result's gap is the result's own, whichever visit it truly came from."""
    if cause.code == ORPHANS and cause.record is not None:
        return f"{cause.practice}/{cause.record.id}"
    return f"{cause.practice}/{cause.visit}"


def policy_codes() -> frozenset[str]:
    return frozenset({rule.code for rule in RULES} | {ORPHANS})
