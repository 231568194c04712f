"""Where a department's day lacks far more than the department usually does, it is rather our sync than many people."""

from __future__ import annotations

import datetime as dt

import pytest

from athena_dash.core import clock
from athena_dash.correlation import cohorts
from athena_dash.correlation.cohorts import Cohort, is_outlier, surprise
from athena_dash.correlation.models import Cohorts, Gap, Visit
from athena_dash.practices.models import Practice
from athena_dash.records.models import Provider
from athena_dash.sync import pipeline
from tests.builders import DAY
from tests.correlation.casebook import MONDAY, a_visit, at, gaps, note, seen

OUTAGE = dt.date(2026, 3, 4)


def test_the_tail_is_the_binomials() -> None:
    assert surprise(0, 10, 0, 18) == pytest.approx(1)
    assert surprise(3, 3, 9, 18) == pytest.approx(0.125)  # a half, three times
    assert surprise(10, 10, 0, 98) == pytest.approx(1e-20)


def a_cohort(lacking: int, visits: int, usually: int, usual_visits: int) -> Cohort:
    return Cohort(
        feed="claims",
        department_id="1",
        day=OUTAGE,
        department="Main Street",
        lacking=lacking,
        visits=visits,
        usual_visits=usual_visits,
        usually_lacking=usually,
    )


def test_far_above_its_own_baseline_is_an_outlier_and_nothing_else_is() -> None:
    assert is_outlier(a_cohort(9, 10, 20, 400), asked=0)
    assert not is_outlier(a_cohort(5, 40, 20, 400), asked=0), "a bad day, but one of many like it"
    assert not is_outlier(a_cohort(9, 10, 380, 400), asked=0), "this department never charges"
    assert not is_outlier(a_cohort(9, 10, 0, 10), asked=0), "nobody knows what is usual here"
    assert not is_outlier(a_cohort(9, 10, 20, 400), asked=2), "athena says that two of them are truly missing"


def days(practice: Practice, day: dt.date, visits: int, lacking: int, provider: str = "") -> list[Visit]:
    """Visits of one department's day, some with an open missing slip."""
    made = Visit.objects.bulk_create(
        Visit(
            practice=practice,
            anchor="appointment",
            anchor_id=f"{day}-{provider}-{n}",
            provider_id=provider,
            department_id="1",
            service_date=day,
        )
        for n in range(visits)
    )
    now = clock.now()
    Gap.objects.bulk_create(
        Gap(
            practice=practice,
            visit=visit,
            code="G13",
            primary=True,
            owner="provider",
            verdict="not_billed",
            needs_feed="claims",
            since=now,
            opened_at=now,
        )
        for visit in made[:lacking]
    )
    return list(made[:lacking])


@pytest.fixture
def outage(db: None, as_of: dt.datetime) -> list[Visit]:
    """Eight visits a day, one of which lacks its claim; and a day on which seven do."""
    practice = Practice.objects.create(slug="riverside", name="Riverside", athena_id="195900")
    for back in range(1, 20):
        days(practice, OUTAGE - back * DAY, visits=8, lacking=back % 2)
    return days(practice, OUTAGE, visits=8, lacking=7)


def test_an_outlying_day_is_found_kept_and_its_visits_become_due(outage: list[Visit]) -> None:
    practice_id = outage[0].practice_id
    assert pipeline.compare_days(practice_id)
    assert set(cohorts.cohorts_of(practice_id)) == {("claims", "1", "", OUTAGE)}
    (sentence,) = cohorts.cohorts_of(practice_id).values()
    assert sentence == "7 of 8 visits in 1 on Mar 4 lack this; in the eight weeks before, 7% did"
    due = Visit.objects.filter(reconsider_at__isnull=False)
    assert set(due.values_list("pk", flat=True)) == {visit.pk for visit in outage}
    assert not pipeline.compare_days(practice_id), "found again, and nobody is disturbed"


def test_two_members_that_athena_has_none_of_end_the_suspicion(outage: list[Visit]) -> None:
    practice_id = outage[0].practice_id
    pipeline.compare_days(practice_id)
    Gap.objects.filter(visit__in=outage[:2]).update(asked_at=clock.now())
    assert pipeline.compare_days(practice_id)
    assert cohorts.cohorts_of(practice_id) == {}


def test_a_practice_is_compared_again_after_a_while_and_only_while_something_is_open(
    outage: list[Visit],
) -> None:
    practice_id, now = outage[0].practice_id, clock.now()
    assert cohorts.due_to_compare(now) == [practice_id]
    pipeline.compare_days(practice_id)
    assert cohorts.due_to_compare(now) == []
    assert cohorts.due_to_compare(now + cohorts.EVERY) == [practice_id]
    Gap.objects.update(closed_at=now)
    assert cohorts.due_to_compare(now + cohorts.EVERY) == []
    assert Cohorts.objects.count() == 1


def test_d6_a_gap_of_the_cohort_is_suspect_and_names_it_unless_athena_was_asked() -> None:
    from athena_dash.correlation.verdict import Evidence

    visit = a_visit(seen("3"), note())
    assert visit.service_date
    key = ("claims", visit.department_id, "", visit.service_date)
    late = at(MONDAY + 7 * DAY)
    told = gaps(visit, late, Evidence(cohorts={key: "7 of 8 visits"}))["G13"].judgement
    assert (told.verdict, told.says) == (
        "suspect_sync",
        ({"signal": "D6", "says": "7 of 8 visits", "whose": "department"},),
    )
    asked = Evidence(cohorts={key: "7 of 8 visits"}, asked={("claim", visit.id): late})
    assert gaps(visit, late, asked)["G13"].judgement.verdict == "not_billed"


@pytest.fixture
def absent(db: None, as_of: dt.datetime) -> list[Visit]:
    """Two providers of one department, eight visits a day each; on one day seven of 75's lack their claims, and so does
    one of the twenty-four others' in that department."""
    practice = Practice.objects.create(slug="riverside", name="Riverside", athena_id="195900")
    for back in range(1, 20):
        days(practice, OUTAGE - back * DAY, visits=8, lacking=back % 2, provider="75")
        days(practice, OUTAGE - back * DAY, visits=24, lacking=back % 4, provider="71")
    days(practice, OUTAGE, visits=24, lacking=1, provider="71")
    return days(practice, OUTAGE, visits=8, lacking=7, provider="75")


def test_one_providers_day_stands_out_while_the_neighbours_have_their_claims(absent: list[Visit]) -> None:
    practice_id = absent[0].practice_id
    Provider.objects.create(
        practice_id=practice_id, external_id="75", display_name="Ida Brandt MD", fetched_at=clock.now()
    )
    assert pipeline.compare_days(practice_id)
    assert cohorts.cohorts_of(practice_id) == {
        ("claims", "1", "75", OUTAGE): (
            "7 of 8 visits of Ida Brandt MD in 1 on Mar 4 lack this; in the eight weeks before, 7% did"
        )
    }
    due = Visit.objects.filter(reconsider_at__isnull=False)
    assert set(due.values_list("pk", flat=True)) == {visit.pk for visit in absent}


def test_a_departments_day_speaks_for_all_its_providers(absent: list[Visit]) -> None:
    practice = absent[0].practice
    days(practice, OUTAGE, visits=12, lacking=12, provider="71x")
    days(practice, OUTAGE - DAY, visits=12, lacking=0, provider="71x")
    days(practice, OUTAGE - 2 * DAY, visits=12, lacking=0, provider="71x")
    pipeline.compare_days(practice.pk)
    assert {key[2] for key in cohorts.cohorts_of(practice.pk)} == {""}


def test_what_was_found_before_providers_were_compared_still_reads() -> None:
    old = [
        {
            "feed": "claims",
            "department_id": "1",
            "day": "2026-03-04",
            "department": "Main Street",
            "lacking": 7,
            "visits": 8,
            "usual_visits": 100,
            "usually_lacking": 5,
        }
    ]
    assert set(cohorts.in_words([(old,)])) == {("claims", "1", "", OUTAGE)}


def test_d6_a_gap_of_a_providers_day_is_suspect_and_another_providers_is_not() -> None:
    from athena_dash.correlation.verdict import Evidence

    visit = a_visit(seen("3"), note())
    assert visit.service_date
    late = at(MONDAY + 7 * DAY)
    own = Evidence(cohorts={("claims", visit.department_id, visit.provider_id, visit.service_date): "7 of 8"})
    told = gaps(visit, late, own)["G13"].judgement
    assert (told.verdict, told.says[0]["whose"]) == ("suspect_sync", "provider")
    other = Evidence(cohorts={("claims", visit.department_id, "another", visit.service_date): "7 of 8"})
    assert gaps(visit, late, other)["G13"].judgement.verdict == "unverified"
