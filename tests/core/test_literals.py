"""Lists travel to PostgreSQL as one text, whatever their values hold."""

from __future__ import annotations

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
        cursor.execute("select %s::text[]", [literals.text_array(values)])
        assert cursor.fetchone() == (values,)
