"""The whole rule book against the case book: every case, and every visit of it once more with each suppressor on."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from athena_dash.correlation.judge import Judged, judge_visit, speaking
from athena_dash.correlation.rules import RULES
from athena_dash.correlation.rules.base import NO_GAP, Suppressor
from athena_dash.correlation.suppressors import suppressor
from athena_dash.correlation.verdict import Evidence
from athena_dash.correlation.visit_facts import EpisodeFacts, VisitFacts
from athena_dash.practices.policies import Policies
from athena_dash.practices.statuses import ClaimStage
from tests.casebook.book import Case, cases
from tests.correlation.casebook import LEARNED

BOOK = list(cases())
OPEN = [case for case in BOOK if case.expected["gap"]]


def judged(case: Case, visit: VisitFacts | None = None, **policies: object) -> Judged:
    rules = Policies({**case.policies, **policies})
    return judge_visit(visit or case.visit, rules, Evidence(), LEARNED, case.now)


@pytest.mark.parametrize("case", BOOK, ids=str)
def test_a_case_of_the_book(case: Case) -> None:
    told = judged(case)
    found = {gap.code: gap for gap in told.gaps}.get(case.code)
    assert (found is not None) is case.expected["gap"], f"{case.source}: {case.says}"
    if suppressed := case.expected.get("suppressed"):
        assert told.suppressor == suppressed
    if found is not None:
        said = {
            "owner": found.owner,
            "dollars": str(found.estimate.dollars),
            "estimator": found.estimate.estimator,
            "deadline": found.filing_limit,
        }
        assert case.expected == {"gap": True} | {word: said[word] for word in case.expected if word != "gap"}


def test_every_rule_has_three_cases_with_a_gap_and_without() -> None:
    counts = Counter(case.code for case in BOOK)
    assert {rule.code for rule in RULES} == set(counts)
    assert min(counts.values()) >= 3
    for answer in (True, False):
        assert {case.code for case in BOOK if case.expected["gap"] is answer} == set(counts)


def test_every_case_names_its_source() -> None:
    assert all(case.source.startswith("§2.") and f" {case.code}" in case.source for case in BOOK)


def test_a_rule_that_is_not_asked_would_find_nothing() -> None:
    """Its header saves asking; the rule itself stays the truth. Of each visit also as it is once everything is paid,
    and once every note is signed."""
    spared = 0
    for case in BOOK:
        policies = Policies(case.policies)
        for visit in (case.visit, paid_up(case.visit), signed(case.visit)):
            asked = speaking(visit.status, visit.settled, visit.signed, None)
            for rule in (rule for rule in RULES if rule not in asked):
                assert rule.find(visit, policies, case.now) is NO_GAP, f"{rule.code} on {case}"
                spared += visit.settled
    assert spared


def paid_up(visit: VisitFacts) -> VisitFacts:
    """Every column closed, every line at rest."""
    claims = tuple(
        replace(
            claim,
            slots=tuple(replace(slot, raw="CLOSED", stage=ClaimStage.CLOSED) for slot in claim.slots),
            lines=tuple(replace(line, outstanding=Decimal(0)) for line in claim.lines),
        )
        for claim in visit.claims
    )
    return replace(visit, claims=claims)


def signed(visit: VisitFacts) -> VisitFacts:
    """Every note closed."""
    return replace(
        visit, encounters=tuple(replace(encounter, status="CLOSED") for encounter in visit.encounters)
    )


SPOKEN_DESPITE = {rule.code: rule.despite for rule in RULES}


@pytest.mark.parametrize("kind", Suppressor)
def test_no_visit_of_the_book_has_a_gap_once_it_is_suppressed(kind: Suppressor) -> None:
    """Save those of the rules that speak despite that very suppressor."""
    tried = 0
    for case in OPEN:
        hidden = suppressed_by(kind, case.visit)
        if hidden is None:
            continue
        tried += 1
        policies = {"not_billable.departments": ["1"]} if kind is Suppressor.POLICY else {}
        assert (suppressor(hidden, Policies(policies)) or ("",))[0] is kind
        still = {gap.code for gap in judged(case, hidden, **policies).gaps}
        assert {code for code in still if kind not in SPOKEN_DESPITE[code]} == set(), str(case)
    assert tried


def suppressed_by(kind: Suppressor, visit: VisitFacts) -> VisitFacts | None:
    """The same visit, suppressed; None where that suppressor cannot befall it."""
    appointment = visit.appointment
    if kind is Suppressor.NOT_A_VISIT:
        stays = tuple(replace(encounter, kind="FLOWSHEET") for encounter in visit.encounters)
        return replace(visit, encounters=stays) if appointment is None and stays else None
    if appointment is None or (appointment.status == "x" and kind is not Suppressor.GONE):
        return None
    changes: dict[str, object] = {
        Suppressor.GONE: {"gone": True},
        Suppressor.CANCELLED: {"status": "x"},
        Suppressor.NOT_REQUIRED: {"charge_entry_not_required": True},
        Suppressor.POLICY: {},
        Suppressor.EPISODE: {},
    }[kind]
    if kind in (Suppressor.POLICY, Suppressor.EPISODE) and appointment.charge_entry_not_required:
        return None
    if kind is Suppressor.EPISODE:
        return replace(visit, episode=EpisodeFacts("70", "obstetric", date(2026, 4, 12)))
    return replace(visit, appointment=replace(appointment, **changes))
