"""Changed records → visits, links and gaps. The whole stage in the order it happens.

`correlate` ties records to visits, `judge_visits` says what each visit lacks. Both run inside the caller's
transaction, under the practice's lock taken by the caller, and change nothing when run again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from athena_dash.core import clock
from athena_dash.correlation import matching_sql, unbound_sql
from athena_dash.correlation.absorb import absorb
from athena_dash.correlation.judging import JudgeSummary, due, due_in, judge_visits
from athena_dash.correlation.matching import match_all
from athena_dash.correlation.merges import merge_map
from athena_dash.correlation.models import Link, Visit
from athena_dash.correlation.orphans import due_orphans, judge_orphans
from athena_dash.correlation.projection_sql import project
from athena_dash.correlation.scope import Touched, scope_of
from athena_dash.correlation.verdict import Evidence

__all__ = [
    "Evidence",
    "JudgeSummary",
    "correlate",
    "due",
    "due_in",
    "due_orphans",
    "judge_orphans",
    "judge_visits",
]


def correlate(practice_id: int, touched: Touched) -> set[int]:
    """`touched`: records table name → changed external ids. Returns the visits whose records or links
    changed."""
    now = clock.now()
    scope = scope_of(practice_id, touched, merge_map(practice_id))
    lone, unbound = unbound_sql.unbound_encounters(scope), unbound_sql.unbound_claims(scope)
    scope.encounters = sorted({*scope.encounters, *(record.record_id for record in lone)})
    scope.claims = sorted({*scope.claims, *(record.record_id for record in unbound)})
    before = matching_sql.touched_visits(scope) | offered_before(practice_id, scope.claims)

    matching_sql.make_appointment_visits(scope)
    matching_sql.link_appointments(scope, now)
    encounters = match_all(lone, unbound_sql.candidates_for_encounters(scope)) if lone else []
    matching_sql.make_encounter_visits(scope, encounters)
    matching_sql.link_encounters(scope, encounters, now)
    gone = matching_sql.absorbed(scope)
    for visit_id, into_id in gone:
        absorb(visit_id, into_id)
    claims = match_all(unbound, unbound_sql.candidates_for_claims(scope)) if unbound else []
    matching_sql.link_claims(scope, claims, now)
    matching_sql.link_facts(scope, now)

    around = {name: list(touched.get(name, ())) for name in ("department", "provider", "insurance")}
    visits = before | matching_sql.touched_visits(scope) | matching_sql.visits_around(scope, around)
    visits |= {
        visit_id
        for match in claims
        if match.state == Link.State.REVIEW
        for visit_id in offered(match.evidence)
    }
    visits -= {visit_id for visit_id, _ in gone}
    project(practice_id, visits, scope.merges)
    return visits


def offered_before(practice_id: int, claim_ids: Collection[str]) -> set[int]:
    """Visits that a claim in review was offered to: their verdict says so (D10) and must learn how it ended."""
    links = Link.objects.for_practice(practice_id).filter(
        kind=Link.Kind.CLAIM, record_id__in=claim_ids, state=Link.State.REVIEW
    )
    mentioned = {
        visit_id for evidence in links.values_list("evidence", flat=True) for visit_id in offered(evidence)
    }
    return set(Visit.objects.for_practice(practice_id).filter(pk__in=mentioned).values_list("pk", flat=True))


def offered(evidence: Mapping[str, Any]) -> set[int]:
    return {candidate["visit_id"] for candidate in evidence.get("candidates", ())}
