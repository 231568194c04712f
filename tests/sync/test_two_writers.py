"""Feeds of one practice are landed side by side, also where they write the same rows."""

from __future__ import annotations

import threading
from decimal import Decimal
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from athena_dash.records.facts import ChargeFact, Fact, Sourced, TransactionFact
from athena_dash.records.models import ChargeLine
from athena_dash.records.upsert import upsert
from athena_dash.sync import landing
from tests.core.waiting import eventually


def step(errors: list[Exception]):
    def run() -> None:
        if errors:
            raise OperationalError("the database said no") from errors.pop()

    return run


def test_a_writer_that_postgresql_ended_for_another_tries_again() -> None:
    errors: list[Exception] = [DeadlockDetected(), DeadlockDetected()]
    landing.insist(step(errors))
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_feeds_that_add_one_line_at_the_same_time_both_have_their_say(practice, as_of) -> None:
    def write(fact: Fact) -> None:
        with transaction.atomic():
            upsert(practice.pk, [Sourced(fact, 1, as_of)])

    def land_beside() -> None:
        try:
            landing.insist(
                partial(write, TransactionFact(external_id="1", claim_id="301", payments=Decimal(9)))
            )
        finally:
            connection.close()

    beside = threading.Thread(target=land_beside)
    with transaction.atomic():
        write(ChargeFact(external_id="1", claim_id="301", amount=Decimal(20)))
        beside.start()
        assert eventually(somebody_is_kept_waiting)
    beside.join(20)
    assert ChargeLine.objects.values_list("amount", "payments").get() == (20, 9)


def somebody_is_kept_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_locks where not granted)")
        return bool(cursor.fetchone()[0])


def test_a_writer_does_not_try_for_ever() -> None:
    errors: list[Exception] = [DeadlockDetected() for _ in range(9)]
    with pytest.raises(OperationalError):
        landing.insist(step(errors))
    assert errors


def test_any_other_refusal_is_not_tried_again() -> None:
    errors: list[Exception] = [LockNotAvailable(), LockNotAvailable()]
    with pytest.raises(OperationalError):
        landing.insist(step(errors))
    assert len(errors) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("feed", "waits"), [("claims", True), ("transactions", False)])
def test_two_landings_of_one_feed_take_turns_and_those_of_two_do_not(feed: str, waits: bool) -> None:
    done = threading.Event()

    def land_beside() -> None:
        try:
            with transaction.atomic():
                landing.lock(7, [feed])
            done.set()
        finally:
            connection.close()

    with transaction.atomic():
        landing.lock(7, ["claims"])
        beside = threading.Thread(target=land_beside)
        beside.start()
        assert done.wait(0.5 if waits else 20) is not waits
    beside.join()
    assert done.is_set()
