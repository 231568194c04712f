"""A gap's row through its life: opened, closed when the missing record is seen, reopened as the same row."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from athena_dash.core import clock
from athena_dash.correlation.models import Gap, Link
from athena_dash.correlation.service import (
    Evidence,
    due,
    due_in,
    due_orphans,
    due_to_learn,
    judge_orphans,
    judge_visits,
    keep,
    learn,
)
from athena_dash.practices.models import Policy
from tests.correlation.office import (
    WEDNESDAY,
    Office,
    a_claim,
    a_line,
    a_result,
    an_appointment,
    an_encounter,
)

DAY = dt.timedelta(days=1)
VISIT = (an_appointment("100", encounter_id="9"), an_encounter("9"))


def test_the_claim_closes_the_gap_and_its_loss_reopens_the_same_row(office: Office) -> None:
    office.receive(*VISIT)
    gap = office.gaps("100")["G13"]
    assert (gap.primary, gap.closed_at) == (True, None)

    office.receive(a_claim("40", appointment_id="100"))
    gap.refresh_from_db()
    assert (gap.closed_by, gap.primary) == ("data", False)
    assert gap.closed_at is not None

    office.receive(a_claim("40", appointment_id="100", gone_at=clock.now()))
    gap.refresh_from_db()
    assert (gap.closed_at, gap.closed_by, gap.times_opened) == (None, "", 2)


def test_a_cancellation_closes_the_gap_as_suppressed(office: Office) -> None:
    office.receive(*VISIT)
    office.receive(an_appointment("100", encounter_id="9", status="x"))
    assert Gap.objects.get(code="G13").closed_by == "suppressor"


def test_a_gap_that_stays_is_not_written_again(office: Office) -> None:
    office.receive(*VISIT)
    visits = {office.visit("100").pk}
    summary = judge_visits(office.id, visits, Evidence())
    assert (summary.judged, summary.changed, sum(summary.opened.values())) == (1, 0, 0)


def test_a_failure_on_its_record_changes_the_verdict_of_an_open_gap(office: Office) -> None:
    office.receive(*VISIT)
    visits = {office.visit("100").pk}
    summary = judge_visits(office.id, visits, Evidence(by_appointment=frozenset({("claim", "100")})))
    assert summary.changed == 1
    assert office.gaps("100")["G13"].verdict == "not_synced"
    assert office.visit("100").track == "DDDDF---"


def test_time_alone_brings_a_visit_back_to_be_judged(office: Office) -> None:
    moment = dt.datetime(2026, 3, 4, 20, tzinfo=dt.UTC)
    with clock.frozen(moment):
        office.receive(*VISIT)
        assert office.gaps("100") == {}
        assert due(clock.now(), 10) == {}
    visit = office.visit("100")
    assert due(clock.now(), 10) == {office.id: [visit.pk]}

    judge_visits(office.id, [visit.pk], Evidence())
    assert set(office.gaps("100")) == {"G13"}
    assert office.visit("100").reconsider_at != visit.reconsider_at


def test_a_practices_own_grace_is_obeyed(office: Office) -> None:
    Policy.objects.create(practice_id=office.id, name="grace_hours.G13", value=24 * 30)
    office.receive(*VISIT)
    assert office.gaps("100") == {}


def test_charges_of_the_live_claims_make_the_visits_money(office: Office) -> None:
    office.receive(
        *VISIT,
        a_claim("40", appointment_id="100"),
        a_line("1", "40", "180", payments="80", adjustments="60", outstanding="40"),
        a_line("2", "40", "20.50", payments="0", outstanding="20.50"),
    )
    visit = office.visit("100")
    assert [str(money) for money in (visit.charges, visit.paid, visit.outstanding)] == [
        "200.50",
        "80.00",
        "60.50",
    ]


# G17: results that belong to no encounter


def test_a_lone_result_is_a_gap_of_its_own_after_a_day(office: Office) -> None:
    office.receive(a_result("r1"))
    assert due_orphans(clock.now(), 10) == {office.id: ["r1"]}

    judge_orphans(office.id, ["r1"])
    gap = Gap.objects.get(code="G17")
    assert (gap.record_kind, gap.record_id, gap.owner) == ("clinical", "r1", "clinical staff")
    assert gap.sentence == "Result of Mar 4, 2026 belongs to no encounter"
    assert due_orphans(clock.now(), 10) == {}
    assert judge_orphans(office.id, ["r1"]) == 0


def test_a_result_of_this_morning_is_held_back(office: Office) -> None:
    office.receive(a_result("r1", at=clock.now() - dt.timedelta(hours=2)))
    assert due_orphans(clock.now(), 10) == {}
    assert judge_orphans(office.id, ["r1"]) == 0


def test_a_condition_without_an_encounter_is_ordinary(office: Office) -> None:
    office.receive(a_result("r1", resource="Condition"))
    assert judge_orphans(office.id, ["r1"]) == 0


def test_tying_the_result_closes_its_gap(office: Office) -> None:
    office.receive(*VISIT, a_result("r1"))
    judge_orphans(office.id, ["r1"])
    office.receive(a_result("r1", encounter_id="9"))
    judge_orphans(office.id, ["r1"])
    assert Gap.objects.get(code="G17").closed_by == "data"
    assert Link.objects.get(record_id="r1").state == "linked"


def paid_before(office: Office, dollars: int) -> None:
    """Twenty settled visits, paid `dollars` and up to nineteen more each."""
    old = WEDNESDAY - 40 * DAY
    for n in range(20):
        office.receive(
            an_appointment(f"{500 + n}", status="4", patient_id=f"p{n}", date=old),
            a_claim(f"{600 + n}", appointment_id=f"{500 + n}", primary_status="CLOSED", service_date=old),
            a_line(f"{700 + n}", f"{600 + n}", "180", payments=str(dollars + n), outstanding="0"),
        )


def test_what_the_practice_was_paid_before_prices_what_it_is_owed_now(office: Office) -> None:
    paid_before(office, 70)
    keep(office.id, learn(office.id))
    office.receive(*VISIT)
    gap = office.gaps("100")["G13"]
    assert (str(gap.at_risk), gap.estimator) == ("79.50", "E4")


def test_dollars_follow_when_what_they_lean_on_has_moved_noticeably(office: Office) -> None:
    paid_before(office, 70)
    keep(office.id, learn(office.id))
    office.receive(*VISIT, an_appointment("101", status="x"))

    paid_before(office, 72)
    assert (keep(office.id, learn(office.id)), due_in(office.id, clock.now(), 10)) == (False, [])

    paid_before(office, 140)
    assert keep(office.id, learn(office.id))
    assert due_in(office.id, clock.now(), 10) == [office.visit("100").pk]
    judge_visits(office.id, due_in(office.id, clock.now(), 10), Evidence())
    assert str(office.gaps("100")["G13"].at_risk) == "149.50"


def test_the_tick_has_a_practice_learn_anew_once_its_lesson_is_old(office: Office) -> None:
    assert due_to_learn(clock.now() + DAY) == []  # never judged
    office.receive(*VISIT)
    assert due_to_learn(clock.now()) == []
    assert due_to_learn(clock.now() + DAY) == [office.id]


def test_a_later_gap_steps_back_when_an_earlier_link_breaks_too(office: Office) -> None:
    """One open gap of a visit is the first at any instant: the table holds no two."""
    office.receive(*VISIT)
    office.receive(an_appointment("100", encounter_id="9"), an_encounter("9", status="REVIEW"))
    office.receive(*VISIT, a_claim("40", appointment_id="100", primary_status="HOLD"))
    office.receive(
        an_appointment("100", encounter_id="9", status="4"), an_encounter("9", status="OPEN", closed_on=None)
    )
    firsts = [gap.code for gap in office.gaps("100").values() if gap.primary]
    assert firsts == ["G11"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Gap.objects.filter(closed_at=None).update(primary=True)


def test_a_claim_that_comes_into_review_changes_the_verdict_of_the_visits_it_is_offered_to(
    office: Office,
) -> None:
    """D10, although neither visit has changed; and again when an appointment claims it."""
    office.receive(*VISIT, an_appointment("101", encounter_id="10"), an_encounter("10"))
    office.receive(a_claim("40"))
    assert [office.gaps(id)["G13"].verdict for id in ("100", "101")] == ["suspect_sync", "suspect_sync"]

    office.receive(a_claim("40", appointment_id="100"))
    assert "suspect_sync" not in {gap.verdict for gap in Gap.objects.filter(closed_at=None)}
