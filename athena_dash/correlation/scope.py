"""Changed records → every record whose place could change with them; holds raw SQL.

What a record's link says depends on the ids it names, on the records that name it, and, where ids are
missing, on the other records of its patient. The scope is the closure over these, so that correlating in any
order ends the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from athena_dash.core.literals import text_array
from athena_dash.correlation import unbound_sql
from athena_dash.correlation.merges import MergeMap
from athena_dash.correlation.tables import LARGE, fill, prepare
from athena_dash.correlation.weights import WINDOW_DAYS

REACH_DAYS = 7 * WINDOW_DAYS
"""How far from what changed a record without an id may be and still be tied otherwise for it: who sees a change has it
in its window, and weighs upon its rivals, which see a visit in its window from theirs (3). An encounter among those may
go to another visit in its window (4), which claims see, and their rivals (7). The rivals of these lie two further."""

Touched = Mapping[str, Collection[str]]
"""Records table name → changed external ids."""

GIVEN = "select %(kind)s, unnest(%(ids)s::text[])"
RELATIVES = "select unnest(%(ids)s::text[])"
MERGES = "select * from unnest(%(losers)s::text[], %(survivors)s::text[])"

# These have no link of their own; they follow what they belong to, which most often was touched with them.
PARENTS = {
    "chargeline": """
select distinct 'claim', r.claim_id from unnest(%(ids)s::text[]) as given(id)
join records_chargeline r on r.practice_id = %(practice)s and r.external_id = given.id
where not exists (select from scope_given g where g.kind = 'claim' and g.id = r.claim_id)
""",
    "claimnote": """
select distinct 'claim', r.claim_id from unnest(%(ids)s::text[]) as given(id)
join records_claimnote r on r.practice_id = %(practice)s and r.external_id = given.id
where not exists (select from scope_given g where g.kind = 'claim' and g.id = r.claim_id)
""",
    "serviceline": """
select distinct 'encounter', r.encounter_id from unnest(%(ids)s::text[]) as given(id)
join records_serviceline r on r.practice_id = %(practice)s and r.external_id = given.id
where not exists (select from scope_given g where g.kind = 'encounter' and g.id = r.encounter_id)
""",
}

# The touched ones first, who say themselves what they name; then those beside them, who most often were touched too.
GIVEN_APPOINTMENTS = """
select a.external_id, a.patient_id, a.encounter_id, a.status, a.date from scope_given g
join records_appointment a on a.practice_id = %(practice)s and a.external_id = g.id
where g.kind = 'appointment'
"""
GIVEN_ENCOUNTERS = """
select e.external_id, e.patient_id, e.appointment_id, e.kind, e.date from scope_given g
join records_encounter e on e.practice_id = %(practice)s and e.external_id = g.id
where g.kind = 'encounter'
"""
GIVEN_CLAIMS = """
select c.external_id, c.patient_id, c.appointment_id, c.service_date from scope_given g
join records_claim c on c.practice_id = %(practice)s and c.external_id = g.id
where g.kind = 'claim'
"""

APPOINTMENTS = """
select distinct a.external_id, a.patient_id, a.encounter_id, a.status, a.date from (
    select appointment_id as id from scope_encounter where appointment_id <> ''
    union all
    select a.external_id from scope_encounter s
    join records_appointment a on a.practice_id = %(practice)s and a.encounter_id = s.id and a.encounter_id <> ''
    union all
    select appointment_id from scope_claim where appointment_id <> ''
    union all
    select a.external_id from scope_relative g
    join records_appointment a on a.practice_id = %(practice)s and a.patient_id = g.id
) named
join records_appointment a on a.practice_id = %(practice)s and a.external_id = named.id
where not exists (select from scope_appointment had where had.id = named.id)
"""

ENCOUNTERS = """
select distinct e.external_id, e.patient_id, e.appointment_id, e.kind, e.date from (
    select e.external_id as id from scope_appointment s
    join records_encounter e on e.practice_id = %(practice)s and e.appointment_id = s.id and e.appointment_id <> ''
    union all
    select encounter_id from scope_appointment where encounter_id <> ''
    union all
    select e.external_id from scope_relative g
    join records_encounter e on e.practice_id = %(practice)s and e.patient_id = g.id
    union all
    select l.record_id from scope_given g
    join correlation_visit v on v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = g.id
    join correlation_link l on l.visit_id = v.id and l.kind = 'encounter'
    where g.kind = 'appointment'
) beside
join records_encounter e on e.practice_id = %(practice)s and e.external_id = beside.id
where not exists (select from scope_encounter had where had.id = beside.id)
"""

CLAIMS = """
select c.external_id, c.patient_id, c.appointment_id, c.service_date from scope_appointment s
join records_claim c on c.practice_id = %(practice)s and c.appointment_id = s.id and c.appointment_id <> ''
where not exists (select from scope_claim had where had.id = c.external_id)
union select c.external_id, c.patient_id, c.appointment_id, c.service_date from scope_relative g
join records_claim c on c.practice_id = %(practice)s and c.patient_id = g.id
where not exists (select from scope_claim had where had.id = c.external_id)
"""

FACTS = """
select id from scope_given where kind = 'clinicalfact'
union select f.external_id from scope_encounter s
join records_clinicalfact f on f.practice_id = %(practice)s and f.encounter_id = s.id and f.encounter_id <> ''
"""

# Where what changed stands; asked before anything moves. What else moves is noted as it is written, where it was and
# where it goes.
STANDING = """
select v.id from scope_appointment s
join correlation_visit v on v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = s.id
union select l.visit_id from scope_encounter s
join correlation_link l on l.practice_id = %(practice)s and l.kind = 'encounter' and l.record_id = s.id
where l.visit_id is not null
union select l.visit_id from scope_claim s
join correlation_link l on l.practice_id = %(practice)s and l.kind = 'claim' and l.record_id = s.id
where l.visit_id is not null
"""

STANDING_TOO = """
select l.visit_id from scope_fact s
join correlation_link l on l.practice_id = %(practice)s and l.kind = 'clinical' and l.record_id = s.id
where l.visit_id is not null
"""

# Every id, before and after merges, of the patients whose records without ids are matched anew, and the days of all
# that changed of each: what a record says now, and where it stood or was on offer before.
PATIENTS = """
with named as (
    select patient_id as id, date as day from scope_appointment
    union all select patient_id, date from scope_encounter
    union all select patient_id, date from scope_claim
    union all select v.patient_id, v.service_date from (select distinct visit_id from scope_touched) t
    join correlation_visit v on v.id = t.visit_id
    union all select v.patient_id, v.service_date from (
        select 'claim' as kind, id from scope_claim union all select 'encounter', id from scope_encounter) s
    join correlation_link l
      on l.practice_id = %(practice)s and l.kind = s.kind and l.record_id = s.id and l.visit_id is null
    cross join lateral jsonb_array_elements(l.evidence -> 'candidates') as candidate
    join correlation_visit v on v.id = (candidate ->> 'visit_id')::bigint
), survivor as materialized (
    select coalesce(m.survivor, n.id) as id, min(n.day) as first, max(n.day) as last
    from named n left join scope_merge m on m.loser = n.id
    where n.id <> '' group by 1
)
select id, id, first, last from survivor
union all
select m.loser, m.survivor, s.first, s.last
from survivor s join scope_merge m on m.survivor = s.id and m.loser <> m.survivor
"""

# An id-less one among them names no appointment; an encounter's bridge may still find one that names it. Those at the
# edge are weighed as rivals only.
ADD_CLAIMS = """
select distinct u.record_id, u.patient_id, '', u.date from scope_unbound u
join scope_patient p
  on p.survivor = u.patient_id and u.date between p.first - %(reach)s::int and p.last + %(reach)s::int
where u.kind = 'claim' and not exists (select from scope_claim s where s.id = u.record_id)
"""
ADD_ENCOUNTERS = """
select distinct u.record_id, u.patient_id, '', 'VISIT', u.date from scope_unbound u
join scope_patient p
  on p.survivor = u.patient_id and u.date between p.first - %(reach)s::int and p.last + %(reach)s::int
where u.kind = 'encounter' and not exists (select from scope_encounter s where s.id = u.record_id)
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """The ids are in the scope_* tables; here only how many of some, so that what is empty is not asked about."""

    practice_id: int
    large: bool
    unbound_encounters: int
    unbound_claims: int

    @property
    def values(self) -> dict[str, Any]:
        return {"practice": self.practice_id}


def scope_of(practice_id: int, touched: Touched, merges: MergeMap) -> Scope:
    large = sum(map(len, touched.values())) >= LARGE
    prepare(large=large)
    values: dict[str, Any] = {
        "practice": practice_id,
        "reach": REACH_DAYS,
        "edge": REACH_DAYS + 2 * WINDOW_DAYS,
    }
    # Parents last: who was named already is not noted again.
    for kind, ids in sorted(touched.items(), key=lambda item: item[0] in PARENTS):
        if ids:
            fill("scope_given", PARENTS.get(kind, GIVEN), values | {"kind": kind, "ids": text_array(ids)})
    if relatives := merges.relatives(touched.get("patient", ())):
        fill("scope_relative", RELATIVES, {"ids": text_array(relatives)})
    if merges.losers:
        fill("scope_merge", MERGES, {"losers": merges.losers, "survivors": merges.survivors})
    fill("scope_appointment", GIVEN_APPOINTMENTS, values)
    fill("scope_encounter", GIVEN_ENCOUNTERS, values)
    fill("scope_claim", GIVEN_CLAIMS, values)
    fill("scope_appointment", APPOINTMENTS, values)
    fill("scope_encounter", ENCOUNTERS, values)
    fill("scope_claim", CLAIMS, values)
    fill("scope_touched", STANDING, values)
    fill("scope_patient", PATIENTS, values)
    encounters = fill("scope_unbound", unbound_sql.UNBOUND_ENCOUNTERS, values)
    claims = fill("scope_unbound", unbound_sql.UNBOUND_CLAIMS, values)
    if encounters:
        fill("scope_encounter", ADD_ENCOUNTERS, values)
    if claims:
        fill("scope_claim", ADD_CLAIMS, values)
    fill("scope_fact", FACTS, values)
    fill("scope_touched", STANDING_TOO, values)
    return Scope(practice_id, large, encounters, claims)
