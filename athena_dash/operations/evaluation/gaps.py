"""Open gaps in the database against the causes of the ledger: precision and recall by gap code, and how far their
verdicts hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from athena_dash.core import clock
from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.models import Gap, Visit
from athena_dash.correlation.rules import RULES
from athena_dash.operations.evaluation.labels import Labels, athena_ids, clinical_number
from athena_dash.operations.evaluation.score import GAP_COUNTS, score_gaps
from athena_dash.operations.evaluation.verdicts import Shown, confusion, read_by_night, score_verdicts
from athena_dash.practices.policies import DAY, Policies
from integrations.sandbox.ledger import Cause, Ledger

EASTERN = ZoneInfo("America/New_York")
ORPHANS = "G17"
READS_AS = {"G04": "G03"}
"""Until its own grace is over, one who left unseen is to a client one who is stuck."""
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
    before = score_verdicts(shown_gaps(ledger, told, expected, tolerated))
    reads = read_by_night()
    return {
        "gaps": gaps,
        "confusion": confusion(expected, tolerated, {code: found[code] for code in told}),
        "verdicts": {
            "as synced": before,
            "live reads": reads,
            "after them": score_verdicts(shown_gaps(ledger, told, expected, tolerated)),
        },
        "unscored": {code: len(names) for code, names in sorted(found.items()) if code not in told},
    }


def expectations(ledger: Ledger) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By code: what must be shown, and what may be, because its grace ends within a business day of as_of.

    A cause counts while it lasts; its grace is the shipped one of its code. One of a claim that belongs to no visit is
    no visit's, and of one that no client could tell the visit of, either answer is right.
    """
    untold = {(r.practice, r.kind, r.id) for r in ledger.records if not r.linkable}
    expected, tolerated = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    as_of = ledger.header.as_of
    for cause in ledger.causes:
        if cause.code not in policy_codes() or (cause.until is not None and cause.until <= as_of):
            continue
        if cause.code != ORPHANS and cause.visit is None:
            continue
        about = cause.record
        if cause.code != ORPHANS and about and (cause.practice, about.kind, about.id) in untold:
            tolerated[cause.code].add(name_of(cause))
            continue
        hours = Policies().grace_hours(cause.code)
        if add_business_hours(cause.since, hours + DAY, EASTERN) <= as_of:
            expected[cause.code].add(name_of(cause))
        elif add_business_hours(cause.since, max(hours - DAY, 0), EASTERN) <= as_of:
            tolerated[cause.code].add(name_of(cause))
        if cause.code in READS_AS:
            tolerated[READS_AS[cause.code]].add(name_of(cause))
    return expected, tolerated


def open_gaps(ledger: Ledger) -> dict[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for name, gap in named_gaps(ledger):
        found[gap.code].add(name)
    return found


def shown_gaps(
    ledger: Ledger,
    told: Collection[str],
    expected: Mapping[str, Collection[str]],
    tolerated: Mapping[str, Collection[str]],
) -> list[Shown]:
    return [
        Shown(gap.code, gap.verdict, name in expected[gap.code] or name in tolerated[gap.code])
        for name, gap in named_gaps(ledger)
        if gap.code in told and gap.visit_id is not None
    ]


def named_gaps(ledger: Ledger) -> Iterator[tuple[str, Gap]]:
    """Open gaps by the true name of their visit, or of their orphan result."""
    practices = athena_ids()
    names = Labels(ledger).of_visits(Visit.objects.all(), practices)
    for gap in Gap.objects.filter(closed_at__isnull=True, opened_at__lte=clock.now()):
        if gap.visit_id is None:
            yield f"{practices[gap.practice_id]}/{clinical_number(gap.record_id)}", gap
        else:
            yield names[gap.visit_id], gap


def name_of(cause: Cause) -> str:
    """A result's gap is the result's own, whichever visit it truly came from."""
    if cause.code == ORPHANS and cause.record is not None:
        return f"{cause.practice}/{cause.record.id}"
    return f"{cause.practice}/{cause.visit}"


def policy_codes() -> frozenset[str]:
    return frozenset({rule.code for rule in RULES} | {ORPHANS})
