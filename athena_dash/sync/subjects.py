"""Which patients, encounters and claims must be asked about one by one, and when; holds raw SQL.

athenaOne has no practice-wide list of encounters, insurances, transactions or FHIR facts: each record that arrives
makes the subjects around it due here (`route`), and open ones come due again by the planner (sync.planning).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from django.db import connection

from athena_dash.core import literals
from athena_dash.core.one_trip import fetch
from athena_dash.records.facts import ChargeFact, Sourced, TransactionFact
from athena_dash.records.upsert import Touched
from athena_dash.sync.models import Subject

CHANGED = """
select * from records_{table} where practice_id = %(practice)s and external_id = any(%({table})s::text[])
"""

# `found` selects (resource, key, scope) from `changed`; ordered as records.upsert: writers wait in one direction only.
# Most are new, and `on conflict` would look each of them up by itself; whom another writer adds meanwhile is an
# IntegrityError, as there.
MAKE_DUE = """
with changed as materialized ({changed}),
found as materialized (
    select distinct resource, key, scope from ({found}) as found(resource, key, scope) where key <> ''
),
known as materialized (
    select s.id, s.resource, s.key, s.scope from sync_subject s
    where s.practice_id = %(practice)s and s.resource = any(array(select resource from found))
      and s.key = any(array(select key from found)) and (s.resource, s.key, s.scope) in (select * from found)
    order by s.resource, s.key, s.scope for update of s
),
again as (
    update sync_subject s set due_at = %(now)s from known where s.id = known.id
)
insert into sync_subject (practice_id, resource, key, scope, due_at)
select %(practice)s, resource, key, scope, %(now)s::timestamptz
from found where (resource, key, scope) not in (select resource, key, scope from known)
order by resource, key, scope
"""

# those that need no asking are found by one walk through the index of keys; `coalesce` keeps it from that of instants
RULE = """
select '{resource}', key, scope from ({found}) as found(key, scope)
where (key, scope) not in (
    select s.key, s.scope from sync_subject s
    where s.practice_id = %(practice)s and s.resource = '{resource}' and {settled}
      and s.key = any(array(select key from ({found}) as found(key, scope))))
"""
ASKED_ONCE, DUE_ALREADY = "true", "coalesce(s.due_at >= %(now)s, false)"

# appointmentstatus 2, 3, 4: the patient came
PATIENTS_SEEN = """
select patient_id, '' from changed
where status in ('2', '3', '4')
"""
# another clinic's result comes also for one who never came here, and somebody must look at it (G17)
PATIENTS_OF_RESULTS = """
select patient_id, '' from changed
where (status in ('2', '3', '4', 'x') or status = 'f' and date < %(now)s::date)
"""
# one who stayed away or cancelled may still have been treated by telephone: ORDERSONLY encounters name no appointment;
# and of one whose day has passed without a word nobody knows whether they came
CHARTS = """
select patient_id, department_id from changed
where (status in ('2', '3', '4', 'x') or encounter_id <> '' or status = 'f' and date < %(now)s::date)
"""
ANY_PATIENT = """
select patient_id, '' from changed
"""
SIGNED_PATIENTS = """
select patient_id, '' from changed
where status = 'CLOSED'
"""
HOLDS_SERVICES = "e.kind in ('VISIT', 'ORDERSONLY') and e.status in ('OPEN', 'REVIEW', 'CLOSED')"
DOCUMENTED = f"""
select e.external_id, '' from changed e where {HOLDS_SERVICES}
"""  # noqa: S608 - this module's constant
# what is added to a signed note changes no encounter; its visit moves on soon after, when it is charged
SERVICES_OF_VISITS = f"""
select e.external_id, '' from changed a
join records_encounter e on e.practice_id = a.practice_id and e.external_id = a.encounter_id
where {HOLDS_SERVICES}
"""  # noqa: S608 - this module's constant
CLAIMS = """
select external_id, '' from changed
"""
# athena dates no status; its notes are the nearest thing to a history, so every open claim's are read
OPEN_CLAIMS = """
select external_id, '' from changed
where not (primary_status in ('', 'CLOSED') and secondary_status in ('', 'CLOSED'))
"""
# why a closed claim's line got nothing (G35, G44) is told by the notes alone
LINES_PAID_NOTHING = """
select claim_id, '' from changed
where payments = 0 and amount >= 1 and adjustments = amount
"""
# a merge moves what was charted for the old id to the survivor, whom no appointment of ours may name; taken back, it
# moves again, to whoever had it
HOLDERS = """
select merged_into, '' from changed where merged_into <> ''
union all select unnest(array[external_id, unmerged_from]), '' from changed where unmerged_from <> ''
"""
CHARTS_OF_HOLDERS = """
select p.merged_into, s.scope from changed p
join sync_subject s on s.practice_id = p.practice_id and s.resource = 'encounters' and s.key = p.external_id
where p.merged_into <> ''
union all
select s.key, s.scope from changed p
join sync_subject s
  on s.practice_id = p.practice_id and s.resource = 'encounters' and s.key in (p.external_id, p.unmerged_from)
where p.unmerged_from <> ''
"""
NAMED_CLAIMS = """
select external_id, '' from changed
where gone_at is null
  and primary_status = '' and secondary_status = '' and patient_status = '' and service_date is null
"""
CLAIMS_OF_LINES = """
select claim_id, '' from changed
"""

FHIR = (
    "fhir_encounters",
    "diagnostic_reports",
    "observations",
    "conditions",
    "medication_requests",
    "document_references",
)
RESULTS = frozenset({"diagnostic_reports", "observations"})

Rule = tuple[str, str, str, bool]
"""(table that changed, subjects' resource, SQL that finds their keys, ask again if asked before)."""

ROUTES: dict[str, tuple[Rule, ...]] = {
    "appointments": (
        ("appointment", "patients", ANY_PATIENT, False),
        ("appointment", "insurances", ANY_PATIENT, False),
        ("appointment", "fhir_patients", PATIENTS_SEEN, False),
        ("appointment", "encounters", CHARTS, True),
        ("appointment", "services", SERVICES_OF_VISITS, True),
        ("claim", "claims", NAMED_CLAIMS, False),  # named by an appointment, in no window yet
        *(
            ("appointment", name, PATIENTS_OF_RESULTS if name in RESULTS else PATIENTS_SEEN, True)
            for name in FHIR
        ),
    ),
    "patients": (
        ("patient", "encounters", CHARTS_OF_HOLDERS, True),
        *(("patient", name, HOLDERS, True) for name in FHIR),
    ),
    "encounters": (
        ("encounter", "services", DOCUMENTED, True),
        *(("encounter", name, SIGNED_PATIENTS, True) for name in FHIR),
    ),
    "claims": (
        ("claim", "transactions", CLAIMS, True),
        ("chargeline", "transactions", CLAIMS_OF_LINES, True),
        ("claim", "claim_notes", OPEN_CLAIMS, True),
        ("claim", "patients", ANY_PATIENT, False),
        ("claim", "insurances", ANY_PATIENT, False),
    ),
    "transactions": (("chargeline", "claim_notes", LINES_PAID_NOTHING, True),),
}

STILL_OPEN = """not (c.primary_status in ('', 'CLOSED') and c.secondary_status in ('', 'CLOSED')
                    and c.patient_status in ('', 'CLOSED'))"""

# What was asked for before this copy was fetched has been answered by it; what was asked for since has not. Nobody
# will ask again of a claim that arrives closed.
KNOW_CLAIMS = """
with changed as ({changed})
insert into sync_subject as s (practice_id, resource, key, scope, fetched_at)
select c.practice_id, 'claims', c.external_id, '', c.fetched_at from changed c
where {open} or exists (
    select from sync_subject k where k.practice_id = c.practice_id and k.resource = 'claims' and k.key = c.external_id
)
order by c.external_id
on conflict (practice_id, resource, key, scope) do update
set fetched_at = excluded.fetched_at, due_at = case when s.due_at > excluded.fetched_at then s.due_at end
"""


def route(practice_id: int, resource: str, touched: Touched, now: datetime) -> None:
    """Make the subjects around changed records due, in the caller's transaction."""
    changed = {table: CHANGED.format(table=table) for table, ids in touched.items() if ids}
    routes = routes_of(resource)
    statements = [
        MAKE_DUE.format(changed=changed[table], found=found)
        for table, found in routes.items()
        if table in changed
    ]
    if resource == "claims" and "claim" in changed:
        statements.append(KNOW_CLAIMS.format(changed=changed["claim"], open=STILL_OPEN))
    ids = {table: literals.text_array(ids) for table, ids in touched.items()}
    fetch({"practice": practice_id, "now": now, **ids}, *statements)


def telling(resource: str, touched: Touched, facts: Iterable[Sourced]) -> Touched:
    """Of the rows that this feed's facts touched, those that may name somebody to ask about."""
    if resource == "claims":
        return without_lines_of_touched_claims(touched, facts)
    if resource == "transactions":
        return only_lines_paid_nothing(touched, facts)
    return touched


def without_lines_of_touched_claims(touched: Touched, facts: Iterable[Sourced]) -> Touched:
    """What a claim brings of such a line names nobody to ask about that the claim does not; there are three to it."""
    claims, lines = touched.get("claim", set()), touched.get("chargeline", set())
    if not claims or not lines:
        return touched
    told = {
        one.fact.external_id
        for one in facts
        if isinstance(one.fact, ChargeFact) and one.fact.claim_id in claims
    }
    return touched | {"chargeline": lines - told}


def only_lines_paid_nothing(touched: Touched, facts: Iterable[Sourced]) -> Touched:
    """No other line makes anybody due, and nearly all are others."""
    paid_nothing = {
        one.fact.external_id
        for one in facts
        if isinstance(one.fact, TransactionFact) and one.fact.payments == 0
    }
    return {"chargeline": touched.get("chargeline", set()) & paid_nothing}


@cache
def routes_of(resource: str) -> dict[str, str]:
    """Table that changed → SQL that finds the subjects of all its rules."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for table, subjects, found, again in ROUTES.get(resource, ()):
        by_table[table].append(rule(subjects, found, again=again))
    return {table: " union all ".join(rules) for table, rules in by_table.items()}


def rule(resource: str, found: str, *, again: bool) -> str:
    return RULE.format(resource=resource, found=found, settled=DUE_ALREADY if again else ASKED_ONCE)


def ask_about_all(practice_id: int, resource: str, table: str, now: datetime) -> None:
    """Every record we hold, by its own id, in the caller's transaction. Whom another writer adds meanwhile is due."""
    held = f"select * from records_{table} where practice_id = %(practice)s and gone_at is null"  # noqa: S608
    every = rule(resource, "select external_id, '' from changed", again=True)
    statement = MAKE_DUE.format(changed=held, found=every) + "on conflict do nothing"
    fetch({"practice": practice_id, "now": now}, statement)


def due(practice_id: int, resource: str, now: datetime, limit: int) -> list[Subject]:
    """The oldest due subjects first."""
    rows = Subject.objects.filter(practice_id=practice_id, resource=resource, due_at__lte=now)
    return list(rows.order_by("due_at", "id")[:limit])


def due_resources(practice_id: int, now: datetime) -> set[str]:
    """Those of which any subject is due."""
    rows = Subject.objects.filter(practice_id=practice_id, due_at__lte=now)
    return set(rows.order_by().values_list("resource", flat=True).distinct())


def asked(subjects: Sequence[Subject], at: datetime) -> None:
    """Done, unless something made a subject due again since it was taken; in the caller's transaction."""
    if not subjects:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update sync_subject s set fetched_at = %s, due_at = case when s.due_at > t.due_at then s.due_at end
            from unnest(%s::bigint[], %s::timestamptz[]) as t(id, due_at) where s.id = t.id
            """,
            [at, [s.pk for s in subjects], [s.due_at for s in subjects]],
        )


def put_off(subjects: Sequence[Subject], to: datetime) -> None:
    """Still due, behind those that wait already: one that always fails must not keep the others from their turn."""
    if subjects:  # to find out that none is meant takes Django as long as a statement
        Subject.objects.filter(pk__in=[s.pk for s in subjects]).update(due_at=to)
