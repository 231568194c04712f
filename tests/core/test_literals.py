"""Lists travel to PostgreSQL as one text, whatever their values hold."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection

from athena_dash.core import literals


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["", ""],
        ["1", "2"],
        ['"'],
        ['a","b'],
        ["a\\", "b"],
        ["a\\", '"b'],
        ["{1,2}", "null", "a b", "é", "a\nb", "%s"],
    ],
)
def test_an_array_comes_back_from_the_database_as_it_was(values: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select %s::text[], %s::text[]", [literals.text_array(values), literals.array(values)])
        assert cursor.fetchone() == (values, values)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("numeric", [Decimal("10.50"), None, Decimal("-0.005")]),
        ("date", [dt.date(2026, 3, 9), None]),
        ("time", [dt.time(8, 5), None]),
        ("timestamptz", [dt.datetime(2026, 3, 9, 13, 30, 0, 250, tzinfo=dt.UTC), None]),
        ("boolean", [True, None, False]),
        ("bigint", [10**18, None]),
    ],
)
def test_an_array_of_other_values_comes_back_as_it_was_and_nothing_as_null(
    kind: str, values: list[object]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"select %s::{kind}[]", [literals.array(values)])
        assert cursor.fetchone() == (values,)
