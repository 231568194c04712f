"""A person's word on whether a claim pays for a visit beside its own → its Coverage, and a row of the audit.

As `decisions`: inside the caller's transaction, under the practice's lock; the state follows when the caller relates
the claim afterwards.
"""

from __future__ import annotations

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation.decisions import Settled
from athena_dash.correlation.models import Coverage, Decision, Link

State = Coverage.State


def confirm(coverage_id: int, user: User) -> Coverage:
    return _say(coverage_id, State.COVERED, Decision.Verb.PART, user)


def decline(coverage_id: int, user: User) -> Coverage:
    return _say(coverage_id, State.DECLINED, Decision.Verb.NOT_PART, user)


def undo(coverage_id: int, user: User) -> Coverage:
    """It is the rule's again."""
    coverage: Coverage = Coverage.objects.select_for_update().get(pk=coverage_id)
    if not coverage.said:
        raise Settled
    _note(coverage, Decision.Verb.UNDO, user)
    coverage.said, coverage.said_by = "", None
    coverage.save(update_fields=["said", "said_by"])
    return coverage


def _say(coverage_id: int, said: State, verb: Decision.Verb, user: User) -> Coverage:
    coverage: Coverage = Coverage.objects.select_for_update().get(pk=coverage_id)
    if coverage.said:
        raise Settled
    _note(coverage, verb, user)
    coverage.said, coverage.said_by = said, user
    coverage.save(update_fields=["said", "said_by"])
    return coverage


def _note(coverage: Coverage, verb: Decision.Verb, user: User) -> None:
    Decision.objects.create(
        practice_id=coverage.practice_id,
        kind=Link.Kind.CLAIM,
        record_id=coverage.claim_id,
        verb=verb,
        visit_id=coverage.visit_id,
        was_state=coverage.state,
        was_method=Link.Method.MANUAL if coverage.said else Link.Method.NONE,
        user=user,
        at=clock.now(),
    )
