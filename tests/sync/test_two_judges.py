"""Visits that wait are judged in parts, by whoever is free, and each once."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from athena_dash.core import clock
from athena_dash.correlation.models import Visit
from athena_dash.sync import jobs, pipeline, waiting
from athena_dash.sync.models import Touched


@pytest.fixture
def visits(practice) -> list[int]:
    made = [
        Visit.objects.create(practice=practice, anchor=Visit.Anchor.APPOINTMENT, anchor_id=str(number))
        for number in range(5)
    ]
    return [visit.pk for visit in made]


@pytest.fixture(autouse=True)
def parts_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PART", 2)


def waits() -> list[list[int]]:
    return [[int(pk) for pk in row.ids] for row in Touched.objects.order_by("pk")]


def wait(practice, visits) -> None:
    with transaction.atomic():
        waiting.add_visits(practice.pk, visits, clock.now())


def test_parts_share_no_visit_also_with_those_that_waited_before(practice, visits) -> None:
    first, second, third, fourth, fifth = visits
    wait(practice, {third, first})
    assert waits() == [[first, third]]
    wait(practice, {fifth, third, second})
    assert waits() == [[first, second], [third, fifth]]


def test_each_visit_is_judged_once_and_waits_no_longer(practice, visits, monkeypatch) -> None:
    judged: list[int] = []
    judge = pipeline.correlation.judge_visits

    def note(practice_id, ids, evidence):
        judged.extend(ids)
        return judge(practice_id, ids, evidence)

    monkeypatch.setattr(pipeline.correlation, "judge_visits", note)
    wait(practice, visits)
    assert pipeline.judge_waiting(practice.pk) == set(visits)
    assert sorted(judged) == visits
    assert not Visit.objects.filter(judged_at=None).exists()
    assert waits() == []


def test_a_run_that_leaves_more_than_one_part_wakes_a_second_judge(practice, visits, monkeypatch) -> None:
    woken: list[object] = []
    monkeypatch.setattr(jobs, "wake", lambda queue, work, *ids: woken.append((work, *ids)))
    wait(practice, visits[:2])
    jobs.relate(practice.pk)
    assert woken == []
    wait(practice, visits)
    jobs.relate(practice.pk)
    assert woken == [(jobs.judge_practice, practice.pk)]
    assert waits() == []


@pytest.mark.django_db(transaction=True)
def test_a_part_that_another_judge_has_is_waited_for_and_taken_over_when_he_dies(practice, visits) -> None:
    wait(practice, visits[:4])
    has, dies = threading.Event(), threading.Event()

    def judge_beside() -> None:
        try:
            with transaction.atomic():
                pipeline.share(practice.pk)
                waiting.claim(practice.pk)
                has.set()
                dies.wait(20)
                transaction.set_rollback(True)
        finally:
            connection.close()

    beside = threading.Thread(target=judge_beside)
    beside.start()
    assert has.wait(20)
    assert pipeline.judge_part(practice.pk) == set(visits[2:4])
    assert pipeline.judge_part(practice.pk) is None
    threading.Timer(0.3, dies.set).start()
    assert pipeline.judge_waiting(practice.pk) == set(visits[:2])
    beside.join()
    assert waits() == []


@pytest.mark.django_db(transaction=True)
def test_whoever_moves_links_waits_for_the_judges(practice, visits) -> None:
    wait(practice, visits[:2])
    with transaction.atomic():
        pipeline.share(practice.pk)
        free: list[bool] = []

        def look() -> None:
            try:
                free.append(pipeline.is_free(practice.pk))
            finally:
                connection.close()

        beside = threading.Thread(target=look)
        beside.start()
        beside.join()
    assert free == [False]
    assert pipeline.is_free(practice.pk)
