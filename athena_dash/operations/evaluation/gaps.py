"""Open gaps in the database against the causes of the ledger: precision and recall by gap code, and how far their
verdicts hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from athena_dash.core import clock
from athena_dash.correlation.business_time import add_business_hours
from athena_dash.correlation.models import Gap, Verdict, Visit
from athena_dash.correlation.rules import RULES, Suppressor
from athena_dash.correlation.rules.claim_slots import PAYER_ROUND
from athena_dash.operations.evaluation.cohort_days import score_cohorts
from athena_dash.operations.evaluation.gap_score import GapScore
from athena_dash.operations.evaluation.labels import Labels, athena_ids, clinical_number
from athena_dash.operations.evaluation.score import Tally, score_gaps
from athena_dash.operations.evaluation.unsynced import CHARGED_WITHOUT_CLAIM, charged_without_claim, lacking
from athena_dash.operations.evaluation.verdicts import Shown, confusion, read_by_night
from athena_dash.practices.policies import DAY, Policies
from athena_dash.records.models import Appointment, Claim, Encounter
from integrations.sandbox.ledger import Cause, Ledger

EASTERN = ZoneInfo("America/New_York")
ORPHANS = "G17"
READS_AS = {"G04": "G03"}
"""Until its own grace is over, one who left unseen is to a client one who is stuck."""
LONGER = {"G13": "grace_hours_facility.G13", "G24": "grace_hours_manager.G24"}
OF_STATUS = frozenset({"G12", "G24", "G25", "G26", "G27", "G29", "G33", "G35", "G39", "G41", "G44", "G45"})
"""Of which a note's or a claim's status, or its money, is the evidence; athena dates none (athena-api.md §2.2)."""
SILENCES = {rule.code: frozenset(Suppressor) - rule.despite for rule in RULES}
WEEKEND = timedelta(days=3)


def evaluate_gaps(ledger: Ledger) -> GapScore:
    """Codes of which the ledger knows no cause at all stay unscored."""
    expected, tolerated = expectations(ledger)
    told = ({cause.code for cause in ledger.causes} | {CHARGED_WITHOUT_CLAIM}) & policy_codes()
    found, tallies = open_gaps(ledger), tallies_of(ledger, told)
    confused = confusion(expected, tolerated, {code: found[code] for code in told})
    before = shown_gaps(ledger, told, expected, tolerated)
    stopped, suppressed = score_cohorts(ledger), on_suppressed()
    reads = read_by_night()
    return GapScore(
        tallies=tallies,
        healed=tallies_of(ledger, told),
        confused=confused,
        before=before,
        after=shown_gaps(ledger, told, expected, tolerated),
        reads=reads,
        cohorts=stopped,
        on_suppressed=suppressed + on_suppressed(),
        unscored=Counter({code: len(names) for code, names in found.items() if code not in told}),
    )


def tallies_of(ledger: Ledger, told: Collection[str]) -> dict[str, Tally]:
    """The gaps that are open now, by code; of G14 by what is here now."""
    expected, tolerated = expectations(ledger)
    expected[CHARGED_WITHOUT_CLAIM], tolerated[CHARGED_WITHOUT_CLAIM] = charged_without_claim(ledger)
    found, said, missing = open_gaps(ledger), open_gaps(ledger, Verdict.NOT_SYNCED), lacking(ledger)
    return {
        code: score_gaps(expected[code], tolerated[code], found[code], said[code], missing)
        for code in sorted(told)
    }


def expectations(ledger: Ledger) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By code: what must be shown, and what may be, because its grace ends within a business day of as_of.

    A cause counts while it lasts; its grace is the shipped one of its code. A visit that was cancelled, or whose charge
    entry is not required, expects nothing more (revenue-cycle.md §2.0). A claim that belongs to no visit is no visit's,
    and of one that no client could tell the visit of, either answer is right. What began with a status that athena
    dates nowhere is known, to whoever looks for the first time, to a payer's round only.
    """
    begun, silent = beginnings(), silent_visits(ledger)
    untold = {(r.practice, r.kind, r.id) for r in ledger.records if not r.linkable}
    expected, tolerated = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    as_of = ledger.header.as_of
    for cause in ledger.causes:
        if cause.code not in policy_codes() or (cause.until is not None and cause.until <= as_of):
            continue
        if cause.code != ORPHANS and cause.visit is None:
            continue
        if silent.get(name_of(cause)) in SILENCES.get(cause.code, ()):
            continue
        about = cause.record
        if cause.code != ORPHANS and about and (cause.practice, about.kind, about.id) in untold:
            tolerated[cause.code].add(name_of(cause))
            continue
        shortest, longest = graces(cause.code)
        unsure = timedelta(0) if dated(cause, begun) else PAYER_ROUND
        if add_business_hours(cause.since, longest + DAY, EASTERN) + unsure <= as_of:
            expected[cause.code].add(name_of(cause))
        elif add_business_hours(cause.since, max(shortest - DAY, 0), EASTERN) - unsure <= as_of:
            tolerated[cause.code].add(name_of(cause))
        if cause.code in READS_AS:
            tolerated[READS_AS[cause.code]].add(name_of(cause))
    return expected, tolerated


def silent_visits(ledger: Ledger) -> dict[str, Suppressor]:
    """Visits all of whose appointments athena shows as cancelled, or one of them as waived."""
    practices = athena_ids()
    rows = Appointment.objects.values_list(
        "practice_id", "external_id", "status", "charge_entry_not_required"
    )
    shown = {(practices[pk], id): (status, waived) for pk, id, status, waived in rows}
    states = defaultdict[str, list[tuple[str, bool]]](list)
    for record in ledger.records:
        if record.kind == "appointment" and record.reason != "multi_resource_slot":
            states[f"{record.practice}/{record.visit}"].append(
                shown.get((record.practice, record.id), ("", False))
            )
    silent = {name: Suppressor.CANCELLED for name, known in states.items() if {"x"} == {s for s, _ in known}}
    return silent | {
        name: Suppressor.NOT_REQUIRED for name, known in states.items() if any(waived for _, waived in known)
    }


def graces(code: str) -> tuple[float, float]:
    """Business hours: the shipped grace, and that of the places or holds which are given longer."""
    shipped = Policies().grace_hours(code)
    return shipped, float(Policies().value(LONGER[code])) if code in LONGER else shipped


def dated(cause: Cause, begun: Mapping[tuple[str, str, str], date | None]) -> bool:
    """Whether athena dates when it began: not of a status, unless the note or the claim had it from the beginning."""
    if cause.code not in OF_STATUS or cause.record is None:
        return True
    made = begun.get((cause.practice, cause.record.kind, cause.record.id))
    return made is not None and cause.since.date() - made <= WEEKEND


def beginnings() -> dict[tuple[str, str, str], date | None]:
    """(athena practice id, kind, id) → the day of a claim's making, or of an encounter."""
    practices = athena_ids()
    claims = Claim.objects.values_list("practice_id", "external_id", "created_date")
    encounters = Encounter.objects.values_list("practice_id", "external_id", "date")
    return {
        (practices[practice_id], kind, id): day
        for kind, rows in (("claim", claims), ("encounter", encounters))
        for practice_id, id, day in rows
    }


def open_gaps(ledger: Ledger, verdict: str | None = None) -> dict[str, set[str]]:
    """By code; of one verdict only, or of all."""
    found = defaultdict[str, set[str]](set)
    for name, gap in named_gaps(ledger):
        if verdict in (None, gap.verdict):
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


def on_suppressed() -> int:
    """Open gaps of visits whose appointment, as athena has it, was cancelled or waived (revenue-cycle.md §2.0)."""
    at = {
        Suppressor.CANCELLED: Appointment.objects.filter(status="x"),
        Suppressor.NOT_REQUIRED: Appointment.objects.filter(charge_entry_not_required=True),
    }
    silent = {kind: [rule.code for rule in RULES if kind not in rule.despite] for kind in at}
    own = Q(practice=OuterRef("visit__practice"), external_id=OuterRef("visit__anchor_id"))
    return sum(
        Gap.objects.filter(closed_at__isnull=True, code__in=silent[kind], visit__anchor="appointment")
        .filter(Exists(appointments.filter(own)))
        .count()
        for kind, appointments in at.items()
    )


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
