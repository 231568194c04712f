"""A plan says beforehand what would run, what would not, and why."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from django.core.signing import BadSignature

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.practices.models import Practice
from athena_dash.recovery import replay
from athena_dash.recovery.models import Verb
from athena_dash.recovery.plan import FrozenPlan, Plan, make_plan
from athena_dash.sync.models import Failure
from tests.builders import a_practice
from tests.recovery.failing import a_failure


def plan(practice: Practice, verb: Verb | None = None) -> Plan:
    return make_plan(
        Failure.objects.all(),
        replayable=Practice.objects.filter(pk=practice.pk),
        verb=verb,
        fingerprint="v1:baddate",
        as_of=clock.now(),
    )


def test_it_counts_what_runs_and_what_is_resolved_already(practice: Practice) -> None:
    a_failure(practice)
    a_failure(practice, resolved_at=clock.now())
    made = plan(practice)
    assert (made.will_run, made.already) == (1, 1)


def test_failures_of_a_practice_one_may_only_look_at_are_counted_and_left_out(practice: Practice) -> None:
    a_failure(practice)
    a_failure(a_practice("mesa"))
    made = plan(practice)
    assert (made.will_run, made.no_right) == (1, 1)


def test_what_is_being_tried_at_this_moment_is_blocked(practice: Practice) -> None:
    a_failure(practice, claimed_until=clock.now() + dt.timedelta(minutes=1))
    made = plan(practice)
    assert made.will_run == 0
    assert made.blocked == {"being tried at this moment": 1}


def test_members_of_an_unfinished_replay_are_not_planned_twice(practice: Practice, sam: User) -> None:
    a_failure(practice)
    first = plan(practice)
    replay.start(FrozenPlan.read(first.token()), key=uuid4(), user=sam, may_replay={practice.pk})
    again = plan(practice)
    assert again.will_run == 0
    assert again.blocked == {"already part of a replay that has not finished": 1}


def test_a_pull_that_failed_has_nothing_to_reprocess(practice: Practice) -> None:
    a_failure(practice, stage="pull", subject_kind="feed", reason="transient")
    assert plan(practice, Verb.REPROCESS).will_run == 0
    assert plan(practice).verb == Verb.REFETCH


def test_reprocessing_asks_athena_for_nothing(practice: Practice) -> None:
    a_failure(practice)
    assert plan(practice, Verb.REPROCESS).calls == 0
    assert plan(practice, Verb.REFETCH).calls == 1


def test_a_token_holds_exactly_the_members_that_were_shown(practice: Practice) -> None:
    failure = a_failure(practice)
    made = plan(practice)
    a_failure(practice)
    assert FrozenPlan.read(made.token()).members == {practice.pk: [failure.pk]}


def test_an_altered_token_is_refused(practice: Practice) -> None:
    a_failure(practice)
    with pytest.raises(BadSignature):
        FrozenPlan.read(plan(practice).token()[:-2] + "xx")
