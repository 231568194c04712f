# ruff: noqa: DTZ001 - v1 sends wall-clock times without a zone
from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.athena import values
from integrations.athena.values import EASTERN
from integrations.athena.wire import filled, parameter, processed_window

READERS = (
    values.athena_id,
    values.text,
    values.money,
    values.whole,
    values.flag,
    values.us_date,
    values.us_datetime,
    values.clock_time,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refusal(reader: Callable[[object], object], value: object) -> str:
    try:
        reader(value)
    except ValueError as error:
        return str(error)
    return ""


@given(anything)
def test_a_reader_refuses_what_it_cannot_read_without_repeating_it(value: object) -> None:
    for reader in READERS:
        complaint = refusal(reader, value)
        assert not (isinstance(value, str) and len(value) > 12 and value in complaint)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_money_is_the_same_as_text_and_as_a_json_number(amount: Decimal) -> None:
    assert values.money(str(amount)) == amount
    assert values.money(float(amount)) == amount


@pytest.mark.parametrize(
    ("spelt", "amount"),
    [(".01", "0.01"), (42.71, "42.71"), ("225", "225"), ("-25.15", "-25.15"), (0, "0"), (" 7. ", "7")],
)
def test_money_in_every_recorded_spelling(spelt: object, amount: str) -> None:
    assert values.money(spelt) == Decimal(amount)


@pytest.mark.parametrize("spelt", ["NaN", "1e5", "$3", "1,000", True, float("inf"), [], "٣"])
def test_money_is_refused_rather_than_guessed(spelt: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        values.money(spelt)


@pytest.mark.parametrize("nobody", [None, "", "0", 0, " "])
def test_zero_and_nothing_are_no_id(nobody: object) -> None:
    assert values.athena_id(nobody) is None


def test_an_id_is_text_whether_sent_as_number_or_text() -> None:
    assert values.athena_id(1442) == values.athena_id("1442") == "1442"
    assert values.athena_id("-5") == "-5"  # cancelreasonid of a cancellation from the API


@pytest.mark.parametrize("bad", [12.0, True, "../7", "7\x00", "a b", 10**40, {}])
def test_what_is_no_id_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="id"):
        values.athena_id(bad)


def test_yes_and_no_in_every_recorded_spelling() -> None:
    assert [values.flag(v) for v in (True, "true", "Y", "ON", 1)] == [True] * 5
    assert [values.flag(v) for v in (False, "false", "N", "0")] == [False] * 4
    assert [values.flag(v) for v in (None, "", "undef")] == [None] * 3


def test_text_postgresql_cannot_keep_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        values.text("a\x00b")
    with pytest.raises(ValueError, match="Unicode"):
        values.text("a\ud800b")


def test_dates_and_times_are_read_as_written() -> None:
    assert values.us_date("06/22/2016") == date(2016, 6, 22)
    assert values.us_datetime("06/02/2020 09:06:50") == datetime(2020, 6, 2, 9, 6, 50)
    assert values.us_datetime("06/02/2020") == datetime(2020, 6, 2)
    assert values.clock_time("15:30") == time(15, 30)


@pytest.mark.parametrize("bad", ["02/30/2020", "2020-06-02", "13/01/2020", "06/02/20"])
def test_what_is_no_date_is_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        values.us_date(bad)


def test_an_eastern_stamp_follows_daylight_saving() -> None:
    assert values.instant(datetime(2026, 1, 5, 12), EASTERN) == datetime(2026, 1, 5, 17, tzinfo=UTC)
    assert values.instant(datetime(2026, 7, 5, 12), EASTERN) == datetime(2026, 7, 5, 16, tzinfo=UTC)


def test_the_processed_window_is_written_in_eastern_time() -> None:
    window = processed_window(
        datetime(2026, 7, 5, 16, 0, 0, tzinfo=UTC), datetime(2026, 7, 5, 16, 10, 0, 1, tzinfo=UTC)
    )
    assert window == {
        "showprocessedstartdatetime": "07/05/2026 12:00:00",
        "showprocessedenddatetime": "07/05/2026 12:10:01",
    }


@given(
    st.datetimes(datetime(2026, 10, 31), datetime(2026, 11, 2)),
    st.timedeltas(timedelta(0), timedelta(hours=3)),
)
def test_the_processed_window_never_misses_a_minute_when_clocks_go_back(
    start: datetime, length: timedelta
) -> None:
    """Whichever of two equal hours athenahealth takes the text for."""
    start = start.replace(tzinfo=UTC)
    window = processed_window(start, start + length)
    opens, closes = (datetime.strptime(text, "%m/%d/%Y %H:%M:%S") for text in window.values())  # noqa: DTZ007
    for fold in (0, 1):
        assert opens.replace(tzinfo=EASTERN, fold=fold).astimezone(UTC) <= start
        assert closes.replace(tzinfo=EASTERN, fold=fold).astimezone(UTC) >= start + length


def test_parameters_are_spelt_as_v1_wants_them() -> None:
    assert parameter(True) == "true"
    assert parameter(date(2026, 3, 9)) == "03/09/2026"
    assert parameter(["1", "21"]) == "1,21"
    with pytest.raises(TypeError):
        parameter(datetime(2026, 3, 9))


@pytest.mark.parametrize("bad", ["../../2/claims", "7/../8", "..", "", "7?x=1"])
def test_an_id_cannot_lead_a_path_elsewhere(bad: str) -> None:
    with pytest.raises(ValueError, match="claimid"):
        filled("/claims/{claimid}", {"claimid": bad})
