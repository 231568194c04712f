"""Feeds of one practice are landed side by side, also where they write the same rows."""

from __future__ import annotations

import threading

import pytest
from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from athena_dash.sync import landing


def step(errors: list[Exception]):
    def run() -> None:
        if errors:
            raise OperationalError("the database said no") from errors.pop()

    return run


def test_a_writer_that_postgresql_ended_for_another_tries_again() -> None:
    errors: list[Exception] = [DeadlockDetected(), DeadlockDetected()]
    landing.insist(step(errors))
    assert errors == []


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
