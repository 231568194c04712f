"""A practice's own settled claims of the last half year → what it is usually paid; holds raw SQL.

Learning reads half a year of lines, so judging does not: it reads the lesson that was kept. The tick has a practice
learn anew after five hundred times what it took, at least a minute and at most a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

import msgspec
from django.db import connection
from django.db.models import Q

from athena_dash.core import clock
from athena_dash.core.one_trip import Row, fetch
from athena_dash.correlation.estimate import Learned
from athena_dash.correlation.models import Gap, PaidBefore, Visit
from athena_dash.practices.policies import OVERRIDES, Policies

LOOK_BACK = timedelta(days=180)  # revenue-cycle.md §2.0 E2
ENOUGH_VISITS = 20  # §2.0 E4
ENOUGH_LINES = 5
PAUSE = 500  # times what learning took
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=1)
NOTICEABLE = Decimal("0.05")
LEANING = ("E2", "E3", "E4", "E5")  # estimators that lean on what was learned

LEARN = """
with settled as (
    select n.procedure_code, n.amount, n.payments, c.primary_insurance_id from records_chargeline n
    join records_claim c on c.practice_id = n.practice_id and c.external_id = n.claim_id
    where n.practice_id = %(practice)s and n.gone_at is null and n.amount > 0 and n.payments > 0
      and n.outstanding = 0 and c.service_date >= %(since)s
), visit as (
    select v.visit_type, v.provider_id, v.paid from correlation_visit v
    where v.practice_id = %(practice)s and v.service_date >= %(since)s and v.outstanding = 0 and v.paid > 0
)
select 'ratio', '', count(*), sum(payments) / sum(amount) from settled having count(*) >= %(lines)s
union all
select 'procedure', procedure_code, count(*), percentile_cont(0.5) within group (order by payments)
from settled
where procedure_code <> '' group by procedure_code having count(*) >= %(lines)s
union all
-- once a line is settled, what everybody paid of it is what the payer allowed
select 'allowed', i.payer_name || '|' || s.procedure_code, count(*),
    percentile_cont(0.5) within group (order by s.payments)
from settled s
join records_insurance i on i.practice_id = %(practice)s and i.external_id = s.primary_insurance_id
where s.procedure_code <> '' and i.payer_name <> ''
group by i.payer_name, s.procedure_code having count(*) >= %(lines)s
union all
select 'visit', case
        when grouping(provider_id) = 0 then visit_type || '|' || provider_id
        when grouping(visit_type) = 0 then visit_type
        else '' end,
    count(*), percentile_cont(0.5) within group (order by paid) from visit
group by grouping sets ((visit_type, provider_id), (visit_type), ()) having count(*) >= %(visits)s
"""


LESSON = "select lesson from correlation_paidbefore where practice_id = %(practice)s"


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; keys as in Learned. `ratio` is None while too few lines are settled."""

    ratio: Decimal | None = None
    by_procedure: dict[str, Decimal] = {}
    by_visit: dict[str, Decimal] = {}
    allowed: dict[str, Decimal] = {}  # by "payer|procedure"
    took: float = 0  # seconds


def set_and_learned(practice_id: int) -> tuple[Policies, Learned]:
    """What the practice has set and what it has learned, in one trip."""
    values, kept = fetch({"practice": practice_id}, OVERRIDES, LESSON)
    policies = Policies(dict(values))
    return policies, learned_from(practice_id, kept, policies)


def learned_of(practice_id: int, policies: Policies) -> Learned:
    (kept,) = fetch({"practice": practice_id}, LESSON)
    return learned_from(practice_id, kept, policies)


def learned_from(practice_id: int, kept: Sequence[Row], policies: Policies) -> Learned:
    """As last learned. Until the practice's own payments say what share it is paid, the policy does."""
    lesson = msgspec.convert(kept[0][0], Lesson) if kept else learn(practice_id)
    if not kept:
        keep(practice_id, lesson)
    ratio = Decimal(str(policies.value("expected_ratio"))) if lesson.ratio is None else lesson.ratio
    allowed: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for key, dollars in lesson.allowed.items():
        payer, _, procedure = key.rpartition("|")
        allowed[payer][procedure] = dollars
    return Learned(
        ratio=ratio, by_procedure=lesson.by_procedure, by_visit=lesson.by_visit, allowed=dict(allowed)
    )


def due_to_learn(now: datetime) -> list[int]:
    """Practices whose lesson is old. One that was never judged has nothing to learn for."""
    rows = PaidBefore.objects.filter(again_at__lte=now, practice__paused_at__isnull=True)
    return list(rows.order_by("again_at").values_list("practice_id", flat=True))


def learn(practice_id: int) -> Lesson:
    began = monotonic()
    values: dict[str, Any] = {
        "practice": practice_id,
        "since": (clock.now() - LOOK_BACK).date(),
        "lines": ENOUGH_LINES,
        "visits": ENOUGH_VISITS,
    }
    found: dict[str, dict[str, Decimal]] = {"ratio": {}, "procedure": {}, "visit": {}, "allowed": {}}
    with connection.cursor() as cursor:
        cursor.execute(LEARN, values)
        for kind, key, _, dollars in cursor.fetchall():
            found[kind][key] = Decimal(str(dollars))
    return Lesson(
        ratio=found["ratio"].get(""),
        by_procedure=found["procedure"],
        by_visit=found["visit"],
        allowed=found["allowed"],
        took=monotonic() - began,
    )


def keep(practice_id: int, lesson: Lesson) -> bool:
    """Whether an amount moved noticeably: then the visits whose dollars lean on what was learned are now due."""
    now = clock.now()
    before = PaidBefore.objects.filter(practice_id=practice_id).first()
    pause = min(max(timedelta(seconds=lesson.took) * PAUSE, SHORTEST), LONGEST)
    PaidBefore.objects.update_or_create(
        practice_id=practice_id, defaults={"lesson": msgspec.to_builtins(lesson), "again_at": now + pause}
    )
    known = msgspec.convert(before.lesson, Lesson) if before else Lesson()
    payers = {key.rpartition("|")[0] for key in moved(known.allowed, lesson.allowed)}
    if not payers and (before is None or not dollars_moved(known, lesson)):
        return False
    visits = Visit.objects.for_practice(practice_id)
    gaps = Gap.objects.for_practice(practice_id).filter(closed_at__isnull=True, estimator__in=LEANING)
    visits.filter(pk__in=gaps.values("visit")).update(reconsider_at=now)
    # What such a payer answered is now compared with another usual (G35, G36): of late, or ever if it had none.
    # A visit that was never judged waits for that anyway.
    since = (now - LOOK_BACK).date()
    met = {key.rpartition("|")[0] for key in known.allowed}
    answered = visits.filter(payer_name__in=payers, paid__gt=0, judged_at__isnull=False)
    answered.filter(Q(service_date__gte=since) | ~Q(payer_name__in=met)).update(reconsider_at=now)
    return True


def dollars_moved(before: Lesson, after: Lesson) -> bool:
    return any(
        moved(old, new)
        for old, new in (
            ({"": before.ratio or Decimal(0)}, {"": after.ratio or Decimal(0)}),
            (before.by_procedure, after.by_procedure),
            (before.by_visit, after.by_visit),
        )
    )


def moved(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> set[str]:
    """Keys whose amount moved by more than a twentieth, or is known for the first time, or no longer."""
    both = before.keys() & after.keys()
    return (before.keys() ^ after.keys()) | {
        key for key in both if abs(after[key] - before[key]) > before[key] * NOTICEABLE
    }
