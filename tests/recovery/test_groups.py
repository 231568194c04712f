"""Failures become groups that say how many, how dear, how new, and what people decided."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from athena_dash.accounts.models import User
from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Verdict
from athena_dash.practices.models import Practice
from athena_dash.recovery import groups
from athena_dash.recovery.filters import FailureFilter, facet_counts
from athena_dash.sync.models import Failure
from tests.builders import a_gap, a_link, a_patient, a_practice, a_visit
from tests.recovery.failing import a_failure

HOUR = dt.timedelta(hours=1)


def found(**words: str) -> list[groups.Group]:
    now = clock.now()
    return groups.find_groups(FailureFilter.of(words).apply(Failure.objects.all(), now), now)


def test_one_fingerprint_is_one_group_across_practices(practice: Practice) -> None:
    a_failure(practice)
    a_failure(a_practice("mesa"))
    [group] = found()
    assert group.count == 2
    assert len(group.practice_ids) == 2


def test_a_group_is_worth_the_gaps_only_its_failures_explain(practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit, verdict=Verdict.NOT_SYNCED, at_risk=Decimal("140.00"))
    a_failure(practice, appointment_id=visit.anchor_id)
    a_failure(practice, appointment_id=visit.anchor_id)
    other = a_visit(practice, patient=a_patient(practice))
    a_gap(other, verdict=Verdict.NOT_BILLED)
    a_failure(practice, appointment_id=other.anchor_id)
    [group] = found()
    assert (group.gaps, group.at_risk) == (1, Decimal("140.00"))


def test_a_failed_result_holds_the_gap_of_the_visit_it_is_linked_to(practice: Practice) -> None:
    visit = a_visit(practice)
    a_gap(visit, verdict=Verdict.NOT_SYNCED)
    a_link(visit, "clinical", "a-1.Observation-7")
    a_failure(practice, record_kind="clinicalfact", record_id="a-1.Observation-7")
    [group] = found()
    assert group.gaps == 1


def test_an_orphan_result_holds_its_own_gap(practice: Practice) -> None:
    visit_gap = a_gap(a_visit(practice), verdict=Verdict.NOT_SYNCED)
    Gap.objects.filter(pk=visit_gap.pk).update(
        visit=None, record_kind="clinical", record_id="a-1.Observation-8", code="G17"
    )
    a_failure(practice, record_kind="clinicalfact", record_id="a-1.Observation-8")
    [group] = found()
    assert group.gaps == 1


def test_the_trend_counts_new_failures_by_the_hour(practice: Practice) -> None:
    now = clock.now()
    for hours in (0, 0, 2, 30):
        a_failure(practice, first_seen=now - hours * HOUR)
    [group] = found()
    assert (group.trend[-1], group.trend[-3], sum(group.trend), group.count) == (2, 1, 3, 4)


def test_dearer_groups_come_first(practice: Practice) -> None:
    for _ in range(3):
        a_failure(practice, fingerprint="v1:many")
    visit = a_visit(practice)
    a_gap(visit, verdict=Verdict.NOT_SYNCED)
    a_failure(practice, fingerprint="v1:dear", appointment_id=visit.anchor_id)
    assert [group.fingerprint for group in found()] == ["v1:dear", "v1:many"]


def test_an_acknowledged_group_says_how_many_came_since(practice: Practice, sam: User) -> None:
    a_failure(practice)
    groups.acknowledge("v1:baddate", [practice.pk], sam, clock.now() - dt.timedelta(minutes=30))
    a_failure(practice, first_seen=clock.now())
    [group] = found()
    assert (group.state, group.acknowledged_by, group.new_since) == ("acknowledged", sam, 1)


def test_a_muted_group_is_hidden_until_its_day_and_then_returns(practice: Practice) -> None:
    a_failure(practice)
    groups.mute("v1:baddate", [practice.pk], clock.now() + HOUR)
    assert found() == []
    assert [group.state for group in found(state="muted")] == ["muted"]
    with clock.frozen(clock.now() + 2 * HOUR):
        assert [group.state for group in found()] == ["open"]


def test_muting_in_one_practice_leaves_the_other_visible(practice: Practice) -> None:
    a_failure(practice)
    mesa = a_practice("mesa")
    a_failure(mesa)
    groups.mute("v1:baddate", [practice.pk], clock.now() + HOUR)
    [group] = found()
    assert group.practice_ids == (mesa.pk,)


def test_each_facet_is_counted_under_the_other_choices(practice: Practice) -> None:
    a_failure(practice)
    a_failure(practice, reason="unmapped", fingerprint="v1:code")
    a_failure(a_practice("mesa"), reason="unmapped", fingerprint="v1:code")
    counts = facet_counts(Failure.objects.all(), FailureFilter(reason="unmapped"), clock.now())
    assert counts["practice"] == {"riverside": 1, "mesa": 1}
    assert counts["reason"] == {"unmapped": 2, "invalid": 1}


def test_words_that_name_nothing_are_left_out_of_a_filter() -> None:
    assert FailureFilter.of({"reason": "nonsense", "state": "'; drop", "stage": ""}) == FailureFilter()
