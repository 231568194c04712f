from __future__ import annotations

import gzip
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from integrations.athena.calls import Call, Effect
from integrations.athena.classify import classify, retry_after
from integrations.athena.errors import (
    AthenaError,
    ConfigError,
    Forbidden,
    Gone,
    InvalidResponse,
    RateLimited,
    RequestRejected,
    SubscriptionMissing,
    TransientError,
    Unauthorized,
    UnknownOutcome,
)
from integrations.athena.transport import Policy
from tests.integrations.rig import Rig, answer, body

EMPTY = {"claims": [], "totalcount": 0}
NOON = datetime(2026, 3, 11, 12, 0, 20, tzinfo=UTC)
READ = Call("GET /claims", "195900")
WRITE = Call("POST /claims/changed/subscription", "195900", Effect.WRITE)
TOKEN = Call("POST /oauth2/v1/token", "195900", Effect.TOKEN)


@pytest.mark.parametrize(
    ("call", "status", "text", "expected"),
    [
        (READ, 200, '{"claims":[]}', None),
        (READ, 200, "\n\n[]", None),
        (READ, 200, "<html>Login</html>", InvalidResponse),
        (READ, 200, "", InvalidResponse),
        (READ, 200, "pong", InvalidResponse),
        (READ, 302, "", ConfigError),
        (READ, 400, '\n\n{"error":"The data provided is invalid."}', RequestRejected),
        (READ, 400, '{"details":"Could not determine what practice the request was for."}', ConfigError),
        (READ, 401, '{"error":"Invalid Access Token."}', Unauthorized),
        (READ, 401, "", Unauthorized),
        (READ, 401, '{"error":"Incorrect permissions."}', Forbidden),
        (
            READ,
            403,
            '{"error":"Changed messages require setup (subscription) that has not been done."}',
            SubscriptionMissing,
        ),
        (READ, 403, "<h1>Forbidden</h1>", Forbidden),
        (READ, 404, '{"error":"Invalid practice."}', ConfigError),
        (READ, 404, "Service not registered with API gateway.", ConfigError),
        (READ, 404, "<html>nginx</html>", ConfigError),
        (READ, 404, '{"error":"The claim does not exist."}', Gone),
        (WRITE, 404, '{"error":"This appointment has already been checked in."}', RequestRejected),
        (READ, 409, '{"error":"already booked"}', RequestRejected),
        (READ, 429, "<html>", RateLimited),
        (READ, 500, "", TransientError),
        (READ, 503, "<html>Bad gateway", TransientError),
        (TOKEN, 401, '{"error":"access_denied"}', ConfigError),
        (TOKEN, 429, "", RateLimited),
        (TOKEN, 503, "", TransientError),
    ],
)
def test_every_known_answer_has_its_meaning(
    call: Call, status: int, text: str, expected: type[AthenaError] | None
) -> None:
    error = classify(call, status, httpx.Headers(), text.encode(), NOON)
    assert type(error) is (expected or type(None))


def test_no_message_repeats_the_body() -> None:
    for status in (200, 302, 400, 401, 403, 404, 409, 429, 500, 599):
        error = classify(READ, status, httpx.Headers(), b"<p>JANE ROE 01/02/1950</p>", NOON)
        assert error is not None
        assert "ROE" not in str(error)


def test_a_token_limit_lasts_to_the_end_of_the_minute() -> None:
    error = classify(TOKEN, 429, httpx.Headers({"x-ratelimit-remaining": "0"}), b"", NOON)
    assert error is not None
    assert error.retry_after == 40


def test_a_spent_daily_quota_lasts_to_midnight_gmt() -> None:
    error = classify(READ, 429, httpx.Headers({"X-RateLimit-Remaining": "0"}), b"", NOON)
    assert error is not None
    assert error.retry_after == 12 * 3600 - 20


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("Wed, 11 Mar 2026 12:01:20 GMT", 60),
        ("Wed, 11 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-1", None),
        ("9" * 400, 86400),
        (None, None),
    ],
)
def test_retry_after_is_read_in_both_spellings(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOON) == seconds


def test_a_read_is_repeated_until_it_is_answered() -> None:
    rig = Rig(body("", 503), httpx.ReadTimeout("slow"), answer(EMPTY, x_request_id="rrt-1"))
    (page,) = rig.athena.pages("claims")
    assert page.request_id == "rrt-1"
    assert [record.outcome for record in rig.watch.records] == ["retry", "retry", "ok"]
    assert [record.attempt for record in rig.watch.records] == [1, 2, 3]
    assert rig.pace.acquired == 3


def test_attempts_are_bounded() -> None:
    rig = Rig(body("", 503), policy=Policy(attempts=3, first_wait=0.0, longest_wait=0.0))
    with pytest.raises(TransientError):
        rig.athena.ping()
    assert len(rig.asked) == 3


def test_a_rate_limited_call_waits_as_asked_and_slows_everyone() -> None:
    rig = Rig(body("", 429, retry_after="0"), body("", 429), answer(EMPTY))
    list(rig.athena.pages("claims"))
    assert len(rig.pace.penalties) == 2


def test_a_wait_beyond_patience_is_left_to_the_caller() -> None:
    rig = Rig(body("", 429, retry_after="3600"))
    with pytest.raises(RateLimited) as limited:
        rig.athena.ping()
    assert limited.value.retry_after == 3600
    assert len(rig.asked) == 1


@pytest.mark.parametrize(
    "lost",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        httpx.ReadError("cut"),
        body("", 500),
        body("<html>", 200),
        body('{"claims":[{"claimid":"1"},', 200),
        answer({"patients": []}),
    ],
)
def test_a_consuming_read_whose_answer_is_lost_is_not_repeated(lost: httpx.Response | Exception) -> None:
    rig = Rig(lost)
    with pytest.raises(UnknownOutcome):
        list(rig.athena.changed("claims"))
    assert len(rig.asked) == 1


@pytest.mark.parametrize(
    "harmless", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), body("", 429)]
)
def test_a_consuming_read_that_had_no_effect_is_repeated(harmless: httpx.Response | Exception) -> None:
    rig = Rig(harmless, answer(EMPTY))
    assert list(rig.athena.changed("claims")) == []
    assert len(rig.asked) == 2


def test_reading_processed_messages_again_consumes_nothing_and_is_repeated() -> None:
    rig = Rig(httpx.ReadTimeout("slow"), answer(EMPTY))
    window = (datetime(2026, 7, 5, 16, tzinfo=UTC), datetime(2026, 7, 5, 17, tzinfo=UTC))
    list(rig.athena.changed("claims", processed_between=window))
    assert "showprocessedstartdatetime=07%2F05%2F2026+12%3A00%3A00" in rig.asked[-1]


def test_a_write_is_not_repeated_after_it_may_have_worked() -> None:
    rig = Rig(httpx.ReadTimeout("slow"))
    with pytest.raises(UnknownOutcome):
        rig.athena.subscriptions.start("claims")
    assert len(rig.asked) == 1


def test_an_answer_beyond_the_limit_is_refused_by_its_stated_length() -> None:
    rig = Rig(body(b"[" + b" " * 3_000_000 + b"]"), policy=Policy(largest_body=2_000_000))
    with pytest.raises(InvalidResponse, match="larger than 1 MB"):
        rig.athena.ping()


def test_an_answer_that_swells_when_decompressed_is_refused() -> None:
    bomb = gzip.compress(b" " * 3_000_000)

    def swell(request: httpx.Request) -> httpx.Response:
        class Chunks(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield bomb

        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks())

    with pytest.raises(InvalidResponse, match="larger"):
        Rig(swell, policy=Policy(largest_body=2_000_000)).athena.ping()


def test_a_compressed_answer_is_read_once() -> None:
    packed = gzip.compress(b'{"claims":[{"claimid":"1"}]}')

    def serve(request: httpx.Request) -> httpx.Response:
        class Chunks(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield packed

        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks())

    (page,) = Rig(serve).athena.pages("claims")
    assert page.items == (b'{"claimid":"1"}',)


def test_a_body_that_breaks_off_is_asked_for_again() -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        class Chunks(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield b'{"claims":['
                raise httpx.ReadError("reset")

        return httpx.Response(200, stream=Chunks())

    rig = Rig(break_off, answer(EMPTY))
    list(rig.athena.pages("claims"))
    assert [record.outcome for record in rig.watch.records] == ["retry", "ok"]


def test_a_bad_certificate_is_a_matter_of_configuration() -> None:
    fault = httpx.ConnectError("tls")
    fault.__cause__ = ssl.SSLCertVerificationError("self-signed")
    rig = Rig(fault)
    with pytest.raises(ConfigError, match="certificate"):
        rig.athena.ping()
    assert len(rig.asked) == 1


def test_observers_see_templates_and_never_ids_or_parameters() -> None:
    rig = Rig(answer({"insurances": [], "totalcount": 0}, x_ratelimit_remaining="49896"))
    list(rig.athena.insurances("4711"))
    (record,) = rig.watch.records
    assert record.endpoint == "GET /patients/{patientid}/insurances"
    assert record.quota_left == 49896
    assert "4711" not in repr(record)


def test_errors_carry_the_template_the_status_and_the_request_id() -> None:
    with pytest.raises(Gone) as gone:
        Rig(answer({"error": "no"}, 404, x_request_id="rrt-9")).athena.claim("4711")
    assert (gone.value.endpoint, gone.value.status, gone.value.request_id) == (
        "GET /claims/{claimid}",
        404,
        "rrt-9",
    )
    assert "4711" not in str(gone.value)
