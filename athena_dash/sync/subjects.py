"""Which patients, encounters and claims must be asked about one by one, and when; holds raw SQL.

athenaOne has no practice-wide list of encounters, insurances, transactions or FHIR facts: each record that arrives
makes the subjects around it due here (`route`), and open ones come due again by the planner (sync.planning).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from athena_dash.records.upsert import Touched
from athena_dash.sync.models import Subject

MAKE_DUE = """
insert into sync_subject as s (practice_id, resource, key, scope, due_at)
select distinct %(practice)s, %(resource)s, found.key, found.scope, %(now)s::timestamptz
from ({found}) as found(key, scope) where found.key <> ''
on conflict (practice_id, resource, key, scope) do update set due_at = excluded.due_at
where {again}
"""

# appointmentstatus 2, 3, 4: the patient came
PATIENTS_SEEN = """
select patient_id, '' from records_appointment
where practice_id = %(practice)s and external_id = any(%(ids)s) and status in ('2', '3', '4')
"""
CHARTS = """
select patient_id, department_id from records_appointment
where practice_id = %(practice)s and external_id = any(%(ids)s)
  and (status in ('2', '3', '4') or encounter_id <> '')
"""
ANY_PATIENT = """
select patient_id, '' from {table} where practice_id = %(practice)s and external_id = any(%(ids)s)
"""
SIGNED_PATIENTS = """
select patient_id, '' from records_encounter
where practice_id = %(practice)s and external_id = any(%(ids)s) and status = 'CLOSED'
"""
DOCUMENTED = """
select external_id, '' from records_encounter
where practice_id = %(practice)s and external_id = any(%(ids)s)
  and kind in ('VISIT', 'ORDERSONLY') and status in ('OPEN', 'REVIEW', 'CLOSED')
"""
CLAIMS = """
select external_id, '' from records_claim where practice_id = %(practice)s and external_id = any(%(ids)s)
"""
# athena dates no status; its notes are the nearest thing to a history, so every open claim's are read
OPEN_CLAIMS = """
select external_id, '' from records_claim
where practice_id = %(practice)s and external_id = any(%(ids)s)
  and not (primary_status in ('', 'CLOSED') and secondary_status in ('', 'CLOSED'))
"""
# a merge moves what was charted for the old id to the survivor, whom no appointment of ours may name
SURVIVORS = """
select merged_into, '' from records_patient
where practice_id = %(practice)s and external_id = any(%(ids)s) and merged_into <> ''
"""
CHARTS_OF_SURVIVORS = """
select p.merged_into, s.scope from records_patient p
join sync_subject s on s.practice_id = p.practice_id and s.resource = 'encounters' and s.key = p.external_id
where p.practice_id = %(practice)s and p.external_id = any(%(ids)s) and p.merged_into <> ''
"""
NAMED_CLAIMS = """
select external_id, '' from records_claim
where practice_id = %(practice)s and external_id = any(%(ids)s) and gone_at is null
  and primary_status = '' and secondary_status = '' and patient_status = '' and service_date is null
"""
CLAIMS_OF_LINES = """
select claim_id, '' from records_chargeline where practice_id = %(practice)s and external_id = any(%(ids)s)
"""

FHIR = (
    "fhir_encounters",
    "diagnostic_reports",
    "observations",
    "conditions",
    "medication_requests",
    "document_references",
)

Rule = tuple[str, str, str, bool]
"""(table that changed, subjects' resource, SQL that finds their keys, ask again if asked before)."""

ROUTES: dict[str, tuple[Rule, ...]] = {
    "appointments": (
        ("appointment", "patients", ANY_PATIENT.format(table="records_appointment"), False),
        ("appointment", "insurances", ANY_PATIENT.format(table="records_appointment"), False),
        ("appointment", "fhir_patients", PATIENTS_SEEN, False),
        ("appointment", "encounters", CHARTS, True),
        ("claim", "claims", NAMED_CLAIMS, False),  # named by an appointment, in no window yet
        *(("appointment", name, PATIENTS_SEEN, True) for name in FHIR),
    ),
    "patients": (
        ("patient", "encounters", CHARTS_OF_SURVIVORS, True),
        *(("patient", name, SURVIVORS, True) for name in FHIR),
    ),
    "encounters": (
        ("encounter", "services", DOCUMENTED, True),
        *(("encounter", name, SIGNED_PATIENTS, True) for name in FHIR),
    ),
    "claims": (
        ("claim", "transactions", CLAIMS, True),
        ("chargeline", "transactions", CLAIMS_OF_LINES, True),
        ("claim", "claim_notes", OPEN_CLAIMS, True),
        ("claim", "patients", ANY_PATIENT.format(table="records_claim"), False),
        ("claim", "insurances", ANY_PATIENT.format(table="records_claim"), False),
    ),
}

# what was asked for before this copy was fetched has been answered by it; what was asked for since has not
KNOW_CLAIMS = """
insert into sync_subject as s (practice_id, resource, key, scope, fetched_at)
select c.practice_id, 'claims', c.external_id, '', c.fetched_at from records_claim c
where c.practice_id = %(practice)s and c.external_id = any(%(ids)s)
on conflict (practice_id, resource, key, scope) do update
set fetched_at = excluded.fetched_at, due_at = case when s.due_at > excluded.fetched_at then s.due_at end
"""


def route(practice_id: int, resource: str, touched: Touched, now: datetime) -> None:
    """Make the subjects around changed records due, in the caller's transaction."""
    with connection.cursor() as cursor:
        for table, subjects, found, again in ROUTES.get(resource, ()):
            if ids := touched.get(table):
                statement = MAKE_DUE.format(found=found, again="true" if again else "false")
                cursor.execute(
                    statement, {"practice": practice_id, "resource": subjects, "ids": list(ids), "now": now}
                )
        if resource == "claims" and (claims := touched.get("claim")):
            cursor.execute(KNOW_CLAIMS, {"practice": practice_id, "ids": list(claims)})


def ask_about_all(practice_id: int, resource: str, table: str, now: datetime) -> None:
    """Every record we hold, by its own id, in the caller's transaction."""
    found = (
        f"select external_id, '' from records_{table} where practice_id = %(practice)s and gone_at is null"  # noqa: S608
    )
    with connection.cursor() as cursor:
        cursor.execute(
            MAKE_DUE.format(found=found, again="true"),
            {"practice": practice_id, "resource": resource, "now": now},
        )


def due(practice_id: int, resource: str, now: datetime, limit: int) -> list[Subject]:
    """The oldest due subjects first."""
    rows = Subject.objects.filter(practice_id=practice_id, resource=resource, due_at__lte=now)
    return list(rows.order_by("due_at", "id")[:limit])


def asked(subjects: Sequence[Subject], at: datetime) -> None:
    """Done, unless something made a subject due again since it was taken; in the caller's transaction."""
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
    Subject.objects.filter(pk__in=[s.pk for s in subjects]).update(due_at=to)
