"""PostgreSQL is told of a practice before its records are looked up by the hundred."""

from __future__ import annotations

import pytest
from django.db import connection

from athena_dash.practices.models import Practice
from athena_dash.records.statistics import introduce_everywhere
from tests.builders import a_patient

KNOWN = """
select attname, most_common_vals::text from pg_stats
where tablename = 'records_patient' and attname in ('practice_id', 'last_name') order by attname
"""


def known() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(KNOWN)
        return dict(cursor.fetchall())


@pytest.fixture(autouse=True)
def uncounted(practice) -> None:
    """What an earlier test had counted stays known although its transaction was taken back."""
    with connection.cursor() as cursor:
        cursor.execute("truncate records_patient")


def test_a_table_nobody_has_counted_is_counted_whole_and_then_left_alone(practice, as_of) -> None:
    for _ in range(3):
        a_patient(practice)
    introduce_everywhere(practice.pk)
    assert known() == {"last_name": "{Quill}", "practice_id": f"{{{practice.pk}}}"}
    for _ in range(3):
        a_patient(practice)
    introduce_everywhere(practice.pk)
    assert reltuples() == 3


def test_the_second_practice_of_a_counted_table_is_told_of_too(practice, as_of) -> None:
    newcomer = Practice.objects.create(slug="hillside", name="Hillside", athena_id="195903")
    for place in (practice, newcomer):
        for _ in range(3):
            a_patient(place)
        introduce_everywhere(place.pk)
    assert set(known()["practice_id"].strip("{}").split(",")) == {str(practice.pk), str(newcomer.pk)}


def reltuples() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select reltuples from pg_class where relname = 'records_patient'")
        return int(cursor.fetchone()[0])
