"""Days on which a department, or one provider in it, lacks far more than usual (discriminator D6); holds raw SQL.

Looked for once for a whole practice, among its open gaps only, so it costs what is open and not what the practice has
seen. What was found is kept beside the practice; visits of a cohort that came or went become due to be judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import comb
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Exists, OuterRef

from athena_dash.core import clock
from athena_dash.core.one_trip import Row, fetch
from athena_dash.correlation.models import Cohorts, Gap, Visit
from athena_dash.correlation.rules import RULES
from athena_dash.practices.models import Practice

# revenue-cycle.md §2.0, D6: binomial tail p < 0.001, at least five
LEAST = 5
SURPRISING = 0.001
BASELINE = timedelta(weeks=8)
ENOUGH_BEFORE = 20  # visits in the baseline; with fewer, nobody knows what is usual
LOOK_BACK = timedelta(days=30)  # of service: what is older than that no outage of ours explains
REFUTED = 2  # members that athena was asked about and has none of: then it is people's doing after all
EVERY = timedelta(minutes=5)

ABSENCES = [rule.code for rule in RULES if not rule.shown]  # what athena itself shows needs no cohort

# Departments first, then each provider in them; a department's outlier speaks for all its providers.
FIND = """
with missing as (
    select g.needs_feed, v.department_id, coalesce(v.provider_id, '') as provider_id,
           grouping(v.provider_id) = 1 as whole, v.service_date,
           count(distinct v.id) as lacking, count(distinct v.id) filter (where g.asked_at is not null) as asked
    from correlation_gap g join correlation_visit v on v.id = g.visit_id
    where g.practice_id = %(practice)s and g.closed_at is null and g.code = any(%(codes)s)
      and v.service_date >= %(since)s and v.anchor = 'appointment' and v.suppressor = ''
    group by grouping sets ((1, 2, 5), (1, 2, v.provider_id, 5))
    having count(distinct v.id) >= %(least)s and (grouping(v.provider_id) = 1 or v.provider_id <> '')
)
select m.asked, m.needs_feed, m.department_id, m.service_date, coalesce(d.name, m.department_id), m.lacking,
       today.visits, before.visits, before.lacking, m.provider_id,
       coalesce(nullif(p.display_name, ''), 'provider ' || nullif(m.provider_id, ''), '')
from missing m
left join records_department d on d.practice_id = %(practice)s and d.external_id = m.department_id
left join records_provider p on p.practice_id = %(practice)s and p.external_id = m.provider_id
cross join lateral (
    select count(*) as visits from correlation_visit v
    where v.practice_id = %(practice)s and v.department_id = m.department_id and v.service_date = m.service_date
      and (m.whole or v.provider_id = m.provider_id) and v.anchor = 'appointment' and v.suppressor = ''
) today
cross join lateral (
    select count(*) as visits, count(*) filter (where exists (
        select from correlation_gap g
        where g.visit_id = v.id and g.code = any(%(codes)s) and g.needs_feed = m.needs_feed)) as lacking
    from correlation_visit v
    where v.practice_id = %(practice)s and v.department_id = m.department_id
      and v.service_date >= m.service_date - %(baseline)s and v.service_date < m.service_date
      and (m.whole or v.provider_id = m.provider_id) and v.anchor = 'appointment' and v.suppressor = ''
) before
order by 2, 3, 4, 10
"""


LAST_FOUND = "select found from correlation_cohorts where practice_id = %(practice)s"

Key = tuple[str, str, str, date]
"""(feed, department, provider, day); no provider: the whole department."""


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """`lacking` of `visits` in this department on this day, where a provider is named of theirs; before,
    `usually_lacking` of `usual_visits`."""

    feed: str
    department_id: str
    day: date
    department: str
    lacking: int
    visits: int
    usual_visits: int
    usually_lacking: int
    provider_id: str = ""
    provider: str = ""

    @property
    def key(self) -> Key:
        return self.feed, self.department_id, self.provider_id, self.day

    @property
    def sentence(self) -> str:
        usual = self.usually_lacking / self.usual_visits
        where = f"{self.provider} in {self.department}" if self.provider else self.department
        whose = "of" if self.provider else "in"
        return (
            f"{self.lacking} of {self.visits} visits {whose} {where} on {self.day:%b} {self.day.day} lack this; "
            f"in the eight weeks before, {usual:.0%} did"
        )


def surprise(lacking: int, visits: int, usually_lacking: int, usual_visits: int) -> float:
    """The chance of at least so many by the usual share alone: the binomial's tail. The share is Laplace's, so that
    a spotless past does not make the first slip a miracle."""
    share = (usually_lacking + 1) / (usual_visits + 2)
    return sum(
        comb(visits, n) * share**n * (1 - share) ** (visits - n)
        for n in range(min(lacking, visits), visits + 1)
    )


def is_outlier(cohort: Cohort, asked: int) -> bool:
    if asked >= REFUTED or cohort.usual_visits < ENOUGH_BEFORE:
        return False
    tail = surprise(cohort.lacking, cohort.visits, cohort.usually_lacking, cohort.usual_visits)
    return tail < SURPRISING


def find(practice_id: int) -> list[Cohort]:
    values: dict[str, Any] = {
        "practice": practice_id,
        "codes": ABSENCES,
        "since": (clock.now() - LOOK_BACK).date(),
        "least": LEAST,
        "baseline": BASELINE.days,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND, values)
        rows = cursor.fetchall()
    fields = Cohort.__struct_fields__  # in the order they are selected
    cohorts = [(Cohort(**dict(zip(fields, of_cohort, strict=True))), asked) for asked, *of_cohort in rows]
    outliers = [cohort for cohort, asked in cohorts if is_outlier(cohort, asked)]
    whole = {(cohort.feed, cohort.department_id, cohort.day) for cohort in outliers if not cohort.provider_id}
    return [
        cohort
        for cohort in outliers
        if not (cohort.provider_id and (cohort.feed, cohort.department_id, cohort.day) in whole)
    ]


def keep(practice_id: int, found: list[Cohort]) -> bool:
    """Whether visits became due by it. In the caller's transaction, under the practice's lock."""
    now = clock.now()
    before = set(cohorts_of(practice_id).items())
    after = {(cohort.key, cohort.sentence) for cohort in found}
    Cohorts.objects.update_or_create(
        practice_id=practice_id, defaults={"found": msgspec.to_builtins(found), "found_at": now}
    )
    changed = {key for key, _ in before ^ after}
    for _, department_id, provider_id, day in changed:
        members = Gap.objects.for_practice(practice_id).filter(
            closed_at__isnull=True, visit__department_id=department_id, visit__service_date=day
        )
        if provider_id:
            members = members.filter(visit__provider_id=provider_id)
        Visit.objects.filter(pk__in=members.values("visit")).update(reconsider_at=now)
    return bool(changed)


def cohorts_of(practice_id: int) -> Mapping[Key, str]:
    """As last found."""
    (rows,) = fetch({"practice": practice_id}, LAST_FOUND)
    return in_words(rows)


def in_words(rows: Sequence[Row]) -> dict[Key, str]:
    """The rows of LAST_FOUND → the cohort in words, by key."""
    return {one.key: one.sentence for (found,) in rows for one in msgspec.convert(found, list[Cohort])}


def due_to_compare(now: datetime) -> list[int]:
    """Practices with open gaps that nobody has compared for a while."""
    fresh = Cohorts.objects.filter(found_at__gt=now - EVERY).values("practice_id")
    missing = Gap.objects.filter(practice=OuterRef("pk"), closed_at__isnull=True)
    rows = Practice.objects.active().exclude(pk__in=fresh).filter(Exists(missing))
    return list(rows.values_list("pk", flat=True))
