"""A department's days → how many visits around each were charged (discriminator D8), within three days.

Holds raw SQL.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from athena_dash.core.literals import array
from athena_dash.core.one_trip import fetch
from athena_dash.correlation.visit_facts import Neighbours

AROUND = timedelta(days=3)
Day = tuple[str, date]
"""A department's day."""
Daily = dict[Day, tuple[int, int]]

# Each department's day is counted once, through the index visit_by_date, however many visits ask for it.
COUNT = """
select d.department, d.day, c.visits, c.charged
from unnest(%(departments)s::text[], %(days)s::date[]) as d(department, day)
cross join lateral (
    select count(*) as visits, count(v.charges) as charged from correlation_visit v
    where v.practice_id = %(practice)s and v.department_id = d.department and v.service_date = d.day
      and v.anchor = 'appointment' and v.suppressor = ''
) c
"""


def neighbours_of(practice_id: int, days: Collection[Day]) -> dict[Day, Neighbours]:
    """Of each department's day. Visits that expect no claim are not counted."""
    wanted = {(department, day + offset) for department, day in days for offset in NEAR}
    if not wanted:
        return {}
    daily = count(practice_id, wanted)
    return {(department, day): around(department, day, daily) for department, day in days}


def count(practice_id: int, wanted: Collection[Day]) -> Daily:
    departments, days = map(array, zip(*wanted, strict=True))
    (rows,) = fetch({"practice": practice_id, "departments": departments, "days": days}, COUNT)
    return {(department, day): (visits, charged) for department, day, visits, charged in rows}


def around(department: str, day: date, daily: Daily) -> Neighbours:
    near = [daily[department, day + offset] for offset in NEAR]
    return Neighbours(
        visits=sum([visits for visits, _ in near]), charged=sum([charged for _, charged in near])
    )


NEAR = tuple([timedelta(days) for days in range(-AROUND.days, AROUND.days + 1)])
