"""Records that name no appointment, and the visits of their patient around their day; holds raw SQL.

Each text is a select over the scope_* tables, or over anything else of those names: a person's offers
(`offers`) put one record there.
"""

from __future__ import annotations


def visit_of(anchor: str, anchor_id: str, name: str = "v") -> str:
    """Joins the visit as `name`, or as `new_name` while it is made by this run and not yet written
    (`matching_sql`); as two joins, for a union of both is planned as a scan of every visit."""
    return f"""
left join correlation_visit {name}
  on {name}.practice_id = %(practice)s and {name}.anchor = '{anchor}' and {name}.anchor_id = {anchor_id}
left join scope_visit new_{name} on new_{name}.anchor = '{anchor}' and new_{name}.anchor_id = {anchor_id}"""


def visits_of(patient_id: str) -> str:
    """Joins the visits that records of this very patient anchor as `v`; merged ones are asked for id by id. An index of
    visits by patient would cost each new visit a fifth more, and this is asked rarely."""
    return f"""
join (
    select patient_id, 'appointment' as anchor, external_id from records_appointment where practice_id = %(practice)s
    union all
    select patient_id, 'encounter', external_id from records_encounter where practice_id = %(practice)s
) named on named.patient_id = {patient_id}
join correlation_visit v
  on v.practice_id = %(practice)s and v.anchor = named.anchor and v.anchor_id = named.external_id"""  # noqa: S608 - a column


def tied_by_hand(kind: str) -> str:
    """A person gave the visit another record of that kind: it is taken as if that one named it."""
    return f"""v.id is not null and exists (
        select from correlation_link tied
        where tied.visit_id = v.id and tied.kind = '{kind}' and tied.method = 'manual'
          and tied.record_id <> u.record_id)"""


def codes_of(column: str) -> str:
    """Each once. Most records have one at most, which needs no sorting."""
    return f"""case when cardinality({column}) > 1
        then array(select distinct code from unnest({column}) code where code not in ('', '0'))
        else array_remove(array_remove({column}, ''), '0') end"""  # noqa: S608 - a column


# The patient's, around the days in scope. Those without a day have no rivals, and matter where they changed themselves.
AROUND = "{date} between p.first - %(edge)s::int and p.last + %(edge)s::int"
UNBOUND_CLAIM = f"""
select 'claim', c.external_id, p.survivor, c.service_date, c.department_id,
    array_remove(array_remove(array[c.billed_provider_id, c.supervising_provider_id], ''), '0'),
    {codes_of("c.procedure_codes")}, {codes_of("c.diagnosis_codes")}
from scope_patient p
join records_claim c
  on c.practice_id = %(practice)s and c.patient_id = p.id and c.appointment_id = '' and c.gone_at is null
"""  # noqa: S608 - this function's columns
UNBOUND_CLAIMS = f"""
{UNBOUND_CLAIM} and {AROUND.format(date="c.service_date")}
union all
{UNBOUND_CLAIM} and c.service_date is null
"""

# Only a VISIT has an appointment to look for; orders and flowsheets have none by nature. Its services are not needed
# to tell encounters apart.
UNBOUND_ENCOUNTER = """
select 'encounter', e.external_id, p.survivor, e.date, e.department_id,
    array_remove(array_remove(array[e.provider_id], ''), '0'), '{{}}'::text[], '{{}}'::text[]
from scope_patient p
join records_encounter e
  on e.practice_id = %(practice)s and e.patient_id = p.id and e.appointment_id = '' and e.kind = 'VISIT'
 and e.gone_at is null and {day}
where not exists (
    select from records_appointment a
    where a.practice_id = e.practice_id and a.encounter_id = e.external_id and a.encounter_id <> ''
      and a.status <> 'o')
"""
UNBOUND_ENCOUNTERS = f"""
{UNBOUND_ENCOUNTER.format(day=AROUND.format(date="e.date"))}
union all
{UNBOUND_ENCOUNTER.format(day="e.date is null")}
"""

# `taken` for an encounter: the appointment has another one by id.
PAIRS_OF_ENCOUNTERS = f"""
select u.record_id, coalesce(v.id, new_v.id), a.external_id, a.date, (a.starts_at at time zone 'UTC')::date,
    a.department_id,
    array_remove(array_remove(array[a.provider_id, a.rendering_provider_id], ''), '0'), a.supervising_provider_id,
    a.status in ('2', '3', '4'), true,
    {tied_by_hand("encounter")} or
    a.encounter_id not in ('', u.record_id) or exists (
        select from records_encounter e
        where e.practice_id = a.practice_id and e.appointment_id = a.external_id and e.appointment_id <> ''
          and e.external_id <> u.record_id),
    a.encounter_state <> ''
from scope_unbound u
join scope_patient p on p.survivor = u.patient_id
join records_appointment a
  on a.practice_id = %(practice)s and a.patient_id = p.id and a.gone_at is null
 and a.date between u.date - %(window)s::int and u.date + %(window)s::int
{visit_of("appointment", "a.external_id")}
where coalesce(v.id, new_v.id) is not null and u.kind = 'encounter'
"""  # noqa: S608 - made of this module's constants


def pairs_of_lone(visits: str, visit_id: str, taken: str) -> str:
    """Claims and the visits an encounter anchors, which are few: joined so that the planner may begin with them."""
    return f"""
select u.record_id, {visit_id}, e.external_id, e.date, (e.started_at at time zone 'UTC')::date,
    e.department_id,
    array_remove(array_remove(array[e.provider_id], ''), '0'), '',
    e.status <> 'DELETED', e.kind <> 'FLOWSHEET', {taken}, false
from scope_unbound u
join scope_patient p on p.survivor = u.patient_id
join records_encounter e
  on e.practice_id = %(practice)s and e.patient_id = p.id and e.gone_at is null
 and e.date between u.date - %(window)s::int and u.date + %(window)s::int
join {visits} = 'encounter' and {visit_id.removesuffix(".id")}.anchor_id = e.external_id
where u.kind = 'claim'
"""  # noqa: S608 - this module's constants


# A slip waived as a duplicate has its charges on another claim, such as one keyed by hand; other waivers expect none.
# `awaited`: status 4 means that a claim exists (revenue-cycle.md §0.2).
# `taken` for a claim: another live claim names the visit's appointment by id. Voids are told by their netted lines.
PAIRS_OF_CLAIMS = f"""
select u.record_id, coalesce(v.id, new_v.id), a.external_id, a.date, (a.starts_at at time zone 'UTC')::date,
    a.department_id,
    array_remove(array_remove(array[a.provider_id, a.rendering_provider_id], ''), '0'), a.supervising_provider_id,
    a.status in ('2', '3', '4'),
    not a.charge_entry_not_required or a.charge_entry_not_required_reason ilike 'duplicate%%',
    {tied_by_hand("claim")} or
    exists (
        select from records_claim c
        where c.practice_id = a.practice_id and c.appointment_id = a.external_id and c.appointment_id <> ''
          and c.external_id <> u.record_id and c.gone_at is null and not (
            c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
            and c.patient_status in ('', 'CLOSED') and exists (
                select from records_chargeline n
                where n.practice_id = c.practice_id and n.claim_id = c.external_id and n.gone_at is null
                having sum(n.amount) = 0 and bool_or(n.amount <> 0)))),
    a.status = '4' and not a.charge_entry_not_required
from scope_unbound u
join scope_patient p on p.survivor = u.patient_id
join records_appointment a
  on a.practice_id = %(practice)s and a.patient_id = p.id and a.gone_at is null
 and a.date between u.date - %(window)s::int and u.date + %(window)s::int
{visit_of("appointment", "a.external_id")}
where coalesce(v.id, new_v.id) is not null and u.kind = 'claim'
union all
{pairs_of_lone("correlation_visit v on v.practice_id = %(practice)s and v.anchor", "v.id", tied_by_hand("claim"))}
union all
{pairs_of_lone("scope_visit new_v on new_v.anchor", "new_v.id", "false")}
"""  # noqa: S608 - made of this module's constants
