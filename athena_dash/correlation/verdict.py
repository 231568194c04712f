"""A gap and what we know of our own sync → not billed, not synced, suspect sync or unverified, with the
reasons.

Discriminators D1 and D4 to D10 of revenue-cycle.md §2.0, the free ones first. A stale feed (D2) is joined when a
screen is read, by Gap.needs_feed, so that a gap never keeps a verdict that time has overtaken. A live read that finds
the record (D3) closes the gap instead of judging it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from athena_dash.correlation.rules.base import GapStage, Rule
from athena_dash.correlation.visit_facts import VisitFacts

NOT_BILLED = "not_billed"
NOT_SYNCED = "not_synced"
SUSPECT_SYNC = "suspect_sync"
UNVERIFIED = "unverified"

ANSWER_HOLDS = timedelta(days=3)
"""How long athena's own word counts for a verdict: a record made since would have come with its feed."""
NO_ANSWERS: Mapping[tuple[str, int], datetime] = {}
NO_COUNTS: Mapping[str, tuple[date, datetime]] = {}
NO_COHORTS: Mapping[tuple[str, str, str, date], str] = {}
ENOUGH_NEIGHBOURS = 3
DEPARTMENT, PROVIDER = "department", "provider"  # whose cohort a D6 speaks of


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What sync knows, as (record kind, id): kinds are appointment, encounter, claim, clinical, patient.

    `by_patient` and `by_appointment` hold (kind of the record that failed, id of its patient or appointment),
    for payloads that could be read that far. `unmapped` is the part of the failures whose reason is an
    unknown code. `asked` holds what athena itself was asked, and answered in full: (kind, visit id) → when; what
    is missing after that is missing there. `counted` is the newest audit by kind that found everything athena lists
    from a day on to be here: kind → (that day, when). `cohorts` holds where far more is missing than usual: (feed,
    department, provider or none, day) → the cohort in words.
    """

    open_failures: frozenset[tuple[str, str]] = frozenset()
    by_patient: frozenset[tuple[str, str]] = frozenset()
    by_appointment: frozenset[tuple[str, str]] = frozenset()
    unmapped: frozenset[tuple[str, str]] = frozenset()
    asked: Mapping[tuple[str, int], datetime] = NO_ANSWERS
    counted: Mapping[str, tuple[date, datetime]] = NO_COUNTS
    cohorts: Mapping[tuple[str, str, str, date], str] = NO_COHORTS


class Judgement(msgspec.Struct, frozen=True):
    """`says` holds one {"signal", "says"} per reason, strongest first; no PHI. `asked_at`: when athena said so."""

    verdict: str
    says: tuple[dict[str, str], ...]
    asked_at: datetime | None = None


def judge(rule: Rule, visit: VisitFacts, evidence: Evidence) -> Judgement:
    if reason := failed_here(rule, visit, evidence):
        return Judgement(NOT_SYNCED, (reason,))
    if reason := unlinked(rule, visit):
        return Judgement(SUSPECT_SYNC, (reason,))
    if asked_at := evidence.asked.get((rule.awaits, visit.id)):
        return Judgement(NOT_BILLED, (signal("D4", answer(rule, visit, asked_at)),), asked_at)
    if counted_at := counted_without(rule, visit, evidence):
        return Judgement(NOT_BILLED, (signal("D4", count_words(counted_at)),), counted_at)
    if reason := in_cohort(rule, visit, evidence):
        return Judgement(SUSPECT_SYNC, (reason,))
    if is_shown(rule, visit):
        return Judgement(NOT_BILLED, (signal("D9", "athena's own record shows it, as last read"),))
    if rule.default_suspect:
        says = "athena's own records contradict each other here, so a record has probably not reached us"
        return Judgement(SUSPECT_SYNC, (signal("D5", says),))
    if reason := neighbours_charged(rule, visit):
        return Judgement(NOT_BILLED, (reason,))
    return Judgement(UNVERIFIED, (signal("", "nothing speaks against it; athena was not asked again"),))


def failed_here(rule: Rule, visit: VisitFacts, evidence: Evidence) -> dict[str, str] | None:
    """D1, D7: a record of the kind this gap waits for is stuck in our own pipeline, for exactly this visit. One that
    names the patient only is not blamed on a visit that has its record."""
    own = {(rule.awaits, id) for id in held(rule.awaits, visit)}
    failed = own & evidence.open_failures
    if not failed and visit.appointment and (rule.awaits, visit.appointment.id) in evidence.by_appointment:
        failed = {(rule.awaits, "")}
    if not failed and not own and (rule.awaits, visit.patient_id) in evidence.by_patient:
        failed = {(rule.awaits, "")}
    if not failed:
        return None
    if failed & evidence.unmapped:
        return signal("D7", f"the {rule.awaits} arrived with a code we do not know")
    return signal("D1", f"we failed to take in a {rule.awaits} of this visit")


def held(kind: str, visit: VisitFacts) -> list[str]:
    """Ids of its records of that kind, those it only names too."""
    if kind == "claim":
        return [claim.id for claim in visit.claims]
    appointment = visit.appointment
    if kind == "appointment":
        return [appointment.id] if appointment else []
    if kind == "encounter":
        named = [appointment.encounter_id] if appointment and appointment.encounter_id else []
        return named + [encounter.id for encounter in visit.encounters]
    return []


def unlinked(rule: Rule, visit: VisitFacts) -> dict[str, str] | None:
    """D10: a claim of this patient waits for a person to say whether it is this visit's."""
    if rule.awaits != "claim" or visit.claims or not visit.possible_claims:
        return None
    return signal("D10", f"claim {visit.possible_claims[0]} may belong here; its link is in review")


def answer(rule: Rule, visit: VisitFacts, asked_at: datetime) -> str:
    here = {"claim": bool(visit.claims), "encounter": bool(visit.encounters)}.get(rule.awaits, True)
    found = "its own records say the same" if here else f"has no {rule.awaits} of this visit"
    return f"athena was asked on {asked_at:%b} {asked_at.day} at {asked_at:%H:%M} UTC: {found}"


def is_shown(rule: Rule, visit: VisitFacts) -> bool:
    """The rule reads a state of a record that is here: its appointment's, or from submission on its claim's."""
    read = (
        rule.stage >= GapStage.SUBMIT
        and visit.live_claims
        or rule.awaits == "appointment"
        and visit.appointment
    )
    return rule.shown or bool(read)


def counted_without(rule: Rule, visit: VisitFacts, evidence: Evidence) -> datetime | None:
    """A claim is made on the day of its visit or later: where all that were made since are here, none is missing.
    Of a claim that is here such a count says nothing."""
    if rule.awaits != "claim" or visit.live_claims or visit.service_date is None:
        return None
    since, at = evidence.counted.get("claim", (None, None))
    return at if since and visit.service_date >= since else None


def count_words(at: datetime) -> str:
    return f"athena's list of claims was compared on {at:%b} {at.day} at {at:%H:%M} UTC: none is missing here"


def in_cohort(rule: Rule, visit: VisitFacts, evidence: Evidence) -> dict[str, str] | None:
    """D6: that day the whole department lacks what this visit lacks, which is rarely many people's doing; or all
    visits of its provider do, while the others' have theirs."""
    if not evidence.cohorts or rule.shown or visit.service_date is None:
        return None
    for provider_id, whose in (("", DEPARTMENT), (visit.provider_id, PROVIDER)):
        key = (rule.needs_feed, visit.department_id, provider_id, visit.service_date)
        if cohort := evidence.cohorts.get(key):
            return signal("D6", cohort) | {"whose": whose}
    return None


def neighbours_charged(rule: Rule, visit: VisitFacts) -> dict[str, str] | None:
    """D8: the feeds brought the visits around this one all the way to their claims, so what this one lacks was most
    likely never done."""
    around = visit.neighbours
    if (rule.awaits == "claim" and visit.live_claims) or around.visits < ENOUGH_NEIGHBOURS:
        return None
    if around.charged * 2 < around.visits:
        return None
    return signal(
        "D8", f"{around.charged} of {around.visits} visits in this department around that day have claims"
    )


def signal(name: str, says: str) -> dict[str, str]:
    return {"signal": name, "says": says}
