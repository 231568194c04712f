"""Changed records → visits, links and gaps. The whole stage in the order it happens.

`correlate` ties records to visits, `judge_visits` says what each visit lacks. Both run inside the caller's
transaction, under the practice's lock taken by the caller, and change nothing when run again.
"""

from __future__ import annotations

from athena_dash.core import clock
from athena_dash.correlation import matching_sql
from athena_dash.correlation.absorb import absorb
from athena_dash.correlation.coverage_sql import cover
from athena_dash.correlation.judging import JudgeSummary, due, due_in, judge_visits
from athena_dash.correlation.learned_sql import due_to_learn, keep, learn
from athena_dash.correlation.merges import merge_map
from athena_dash.correlation.orphans import due_orphans, judge_orphans
from athena_dash.correlation.projection_sql import project
from athena_dash.correlation.scope import Touched, scope_of
from athena_dash.correlation.tables import tell_planner
from athena_dash.correlation.verdict import Evidence
from athena_dash.practices.policies import policies_of

__all__ = [
    "Evidence",
    "JudgeSummary",
    "correlate",
    "due",
    "due_in",
    "due_orphans",
    "due_to_learn",
    "judge_orphans",
    "judge_visits",
    "keep",
    "learn",
]


def correlate(practice_id: int, touched: Touched) -> set[int]:
    """`touched`: records table name → changed external ids. Returns the visits whose records or links
    changed."""
    now = clock.now()
    scope = scope_of(practice_id, touched, merge_map(practice_id))
    matching_sql.note_offered(scope)
    matching_sql.anchor_appointments(scope)
    matching_sql.link_encounters(scope, now)
    for visit_id, into_id in matching_sql.absorbed(scope):
        absorb(visit_id, into_id)
    matching_sql.link_claims(scope, now)
    matching_sql.link_facts(scope, now)
    matching_sql.note_offered(scope)
    matching_sql.note_around(scope)
    visits = project(scope) | cover(scope, touched, policies_of(practice_id).packages, now)
    if scope.large:
        tell_planner()
    return visits
