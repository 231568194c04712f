"""Whatever goes wrong has a reason, one open row, a group and a next try."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import django.db
import pytest
import redis
from django.db import connection, transaction

from athena_dash.core import clock
from athena_dash.sync import failures
from athena_dash.sync.failures import Problem, Subject, fingerprint, next_try, record, understand
from athena_dash.sync.models import Attempt, Failure, Reason, Stage
from athena_dash.sync.normalise.context import Unmapped
from integrations.athena import errors
from tests.sync.athena import NOW


def subclasses(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def made(kind: type[errors.AthenaError]) -> errors.AthenaError:
    if issubclass(kind, errors.InvalidPayload):
        return kind("claims[0].amount", "is not an amount")
    try:
        return kind("it said no", status=418, request_id="r-1", retry_after=7.0)
    except TypeError:  # sync's own, which know their words
        return kind()


def a_problem(message: str = "it failed", **fields: object) -> Problem:
    return Problem(**({"reason": Reason.TRANSIENT, "code": "503", "message": message} | fields))  # type: ignore[arg-type]


def tried(stage: Stage, attempts: int = 1, record_id: str = "301") -> Failure:
    return Failure(stage=stage, attempts=attempts, record_id=record_id)


def a_subject(practice, **fields: object) -> Subject:
    return Subject(**({"practice_id": practice.pk, "kind": "raw", "id": "1"} | fields))  # type: ignore[arg-type]


# -- reasons -------------------------------------------------------------------------------------------


def test_every_error_of_the_connector_has_a_reason_that_is_not_our_bug() -> None:
    kinds = list(subclasses(errors.AthenaError))
    assert len(kinds) >= 11
    for kind in kinds:
        problem = understand(made(kind))
        assert problem.reason != Reason.BUG, kind
        assert problem.message
        assert problem.code


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errors.TransientError("x"), Reason.TRANSIENT),
        (errors.RateLimited("x"), Reason.RATE_LIMITED),
        (errors.Unauthorized("x"), Reason.AUTH),
        (errors.Forbidden("x"), Reason.AUTH),
        (errors.ConfigError("x", status=401, endpoint="POST /oauth2/v1/token"), Reason.AUTH),
        (errors.ConfigError("x"), Reason.CONFIG),
        (errors.SubscriptionMissing("x"), Reason.CONFIG),
        (errors.InvalidResponse("x"), Reason.INVALID),
        (errors.InvalidPayload("a", "b"), Reason.INVALID),
        (errors.RequestRejected("x"), Reason.INVALID),
        (errors.Gone("x"), Reason.GONE),
        (errors.UnknownOutcome("x"), Reason.UNKNOWN_OUTCOME),
        (Unmapped("status", "Claim status", "ZHOLD"), Reason.UNMAPPED),
        (django.db.IntegrityError(), Reason.CONFLICT),
        (django.db.DataError(), Reason.INVALID),
        (django.db.OperationalError(), Reason.TRANSIENT),
        (django.db.InterfaceError(), Reason.TRANSIENT),
        (django.db.ProgrammingError(), Reason.BUG),
        (redis.ConnectionError(), Reason.TRANSIENT),
        (redis.TimeoutError(), Reason.TRANSIENT),
        (ZeroDivisionError("Mara Quill, 04/09/1971"), Reason.BUG),
        (KeyError("Mara Quill"), Reason.BUG),
    ],
)
def test_an_exception_has_the_reason_a_person_would_give_it(error: Exception, reason: Reason) -> None:
    assert understand(error).reason == reason


def test_no_error_of_the_database_or_of_ours_repeats_the_words_it_was_raised_with() -> None:
    for kind in (
        django.db.Error,
        *subclasses(django.db.DatabaseError),
        redis.ResponseError,
        OSError,
        TypeError,
    ):
        if kind.__module__ != "django.db.models.deletion":
            assert "Mara" not in understand(kind("Mara Quill")).message


def test_an_unexpected_error_says_where_it_happened_and_nothing_of_what_it_held() -> None:
    try:
        failures.fingerprint("pull", "claims", None)  # type: ignore[arg-type]
    except AttributeError as error:
        said = understand(error).message
    assert "AttributeError in athena_dash.sync.failures:" in said
    assert "Mara" not in understand(ValueError("Mara Quill")).message


def test_a_value_too_large_for_an_index_is_the_records_fault(practice) -> None:
    with pytest.raises(django.db.OperationalError) as raised, transaction.atomic():
        Failure.objects.create(
            **dict.fromkeys(("stage", "subject_kind", "reason", "message", "fingerprint"), "x"),
            practice=practice,
            subject_id="".join(chr(0x4E00 + n % 20000) for n in range(30_000)),
            first_seen=NOW,
            last_seen=NOW,
        )
    assert understand(raised.value).reason == Reason.INVALID


# -- groups --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("claim 301 refused", "claim 99417 refused"),
        ("not before 03/11/2026", "not before 12/01/2025"),
        ("2026-03-11T15:00:00Z is late", "2025-01-01T00:00:00Z is late"),
        ("Appointment status 'q' is not known", "Appointment status 'zz' is not known"),
        ('no patient "Mara Quill"', 'no patient "Ivo Lind"'),
        ("a-195900.E-7 has no name", "a-11287.E-60178 has no name"),
    ],
)
def test_ids_dates_and_quoted_names_do_not_tell_groups_apart(one: str, other: str) -> None:
    assert fingerprint("pull", "claims", a_problem(one)) == fingerprint("pull", "claims", a_problem(other))


def test_stage_feed_reason_code_words_and_field_do() -> None:
    prints = {
        fingerprint("pull", "claims", a_problem()),
        fingerprint("upsert", "claims", a_problem()),
        fingerprint("pull", "patients", a_problem()),
        fingerprint("pull", "claims", a_problem(reason=Reason.AUTH)),
        fingerprint("pull", "claims", a_problem(code="500")),
        fingerprint("pull", "claims", a_problem("it stopped")),
        fingerprint("pull", "claims", a_problem(field="status")),
    }
    assert len(prints) == 7
    assert all(one.startswith("v1:") for one in prints)


def test_the_place_in_a_list_does_not_tell_groups_apart() -> None:
    first, second = (a_problem(field=f"procedures[{n}].chargeamount") for n in (0, 17))
    assert fingerprint("normalise", "claims", first) == fingerprint("normalise", "claims", second)


# -- next try ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", list(failures.BACKOFF))
def test_waits_grow_within_their_bounds_and_end_with_a_person(reason: str) -> None:
    steps = failures.BACKOFF[reason]
    for attempt, step in enumerate(steps, start=1):
        for _ in range(20):
            wait = next_try(tried(Stage.UPSERT, attempt), a_problem(reason=reason), NOW) - NOW
            assert step / 2 <= wait <= step
    assert next_try(tried(Stage.UPSERT, len(steps) + 1), a_problem(reason=reason), NOW) is None


def test_a_record_that_breaks_the_contract_waits_for_a_person() -> None:
    assert next_try(tried(Stage.NORMALISE), a_problem(reason=Reason.INVALID), NOW) is None


def test_a_record_without_its_own_id_is_asked_for_again() -> None:
    nameless = tried(Stage.NORMALISE, record_id="")
    assert next_try(nameless, a_problem(reason=Reason.INVALID), NOW) is not None


def test_an_answer_nobody_could_read_is_asked_for_again() -> None:
    assert next_try(tried(Stage.PULL), a_problem(reason=Reason.INVALID), NOW) is not None


def test_nothing_is_tried_before_athena_wants_it() -> None:
    wait = next_try(tried(Stage.PULL), a_problem(reason=Reason.RATE_LIMITED, retry_after=5000.0), NOW) - NOW
    assert wait == dt.timedelta(seconds=5000)


# -- rows ----------------------------------------------------------------------------------------------


def test_a_second_failure_of_the_same_subject_is_one_more_attempt_on_its_row(practice) -> None:
    first = record(Stage.PULL, a_subject(practice), errors.TransientError("down", request_id="r-1"))
    again = record(Stage.PULL, a_subject(practice), errors.RateLimited("slow down"))
    assert (first.pk, again.attempts, again.reason) == (again.pk, 2, Reason.RATE_LIMITED)
    assert again.first_seen <= again.last_seen
    assert list(again.tries.order_by("pk").values_list("outcome", "message", "request_id")) == [
        ("failed", "down", "r-1"),
        ("failed", "slow down", ""),
    ]


def test_a_failure_that_comes_back_after_it_was_resolved_is_a_new_row(practice) -> None:
    first = record(Stage.PULL, a_subject(practice), errors.TransientError("down"))
    assert failures.resolve(practice.pk, [Stage.PULL], "raw", ["1"], "retried") == 1
    assert record(Stage.PULL, a_subject(practice), errors.TransientError("down")).pk != first.pk
    first.refresh_from_db()
    assert (first.resolution, first.next_try_at) == ("retried", None)


def test_stages_fail_independently(practice) -> None:
    record(Stage.PULL, a_subject(practice), errors.TransientError("down"))
    record(Stage.UPSERT, a_subject(practice), django.db.DataError())
    assert failures.resolve(practice.pk, [Stage.PULL], "raw", ["1"], "retried") == 1
    assert Failure.objects.filter(resolved_at=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_fail_at_once_share_one_open_row() -> None:
    from athena_dash.practices.models import Practice

    practice = Practice.objects.create(slug="riverside", name="Riverside", athena_id="195900")
    together = threading.Barrier(2)

    def fail() -> None:
        try:
            together.wait(5)
            record(Stage.PULL, a_subject(practice), errors.TransientError("down"))
        finally:
            connection.close()

    with clock.frozen(NOW):
        workers = [threading.Thread(target=fail) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(10)
    assert [failure.attempts for failure in Failure.objects.all()] == [2]
    assert Attempt.objects.count() == 2
