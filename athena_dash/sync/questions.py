"""One visit's open gaps → the fewest questions to athena that could close or confirm them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from athena_dash.correlation.models import Gap, Link, Visit
from athena_dash.correlation.rules import RULES
from athena_dash.sync.source import Source
from integrations.athena.page import Page

AWAITS = {rule.code: rule.awaits for rule in RULES}
MOST_CLAIMS = 5  # of one visit; an episode's claim list could spend a morning's calls


@dataclass(frozen=True, slots=True)
class Question:
    """`ask` brings the pages. `parent`: whom payloads are kept under, as the feed's own walk keeps them. `record_id`:
    the one record asked for, when it is one."""

    resource: str
    ask: Callable[[Source], Iterator[Page]]
    parent: str = ""
    record_id: str = ""


def kinds(visit: Visit) -> frozenset[str]:
    """The kinds of record that its open gaps wait for."""
    codes = Gap.objects.filter(visit=visit, closed_at__isnull=True).values_list("code", flat=True)
    return frozenset(AWAITS[code] for code in codes if code in AWAITS)


def first_questions(visit: Visit, awaited: frozenset[str]) -> list[Question]:
    """The appointment tells of all three rails at once; the chart and the claims only where one is waited for."""
    questions = []
    booked = visit.anchor == Visit.Anchor.APPOINTMENT
    if booked:
        questions.append(about("appointments", visit.anchor_id))
    if "encounter" in awaited and visit.patient_id and visit.department_id:
        questions.append(about("encounters", visit.patient_id, visit.department_id))
    if "claim" in awaited and booked:
        questions.append(Question("claims", lambda source: source.v1.claims_of_appointment(visit.anchor_id)))
    elif "claim" in awaited and (day := visit.service_date):
        questions.append(Question("claims", lambda source: source.v1.claims_of_service(day, day)))
    return questions


def questions_of_claims(visit: Visit, awaited: frozenset[str], brought: set[str]) -> list[Question]:
    """Of the claims linked by now: themselves, unless just `brought`, their money and their notes."""
    if "claim" not in awaited:
        return []
    links = Link.objects.filter(visit=visit, kind=Link.Kind.CLAIM).order_by("-record_id")
    found = []
    for claim_id in links.values_list("record_id", flat=True)[:MOST_CLAIMS]:
        names = (
            ("transactions", "claim_notes")
            if claim_id in brought
            else ("claims", "transactions", "claim_notes")
        )
        found += [about(name, claim_id) for name in names]
    return found


ALONE = frozenset({"appointments", "claims"})


def about(resource: str, key: str, scope: str = "") -> Question:
    if resource in ALONE:
        return Question(resource, lambda source: source.about(resource, key, scope), record_id=key)
    parent = f"{key}/{scope}" if scope else key
    return Question(resource, lambda source: source.about(resource, key, scope), parent)
