"""Visit ids → the rows a dossier is made of, one statement per kind of record; holds raw SQL.

Columns stand in the order of the fields of the facts they become (visit_facts), after the id of what owns them. Every
record is reached from its visit through an index of its own key, so the cost follows the visits asked for and never
the size of the practice; all by one walk, which takes a third of looking each up, while a join without the ids may read
whatever there is for a few thousand. Links are found by ids that the planner does not see (a select of its own): it
would weigh each of them. Records the source no longer has are left out; of an appointment that is said.
"""

from __future__ import annotations

from collections.abc import Collection

from athena_dash.core.literals import array
from athena_dash.core.one_trip import Row, fetch
from athena_dash.records.facts import SLOTS

VISITS = """
with v as materialized (
    select id, anchor, anchor_id, service_date, patient_id, department_id, provider_id, visit_type, payer_name,
        case when judged_at is not null then suppressor end as suppressor, track::text, reconsider_at
    from correlation_visit where practice_id = %(practice)s and id = any(%(visits)s::bigint[])
)
select v.id, v.anchor, coalesce(d.timezone, (select timezone from practices_practice where id = %(practice)s)),
    v.service_date, v.patient_id, v.department_id, v.provider_id, v.visit_type, coalesce(d.place_of_service, ''),
    coalesce(d.clinicals, true), coalesce(r.creates_encounter, true), v.payer_name, coalesce(i.insurance_type, ''),
    i.eligibility_status, i.eligibility_checked_on, i.expires_on, i.cancelled_on,
    case when v.payer_name = 'Self-pay' then exists (
        select from records_insurance s
        where s.practice_id = %(practice)s and s.patient_id = v.patient_id and s.gone_at is null
          and (s.issued_on is null or s.issued_on <= v.service_date)
          and (s.expires_on is null or s.expires_on >= v.service_date)
          and (s.cancelled_on is null or s.cancelled_on > v.service_date)
    ) else false end,
    v.suppressor, v.track, v.reconsider_at,
    a.external_id, a.status, a.starts_at, a.checked_in_at, a.checked_out_at, a.exam_done_at, a.cancelled_at,
    a.no_show, a.rescheduled_to, a.charge_entry_not_required, a.charge_entry_not_required_reason,
    a.encounter_id, a.encounter_state, a.encounter_status, a.gone_at is not null
from v
left join records_appointment a
  on v.anchor = 'appointment' and a.practice_id = %(practice)s and a.external_id = v.anchor_id
  and a.external_id = any(array(select anchor_id from v))
left join records_department d on d.practice_id = %(practice)s and d.external_id = v.department_id
left join records_provider r on r.practice_id = %(practice)s and r.external_id = v.provider_id
left join records_insurance i  -- as the visit's projection chose it; of several of one payer, the newest comes last
  on i.practice_id = %(practice)s and i.patient_id = v.patient_id and i.payer_name = v.payer_name
  and i.patient_id = any(array(select patient_id from v))
order by v.id, i.id
"""

LINKED = """
with l as materialized (
    select l.visit_id, l.record_id from correlation_link l
    where l.practice_id = %(practice)s and l.visit_id = any((select %(visits)s::bigint[])::bigint[])
      and l.kind = '{kind}' and l.state = 'linked'
)
select l.visit_id, {columns} from l join {table} t on t.{key} = l.record_id
where t.practice_id = %(practice)s and t.{key} = any(array(select record_id from l)) and {alive}
"""
OF_CLAIMS = """
select t.claim_id, {columns} from {table} t
where t.practice_id = %(practice)s and {alive} and t.claim_id = any(array(
    select l.record_id from correlation_link l
    where l.practice_id = %(practice)s and l.visit_id = any((select %(visits)s::bigint[])::bigint[])
      and l.kind = 'claim' and l.state = 'linked'
))
"""


def linked(columns: str, kind: str, table: str, *, key: str = "external_id", alive: str) -> str:
    return LINKED.format(columns=columns, table=table, key=key, alive=alive, kind=kind)


def of_claims(columns: str, table: str, *, alive: str) -> str:
    """What hangs on the visits' claims: in no order, for nothing that is said of it may depend on one."""
    return OF_CLAIMS.format(columns=columns, table=table, alive=alive)


NOT_GONE = "t.gone_at is null"
BY_ID = "order by t.external_id"

ENCOUNTERS = (
    linked(
        "t.external_id, t.kind, t.status, t.closed_on, t.reopened_on, t.ended_at",
        "encounter",
        "records_encounter",
        alive=NOT_GONE,
    )
    + BY_ID
)
SERVICES = linked(
    "t.procedure_code, t.bill_for_service, t.units",
    "encounter",
    "records_serviceline",
    key="encounter_id",
    alive=NOT_GONE,
)


def seen(slot: str) -> str:
    """Its status, since when we have seen it, and whether it may be older; nothing was seen of an empty one."""
    status, since = f"t.{slot}_status", f"t.{slot}_since"
    first = f"case when {status} <> '' then coalesce({since}, t.first_seen) end"
    return f"{status}, {first}, {status} = '' or {since} is null"


CLAIMS = (
    linked(  # one an appointment has named and /claims has not shown yet is no claim here (NAMED_ONLY, G14)
        "t.external_id, t.service_date, t.created_date, t.billed_provider_id, "
        "t.secondary_insurance_id not in ('', '0'), " + ", ".join(map(seen, SLOTS)),
        "claim",
        "records_claim",
        alive=f"{NOT_GONE} and (t.service_date is not null"
        " or (t.primary_status, t.secondary_status, t.patient_status) <> ('', '', ''))",
    )
    + BY_ID
)
LINES = of_claims(  # amounts as text: the driver makes a Decimal of each, and most are alike
    "t.procedure_code, coalesce(t.amount, 0)::text, t.payments::text, t.outstanding::text, t.posted_on, "
    "t.units::text, t.adjustments::text, t.payer",
    "records_chargeline",
    alive=NOT_GONE,
)
NOTES = of_claims(  # a denial and a rejection are told apart by nothing else than a note's words (athena-api.md §2.2)
    "t.external_id, t.status, case when t.text = '' then '' when t.text ~* 'denied|denial' then 'denied' "
    "when t.text ~* 'reject' then 'rejected' else '' end",
    "records_claimnote",
    alive="t.status <> ''",
)
RESULTS = linked(
    "t.code",
    "clinical",
    "records_clinicalfact",
    alive=NOT_GONE + " and t.resource = 'Observation' and t.code <> ''",
)
EPISODES = """
select visit_id, claim_id, kind, ends_on, since from correlation_coverage
where practice_id = %(practice)s and visit_id = any(%(visits)s::bigint[]) and state = 'covered'
order by ends_on desc, claim_id desc
"""  # of several claims, the one that is over first counts: what comes after it still has another


FEW = 100
"""Visits for which planning takes longer than reading."""

FOR_FEW = "select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true)"
FOR_MANY = """
select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('random_page_cost', '1', true),
    set_config('max_parallel_workers_per_gather', '0', true)
"""


def plan_for(visits: int) -> None:
    """For this transaction: of few visits a plan made once serves everybody, if it holds however full the tables get;
    for many, one is made each time, by a planner that does not think of disks, or it reads whole tables."""
    fetch({}, FOR_FEW if visits <= FEW else FOR_MANY)


def rows(practice_id: int, visit_ids: Collection[int], *statements: str) -> list[list[Row]]:
    return fetch({"practice": practice_id, "visits": array(visit_ids)}, *statements)
