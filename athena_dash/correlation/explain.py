"""A visit → each rule tested on it: found, waiting for its grace, hidden and by what, or nothing, and the inputs it
saw; the answer to "why is this here?" and "why is this not here?"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from athena_dash.core import clock
from athena_dash.correlation import dossier
from athena_dash.correlation.judge import speaks
from athena_dash.correlation.learned_sql import set_and_learned
from athena_dash.correlation.models import Visit
from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.base import GapStage, Rule, Suppressor, on
from athena_dash.correlation.rules.unconnected import UNCONNECTED
from athena_dash.correlation.suppressors import listed, suppressor
from athena_dash.correlation.visit_facts import VisitFacts
from athena_dash.practices.models import Policy
from athena_dash.practices.policies import Policies
from athena_dash.practices.policy_words import label, said

STATUSES: Mapping[str, str] = {  # athena-api.md §2.2
    "x": "cancelled",
    "f": "booked",
    "o": "open slot",
    "2": "checked in",
    "3": "checked out",
    "4": "charge entered",
}
NEVER_SET: Mapping[str, datetime] = {}


class Outcome(StrEnum):
    OPEN = "open"
    WAITS = "waits"
    HIDDEN = "hidden"
    CLEAR = "clear"
    OFF = "off"


class RuleTrace(msgspec.Struct, frozen=True, kw_only=True):
    """`since`: when the condition began. `opens_at`: when its grace runs out, or ran out. `hidden_by`: the suppressor
    that silences the rule; `hidden_since` is None when athena gives that no time. `inputs` hold no PHI."""

    code: str
    title: str
    outcome: Outcome
    says: str = ""
    inputs: tuple[str, ...] = ()
    since: datetime | None = None
    opens_at: datetime | None = None
    hidden_by: str = ""
    hidden_since: datetime | None = None


def explain(visit: Visit) -> tuple[RuleTrace, ...]:
    """Asked now, of the records as they are now; what was found at the last judging stands in the gaps."""
    policies, learned = set_and_learned(visit.practice_id)
    facts = dossier.load(visit.practice_id, [visit.pk], policies, learned)
    set_at = dict(Policy.objects.filter(practice_id=visit.practice_id).values_list("name", "set_at"))
    return trace(facts[0], policies, clock.now(), set_at) if facts else ()


def trace(
    visit: VisitFacts, policies: Policies, now: datetime, set_at: Mapping[str, datetime] = NEVER_SET
) -> tuple[RuleTrace, ...]:
    """`set_at`: when the practice set each policy of its own."""
    tested = (trace_rule(rule, visit, policies, now, set_at) for rule in RULES)
    off = (
        RuleTrace(code=rule.code, title=rule.title, outcome=Outcome.OFF, says=f"waits for {rule.waits_for}")
        for rule in UNCONNECTED
    )
    return (*tested, *off)


def trace_rule(
    rule: Rule, visit: VisitFacts, policies: Policies, now: datetime, set_at: Mapping[str, datetime]
) -> RuleTrace:
    watched = Watched(policies.overrides)
    finding = rule.find(visit, watched, now)
    suppressed = suppressor(visit, policies)
    hidden = suppressed is not None and not speaks(rule, suppressed[0])
    if finding.gap:
        outcome = Outcome.HIDDEN if hidden else Outcome.OPEN
    else:
        outcome = Outcome.WAITS if finding.reconsider_at and not hidden else Outcome.CLEAR
    return RuleTrace(
        code=rule.code,
        title=rule.title,
        outcome=outcome,
        says=finding.sentence,
        inputs=(*facts_of(rule, visit), *watched.words()),
        since=finding.since if outcome is not Outcome.CLEAR else None,
        opens_at=finding.opens_at if outcome is not Outcome.CLEAR else None,
        hidden_by=suppressed[1] if suppressed and hidden else "",
        hidden_since=suppressed_since(suppressed[0], visit, policies, set_at)
        if suppressed and hidden
        else None,
    )


@dataclass(frozen=True)
class Watched(Policies):
    """Policies that note which of their values a rule asked for."""

    asked: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        self.asked[name] = super().value(name)
        return self.asked[name]

    def words(self) -> tuple[str, ...]:
        return tuple(
            f"{label(name)}: {said(name, value)}, {'set here' if name in self.overrides else 'default'}"
            for name, value in self.asked.items()
            if name != "closed_days"
        )


def suppressed_since(
    kind: Suppressor, visit: VisitFacts, policies: Policies, set_at: Mapping[str, datetime]
) -> datetime | None:
    """A policy hides since it was set, a claim since we know what it covers. athena stamps the cancellation only."""
    if kind is Suppressor.POLICY:
        return min((set_at[name] for name, _ in listed(visit, policies) if name in set_at), default=None)
    if kind is Suppressor.EPISODE:
        return visit.episode.since if visit.episode else None
    return visit.appointment.cancelled_at if visit.appointment and kind is Suppressor.CANCELLED else None


def appointment_words(visit: VisitFacts) -> list[str]:
    appointment = visit.appointment
    if appointment is None:
        return ["no appointment"]
    stamps = [
        f", {what} {on(at, visit)}"
        for what, at in (("in", appointment.checked_in_at), ("out", appointment.checked_out_at))
        if at
    ]
    status = STATUSES.get(appointment.status, appointment.status or "without a status")
    return [f"appointment {status}{''.join(stamps)}"]


def note_words(visit: VisitFacts) -> list[str]:
    if not visit.encounters:
        return ["no encounter" if visit.documents else "no encounter, and none is expected"]
    return [
        f"encounter {note.status or 'without a status'}"
        + (f", signed {on(note.closed_on, visit)}" if note.closed_on else "")
        for note in visit.encounters
    ]


def service_words(visit: VisitFacts) -> list[str]:
    if not visit.services:
        return ["no services documented"]
    return [f"{len(visit.billable_services)} of {len(visit.services)} services marked to bill"]


def claim_words(visit: VisitFacts) -> list[str]:
    if not visit.claims:
        return [f"part of claim {visit.episode.claim_id}" if visit.episode else "no claim"]
    return [
        f"claim {claim.id}{' (voided)' if claim.voided else ''}: "
        + ", ".join(f"{slot.name} {slot.raw or 'unused'}" for slot in claim.slots)
        for claim in visit.claims
    ]


Words = Callable[[VisitFacts], list[str]]
LOOKS_AT: Mapping[GapStage, tuple[Words, ...]] = {
    GapStage.SCHEDULE: (appointment_words, claim_words),
    GapStage.VISIT: (appointment_words, note_words, service_words),
    GapStage.DOCUMENT: (appointment_words, note_words),
    GapStage.CHARGE: (appointment_words, note_words, service_words, claim_words),
    GapStage.CLAIM: (appointment_words, service_words, claim_words),
    GapStage.SUBMIT: (claim_words,),
    GapStage.ADJUDICATE: (claim_words,),
    GapStage.POST: (claim_words,),
}


def facts_of(rule: Rule, visit: VisitFacts) -> tuple[str, ...]:
    return tuple(words for say in LOOKS_AT[rule.stage] for words in say(visit))
