"""Records in scope → visits and links, by the ids they name, else as scored; in sets. Holds raw SQL.

The identifier bridge of athena-api.md §4. A person's decision is never overwritten, and a row that would not change
is not written. New visits get their ids here and are written once, whole, by `projection_sql`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from athena_dash.correlation import scoring_sql, unbound_sql
from athena_dash.correlation.scope import Scope
from athena_dash.correlation.tables import change, fill, run
from athena_dash.correlation.unbound_sql import visit_of, visits_of
from athena_dash.correlation.weights import (
    CANDIDATES_KEPT,
    POINTS,
    SHIPPED,
    WINDOW_DAYS,
    weighing,
    weights_of,
)

RULING = ("sure", "look", "none", "absent", "taken", "billed_again", "billed_rest", "billed_other", "free")

# Where an encounter does not name its appointment, the appointment may name it.
BRIDGE = """
update scope_encounter s set appointment_id = named.appointment_id
from (
    select distinct on (s.id) s.id, a.external_id as appointment_id
    from scope_encounter s
    join records_appointment a
      on a.practice_id = %(practice)s and a.encounter_id = s.id and a.encounter_id <> '' and a.status <> 'o'
    where s.appointment_id = ''
    order by s.id, a.charge_entry_not_required, a.status = 'x', length(a.external_id), a.external_id
) named
where s.id = named.id
"""

# An encounter came first and has a visit of its own: once its appointment is known, the same row becomes that
# appointment's visit, so that notes, assignments and gaps stay.
RE_ANCHOR = """
with first as (
    select distinct on (b.appointment_id) v.id, b.appointment_id
    from scope_encounter b
    join correlation_visit v
      on v.practice_id = %(practice)s and v.anchor = 'encounter' and v.anchor_id = b.id
    join records_appointment a
      on a.practice_id = %(practice)s and a.external_id = b.appointment_id and a.status <> 'o'
    where b.appointment_id <> '' and not exists (
        select from correlation_visit taken
        where taken.practice_id = %(practice)s and taken.anchor = 'appointment'
          and taken.anchor_id = b.appointment_id)
    order by b.appointment_id, v.id
)
update correlation_visit v set anchor = 'appointment', anchor_id = first.appointment_id
from first where first.id = v.id
"""

NEXT_ID = "nextval('correlation_visit_id_seq')"

APPOINTMENT_VISITS = f"""
select {NEXT_ID}, 'appointment', id from (
    select s.id from scope_appointment s
    where s.status <> 'o' and not exists (
        select from correlation_visit v
        where v.practice_id = %(practice)s and v.anchor = 'appointment' and v.anchor_id = s.id)
    order by s.id
) fresh
"""  # noqa: S608 - made of this module's constants

# No appointment is known for these, and /chart (or a stay's FHIR id) says that there is none to wait for.
ENCOUNTER_VISITS = f"""
select {NEXT_ID}, 'encounter', id from (
    select b.id from scope_encounter b
    where b.appointment_id = '' and (b.kind <> '' or b.id like 'stay-%%')
      and not exists (
        select from scope_match m where m.kind = 'encounter' and m.record_id = b.id and m.state = 'linked')
      and not exists (
        select from correlation_link l
        where l.practice_id = %(practice)s and l.kind = 'encounter' and l.record_id = b.id and l.method = 'manual')
      and not exists (
        select from correlation_visit v
        where v.practice_id = %(practice)s and v.anchor = 'encounter' and v.anchor_id = b.id)
    order by b.id
) fresh
"""  # noqa: S608 - made of this module's constants


def named_links(kind: str) -> str:
    """Of those in scope that name an appointment."""
    return f"""
select s.id as record_id, own.id as visit_id,
    case when own.id is null then 'pending' else 'linked' end as state,
    case when own.id is null then 'none' else 'id' end as method,
    case when own.id is null then 0.0 else 1.0 end::float as score,
    jsonb_object(array['appointment_id', s.appointment_id]) as evidence
from scope_{kind} s
{visit_of("appointment", "s.appointment_id")}
cross join lateral (select coalesce(v.id, new_v.id) as id) own
where s.appointment_id <> ''
"""  # noqa: S608 - made of this module's constants


ENCOUNTER_LINKS = f"""
{named_links("encounter")}
union all
select s.id, coalesce(m.visit_id, lone.id, new_lone.id),
    case when coalesce(m.visit_id, lone.id, new_lone.id) is null then 'pending' else 'linked' end,
    case when m.visit_id is not null then m.method
         when coalesce(lone.id, new_lone.id) is null then 'none' else 'anchor' end,
    case when m.visit_id is not null then m.score
         when coalesce(lone.id, new_lone.id) is null then 0.0 else 1.0 end::float,
    case when m.visit_id is not null then m.evidence
         when coalesce(lone.id, new_lone.id) is null then '{{"awaits": "chart"}}'::jsonb
         else '{{}}'::jsonb end
from scope_encounter s
left join scope_match m on m.kind = 'encounter' and m.record_id = s.id and m.state = 'linked'
{visit_of("encounter", "s.id", "lone")}
where s.appointment_id = ''
"""  # noqa: S608 - made of this module's constants

CLAIM_LINKS = f"""
{named_links("claim")}
union all
select s.id, m.visit_id, coalesce(m.state, 'unmatched'), coalesce(m.method, 'none'),
    coalesce(m.score, 0.0)::float, coalesce(m.evidence, '{{}}'::jsonb)
from scope_claim s
left join scope_match m on m.kind = 'claim' and m.record_id = s.id
where s.appointment_id = ''
"""  # noqa: S608 - made of this module's constants

# A result that names no encounter is never guessed into one: it is an orphan that a person ties (G17).
FACT_LINKS = """
select f.external_id as record_id, e.visit_id,
    case when f.encounter_id = '' then 'unmatched' when e.visit_id is null then 'pending'
         else 'linked' end as state,
    case when e.visit_id is null then 'none' else 'id' end as method,
    case when e.visit_id is null then 0.0 else 1.0 end::float as score,
    case when f.encounter_id = '' then '{}'::jsonb
         else jsonb_build_object('encounter_id', f.encounter_id) end as evidence
from scope_fact s
join records_clinicalfact f on f.practice_id = %(practice)s and f.external_id = s.id
left join correlation_link e
  on e.practice_id = %(practice)s and e.kind = 'encounter' and e.record_id = f.encounter_id
 and f.encounter_id <> ''
"""

# Under the practice's lock, which people's decisions take too, nobody else writes links: an insert that looked for a
# conflict would cost half as much again.
MAKE_LINKS = """
    insert into correlation_link
        (practice_id, kind, record_id, visit_id, state, method, score, evidence, linked_at)
    select %(practice)s, '{kind}', record_id, visit_id, state, method, score, evidence, %(now)s"""


# Visits of this run, whose ids are the highest, are shown without being noted; their claims are, here at hand.
def note_charged(links: str) -> str:
    return f"""
insert into scope_charged select visit_id, record_id from {links}
where '{{kind}}' = 'claim' and state = 'linked' and visit_id > (select coalesce(max(id), 0) from correlation_visit)
"""  # noqa: S608 - made of this module's constants


# The old ones are named as an array, for the planner, who cannot know that few differ, would read every link there is.
WRITE_LINKS = f"""
with wanted as materialized (
    select w.*, old.id as old_id, old.visit_id as old_visit_id
    from ({{wanted}}) w
    left join correlation_link old
      on old.practice_id = %(practice)s and old.kind = '{{kind}}' and old.record_id = w.record_id
    where old.id is null or (
        old.method <> 'manual' and old.decided_by_id is null
        and (old.visit_id, old.state, old.method, old.score, old.evidence)
            is distinct from (w.visit_id, w.state, w.method, w.score, w.evidence))
), made as ({MAKE_LINKS}
    from wanted where old_id is null order by visit_id
), moved as (
    update correlation_link l
    set (visit_id, state, method, score, evidence, linked_at)
      = row(w.visit_id, w.state, w.method, w.score, w.evidence, %(now)s)
    from wanted w
    where l.id = w.old_id and l.id = any (array(select old_id from wanted where old_id is not null))
), touched as (
    insert into scope_touched
    select visit_id from wanted where visit_id <= (select max(id) from correlation_visit)
    union all
    select old_visit_id from wanted where old_visit_id is not null
)
{note_charged("wanted")}"""  # noqa: S608 - made of this module's constants

# Of a kind that has no links yet, in a whole practice, whose standing visits are all noted: to keep what is wanted, and
# compare it with nothing, would cost a tenth.
FIRST_LINKS = f"""
with made as ({MAKE_LINKS}
    from ({{wanted}}) w order by visit_id
    returning visit_id, record_id, state
)
{note_charged("made")}"""
LINKED = "select 1 from correlation_link where practice_id = %(practice)s and kind = %(kind)s limit 1"

# Visits made for an encounter that now belongs elsewhere, with the visit it belongs to. They are few, and found first.
ABSORBED = """
with lone as materialized (
    select v.id, s.id as encounter_id from scope_encounter s
    join correlation_visit v on v.practice_id = %(practice)s and v.anchor = 'encounter' and v.anchor_id = s.id
)
select v.id, l.visit_id from lone v
join correlation_link l on l.practice_id = %(practice)s and l.kind = 'encounter' and l.record_id = v.encounter_id
where l.visit_id is not null and l.visit_id <> v.id
"""

# Visits that a claim in review is offered to: their verdict says so (D10) and must learn how it began and ended.
OFFERED = """
select distinct v.id from scope_claim s
join correlation_link l
  on l.practice_id = %(practice)s and l.kind = 'claim' and l.record_id = s.id and l.state = 'review'
cross join lateral jsonb_array_elements(l.evidence -> 'candidates') as candidate
join correlation_visit v on v.id = (candidate ->> 'visit_id')::bigint
"""

# Visits whose department, provider or patient's insurance changed.
AROUND = f"""
with insured as (
    select distinct coalesce(m.survivor, i.patient_id) as id from scope_given g
    join records_insurance i on i.practice_id = %(practice)s and i.external_id = g.id
    left join scope_merge m on m.loser = i.patient_id
    where g.kind = 'insurance'
), patient as (
    select id from insured union select m.loser from insured join scope_merge m on m.survivor = insured.id
)
select v.id from scope_given g
join correlation_visit v on v.practice_id = %(practice)s and v.department_id = g.id
where g.kind = 'department'
union select v.id from scope_given g
join correlation_visit v on v.practice_id = %(practice)s and v.provider_id = g.id
where g.kind = 'provider'
union select v.id from patient {visits_of("patient.id")}
"""  # noqa: S608 - made of this module's constants


def note_offered(scope: Scope) -> None:
    fill("scope_touched", OFFERED, scope.values)


def note_around(scope: Scope) -> None:
    if scope.given:
        fill("scope_touched", AROUND, scope.values)


def anchor_appointments(scope: Scope) -> None:
    """An encounter's own visit becomes its appointment's; the other appointments get a new one."""
    change("scope_encounter", BRIDGE, scope.values)
    run(RE_ANCHOR, scope.values)
    fill("scope_visit", APPOINTMENT_VISITS, scope.values)


def link_encounters(scope: Scope, now: Any) -> None:
    """Those with no appointment, except those matched to a visit without an id, are visits by themselves."""
    if scope.unbound_encounters:
        score("encounter", unbound_sql.PAIRS_OF_ENCOUNTERS, SHIPPED, scope)
    fill("scope_visit", ENCOUNTER_VISITS, scope.values)
    write_links("encounter", ENCOUNTER_LINKS, scope, now)


def link_claims(scope: Scope, now: Any) -> None:
    if scope.unbound_claims:
        score("claim", unbound_sql.PAIRS_OF_CLAIMS, weights_of(scope.practice_id), scope)
    write_links("claim", CLAIM_LINKS, scope, now)


def link_facts(scope: Scope, now: Any) -> None:
    write_links("clinical", FACT_LINKS, scope, now)


def score(kind: str, pairs: str, weights: Mapping[str, Decimal], scope: Scope) -> None:
    compare(pairs, weights, scope.values)
    values = {"kind": kind, "kept": CANDIDATES_KEPT, **{name: weights[name] for name in RULING}}
    fill("scope_match", scoring_sql.VERDICTS, scope.values | values)


def compare(pairs: str, weights: Mapping[str, Decimal], values: Mapping[str, Any]) -> None:
    """Fills what the scoring SQL reads: the pairs of scope_unbound, what their visits document, the points."""
    for table in ("scope_pair", "scope_document", "scope_note", "scope_weight"):
        run(f"delete from {table}", {})  # noqa: S608 - this function's constants
    fill("scope_pair", pairs, {**values, "window": WINDOW_DAYS})
    fill("scope_document", scoring_sql.DOCUMENTS, values)
    fill("scope_note", scoring_sql.NOTES, values)
    fill("scope_weight", POINTS, weighing(weights))


def write_links(kind: str, wanted: str, scope: Scope, now: Any) -> None:
    first = scope.whole and not run(LINKED, scope.values | {"kind": kind})
    statement = FIRST_LINKS if first else WRITE_LINKS
    change("scope_charged", statement.format(kind=kind, wanted=wanted), scope.values | {"now": now})


def absorbed(scope: Scope) -> list[tuple[int, int]]:
    return [(gone, into) for gone, into in run(ABSORBED, scope.values)]
