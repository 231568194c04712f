"""Changed records → every record whose place could change with them; holds raw SQL.

What a record's link says depends on the ids it names, on the records that name it, and, where ids are
missing, on the other records of its patient. The scope is the closure over these, so that correlating in any
order ends the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from athena_dash.correlation.merges import MergeMap

Touched = Mapping[str, Collection[str]]

APPOINTMENTS = """
select a.external_id from records_appointment a
where a.practice_id = %(practice)s and (a.external_id = any(%(appointment)s) or a.patient_id = any(%(merged)s))
union select e.appointment_id from records_encounter e
where e.practice_id = %(practice)s and e.external_id = any(%(encounter)s) and e.appointment_id <> ''
union select a.external_id from records_appointment a
where a.practice_id = %(practice)s and a.encounter_id = any(%(encounter)s) and a.encounter_id <> ''
union select c.appointment_id from records_claim c
where c.practice_id = %(practice)s and c.external_id = any(%(claim)s) and c.appointment_id <> ''
"""

ENCOUNTERS = """
select unnest(%(encounter)s::text[])
union select e.external_id from records_encounter e
where e.practice_id = %(practice)s and e.appointment_id = any(%(appointments)s) and e.appointment_id <> ''
union select a.encounter_id from records_appointment a
where a.practice_id = %(practice)s and a.external_id = any(%(appointments)s) and a.encounter_id <> ''
union select e.external_id from records_encounter e
where e.practice_id = %(practice)s and e.patient_id = any(%(merged)s)
union select l.record_id from correlation_link l join correlation_visit v on v.id = l.visit_id
where v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = any(%(appointment)s)
  and l.kind = 'encounter'
"""

CLAIMS = """
select unnest(%(claim)s::text[])
union select c.external_id from records_claim c
where c.practice_id = %(practice)s and c.appointment_id = any(%(appointments)s) and c.appointment_id <> ''
union select c.external_id from records_claim c
where c.practice_id = %(practice)s and c.patient_id = any(%(merged)s)
"""

PARENTS = """
select 'claim', l.claim_id from records_chargeline l
where l.practice_id = %(practice)s and l.external_id = any(%(chargeline)s)
union select 'claim', n.claim_id from records_claimnote n
where n.practice_id = %(practice)s and n.external_id = any(%(claimnote)s)
union select 'encounter', s.encounter_id from records_serviceline s
where s.practice_id = %(practice)s and s.external_id = any(%(serviceline)s)
"""

PATIENTS = """
select a.patient_id from records_appointment a
where a.practice_id = %(practice)s and a.external_id = any(%(appointments)s)
union select e.patient_id from records_encounter e
where e.practice_id = %(practice)s and e.external_id = any(%(encounters)s)
union select c.patient_id from records_claim c
where c.practice_id = %(practice)s and c.external_id = any(%(claims)s)
union select v.patient_id from correlation_link l join correlation_visit v on v.id = l.visit_id
where l.practice_id = %(practice)s
  and (l.kind, l.record_id) in (
    select 'claim', unnest(%(claims)s::text[]) union all select 'encounter', unnest(%(encounters)s::text[]))
"""

TABLES = (
    "appointment",
    "encounter",
    "claim",
    "clinicalfact",
    "chargeline",
    "claimnote",
    "serviceline",
    "patient",
    "insurance",
    "department",
    "provider",
)


@dataclass(slots=True)
class Scope:
    """External ids by kind. `patients` holds every id, before and after merges, whose id-less records are re-
    read."""

    practice_id: int
    merges: MergeMap
    appointments: list[str] = field(default_factory=list)
    encounters: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of every statement of this stage."""
        return {
            "practice": self.practice_id,
            "appointments": self.appointments,
            "encounters": self.encounters,
            "claims": self.claims,
            "facts": self.facts,
            "patients": self.patients,
            "losers": self.merges.losers,
            "survivors": self.merges.survivors,
        }


def scope_of(practice_id: int, touched: Touched, merges: MergeMap) -> Scope:
    given: dict[str, Any] = {table: list(touched.get(table, ())) for table in TABLES}
    given |= {"practice": practice_id, "merged": merges.relatives(given["patient"])}
    scope = Scope(practice_id, merges)
    with connection.cursor() as cursor:

        def ids(statement: str) -> list[str]:
            cursor.execute(statement, given | scope.values)
            return sorted(id for (id,) in cursor.fetchall())

        cursor.execute(PARENTS, given)
        for kind, parent in cursor.fetchall():
            given[kind].append(parent)
        scope.appointments = ids(APPOINTMENTS)
        scope.encounters = ids(ENCOUNTERS)
        scope.claims = ids(CLAIMS)
        scope.patients = merges.clusters(id for id in ids(PATIENTS) if id)
        scope.facts = given["clinicalfact"]
    return scope
