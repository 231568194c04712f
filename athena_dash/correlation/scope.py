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
from athena_dash.correlation.tables import LARGE, fill, prepare, run
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

# The touched ones first, who say themselves what they name; then those beside them, who most often were touched too.
OWN = {
    "appointment": """
select r.external_id, r.patient_id, r.encounter_id, r.status, r.date from {records} where r.practice_id = %(practice)s
""",
    "encounter": """
select r.external_id, r.patient_id, r.appointment_id, r.kind, r.date from {records} where r.practice_id = %(practice)s
""",
    "claim": """
select r.external_id, r.patient_id, r.appointment_id, r.service_date from {records} where r.practice_id = %(practice)s
""",
}
TOUCHED = "unnest(%(ids)s::text[]) as given(id) join records_{kind} r on r.external_id = given.id"
COUNT = "select count(*) from records_{kind} where practice_id = %(practice)s"

# These have no link of their own; they follow what they belong to, which most often was touched with them.
LINES = """
select distinct c.external_id, c.patient_id, c.appointment_id, c.service_date from unnest(%(ids)s::text[]) as given(id)
join {table} r on r.practice_id = %(practice)s and r.external_id = given.id
join records_claim c on c.practice_id = %(practice)s and c.external_id = r.claim_id
where not exists (select from scope_claim had where had.id = r.claim_id)
"""
SERVICES = """
select distinct e.external_id, e.patient_id, e.appointment_id, e.kind, e.date from unnest(%(ids)s::text[]) as given(id)
join records_serviceline r on r.practice_id = %(practice)s and r.external_id = given.id
join records_encounter e on e.practice_id = %(practice)s and e.external_id = r.encounter_id
where not exists (select from scope_encounter had where had.id = r.encounter_id)
"""
PARTS = {
    "chargeline": ("claim", LINES.format(table="records_chargeline")),
    "claimnote": ("claim", LINES.format(table="records_claimnote")),
    "serviceline": ("encounter", SERVICES),
}
"""Table → what its rows are parts of, and how that is found."""

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
where named.id not in (select id from scope_appointment)
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
    select l.record_id from unnest(%(appointments)s::text[]) as given(id)
    join correlation_visit v on v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = given.id
    join correlation_link l on l.visit_id = v.id and l.kind = 'encounter'
) beside
join records_encounter e on e.practice_id = %(practice)s and e.external_id = beside.id
where beside.id not in (select id from scope_encounter)
"""

CLAIMS = """
select c.external_id, c.patient_id, c.appointment_id, c.service_date from scope_appointment s
join records_claim c on c.practice_id = %(practice)s and c.appointment_id = s.id and c.appointment_id <> ''
where not exists (select from scope_claim had where had.id = c.external_id)
union select c.external_id, c.patient_id, c.appointment_id, c.service_date from scope_relative g
join records_claim c on c.practice_id = %(practice)s and c.patient_id = g.id
where not exists (select from scope_claim had where had.id = c.external_id)
"""

BESIDE = {"appointment": APPOINTMENTS, "encounter": ENCOUNTERS, "claim": CLAIMS}

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
# that changed of each: what a record says now, and where it stood or was on offer before. In a whole practice nothing
# else can have moved: there it is the patients of such records alone.
PATIENTS = """
with named as ({named}), survivor as materialized (
    select coalesce(m.survivor, n.id) as id, min(n.day) as first, max(n.day) as last
    from named n left join scope_merge m on m.loser = n.id
    where n.id <> '' group by 1
)
select id, id, first, last from survivor
union all
select m.loser, m.survivor, s.first, s.last
from survivor s join scope_merge m on m.survivor = s.id and m.loser <> m.survivor
"""
CHANGED = """
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
"""
NAMELESS = """
    select patient_id as id, date as day from scope_encounter where appointment_id = ''
    union all select patient_id, date from scope_claim where appointment_id = ''
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
    whole: bool  # everything of the practice
    given: int
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
        "appointments": text_array(touched.get("appointment", ())),
    }
    given = 0
    for kind, ids in touched.items():
        if ids and kind not in OWN and kind not in PARTS:
            given += fill("scope_given", GIVEN, values | {"kind": kind, "ids": text_array(ids)})
    if relatives := merges.relatives(touched.get("patient", ())):
        fill("scope_relative", RELATIVES, {"ids": text_array(relatives)})
    if merges.losers:
        fill("scope_merge", MERGES, {"losers": merges.losers, "survivors": merges.survivors})
    open_kinds = {kind for kind in OWN if not take(kind, touched.get(kind, ()), large=large, values=values)}
    for kind, (whole, statement) in PARTS.items():
        if whole in open_kinds and touched.get(kind):
            fill(f"scope_{whole}", statement, values | {"ids": text_array(touched[kind])})
    for kind, statement in BESIDE.items():
        if kind in open_kinds:
            fill(f"scope_{kind}", statement, values)
    fill("scope_touched", STANDING, values)
    fill("scope_patient", PATIENTS.format(named=CHANGED if open_kinds else NAMELESS), values)
    encounters = fill("scope_unbound", unbound_sql.UNBOUND_ENCOUNTERS, values)
    claims = fill("scope_unbound", unbound_sql.UNBOUND_CLAIMS, values)
    if encounters and "encounter" in open_kinds:
        fill("scope_encounter", ADD_ENCOUNTERS, values)
    if claims and "claim" in open_kinds:
        fill("scope_claim", ADD_CLAIMS, values)
    fill("scope_fact", FACTS, values)
    fill("scope_touched", STANDING_TOO, values)
    return Scope(practice_id, large, not open_kinds, given, encounters, claims)


def take(kind: str, ids: Collection[str], *, large: bool, values: Mapping[str, Any]) -> bool:
    """Notes the touched records of a kind; every one there is where as many were touched, as in a first load. Whether
    it did: then none is beside them, and to find that out would cost as much again."""
    if large and len(ids) >= run(COUNT.format(kind=kind), values)[0][0]:
        fill(f"scope_{kind}", OWN[kind].format(records=f"records_{kind} r"), values)
        return True
    if ids:
        touched = OWN[kind].format(records=TOUCHED.format(kind=kind))
        fill(f"scope_{kind}", touched, {**values, "ids": text_array(ids)})
    return False
