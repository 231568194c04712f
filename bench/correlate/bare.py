"""The baseline: claims and charge lines to appointments by id, the rest by one scored join; a link table with a key."""

from __future__ import annotations

from django.db import connection

BY_ID = """
insert into bench_link
select 'claim', c.external_id, a.external_id from records_claim c
join records_appointment a on a.practice_id = c.practice_id and a.external_id = c.appointment_id
where c.practice_id = %(practice)s
union all
select 'charge', n.external_id, a.external_id from records_chargeline n
join records_claim c on c.practice_id = n.practice_id and c.external_id = n.claim_id
join records_appointment a on a.practice_id = c.practice_id and a.external_id = c.appointment_id
where n.practice_id = %(practice)s
"""

# The unique best of the patient's visits within a day, if it reaches 4.
BY_SCORE = """
with target as (
    select 'claim' as kind, c.external_id, c.patient_id, c.service_date, c.billed_provider_id, c.department_id
    from records_claim c where c.practice_id = %(practice)s and c.appointment_id = ''
    union all
    select 'charge', n.external_id, c.patient_id, c.service_date, c.billed_provider_id, c.department_id
    from records_chargeline n join records_claim c on c.practice_id = n.practice_id and c.external_id = n.claim_id
    where n.practice_id = %(practice)s and c.appointment_id = ''
), ranked as (
    select kind, external_id, appointment, points,
        row_number() over w as rank, lead(points) over w as second
    from (
        select t.kind, t.external_id, a.external_id as appointment,
            case when a.date = t.service_date then 3 else 1 end
            + case when a.provider_id = t.billed_provider_id then 2 else 0 end
            + case when a.department_id = t.department_id then 1 else 0 end as points
        from target t join records_appointment a
          on a.practice_id = %(practice)s and a.patient_id = t.patient_id
         and a.date between t.service_date - 1 and t.service_date + 1
    ) scored window w as (partition by kind, external_id order by points desc)
)
insert into bench_link
select kind, external_id, appointment from ranked
where rank = 1 and points >= 4 and points is distinct from second
"""

SCORED = """
select count(*) filter (where l.appointment = c.n::text and not c.orphan),
    count(*) filter (where l.appointment <> c.n::text or c.orphan),
    (select count(*) from bench_claim where lone and not orphan)
from bench_claim c join bench_link l on l.kind = 'claim' and l.id = (20000000 + c.n)::text where c.lone
"""


def join(practice_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("drop table if exists bench_link")
        cursor.execute(
            "create table bench_link (kind text, id text, appointment text, primary key (kind, id))"
        )
        cursor.execute(BY_ID, {"practice": practice_id})
        cursor.execute(BY_SCORE, {"practice": practice_id})


def scored() -> dict[str, float]:
    return precision_recall(SCORED)


def precision_recall(statement: str) -> dict[str, float]:
    """Of the claims without an id; those left to a person are missed."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        right, wrong, all = cursor.fetchone()
    return {"precision": round(right / (right + wrong), 4), "recall": round(right / all, 4)}
