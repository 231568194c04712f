"""GET /chart/{patient}/encounters, /chart/encounter/{id} (a 1-element array) and /encounter/{id}/services.

Ids are numbers here (recorded 2019), `lastupdated` is a day without a time, and inpatient stays are unknown.
"""

from __future__ import annotations

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import invalid_field, no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, by_id, one
from integrations.sandbox.server.wire import EASTERN, number, present, us_day
from integrations.sandbox.world import Department, Encounter, Patient, Provider, Service

DEFAULT_STATUSES = ("OPEN", "CLOSED", "REVIEW")
DEFAULT_TYPES = ("VISIT", "ORDERSONLY")
PATIENT_STATUS = {
    "READYFORSTAFF": (1, "Ready For Staff"),
    "WITHSTAFF": (2, "With Staff"),
    "READYFORPROVIDER": (3, "Ready For Provider"),
    "CHECKEDOUT": (4, "Checked Out"),
}


def patient_encounters(call: Call) -> object:
    """departmentid selects the chart, which all departments of a practice share here: it filters nothing."""
    query, patient_id = call.query, call.ids["patientid"]
    query.require("departmentid")
    if one(call.store, call.practice, Department, query.text("departmentid") or "") is None:
        raise invalid_field("departmentid", "Invalid DEPARTMENTID.")
    if one(call.store, call.practice, Patient, patient_id) is None:
        raise no_such("patient")
    first, last = query.day("startdate"), query.day("enddate")
    where = (
        Filter()
        .equal("patient_id", patient_id)
        .equal("parent_id", query.text("appointmentid"))
        .equal("$.provider_id", query.text("providerid"))
        .between("day", first, last)
        .matching("coalesce(json_extract(cast(doc as text), '$.inpatient'), 0) = 0")
    )
    for shown, field, default, usual in (
        ("showallstatuses", "status", "OPEN", DEFAULT_STATUSES),
        ("showalltypes", "kind", "VISIT", DEFAULT_TYPES),
    ):
        if not query.flag(shown):
            where.matching(
                f"coalesce(json_extract(cast(doc as text), '$.{field}'), '{default}')"
                f" in ({','.join('?' * len(usual))})",
                *usual,
            )
    return listing(
        call,
        "encounters",
        Encounter,
        where,
        lambda found: render_all(call, found, diagnoses=query.flag("showdiagnoses")),
        default=1000,
        largest=10_000,
    )


def get_encounter(call: Call) -> object:
    return render_all(call, [find(call)], diagnoses=False)


def render_all(call: Call, encounters: list[Encounter], *, diagnoses: bool) -> list[object]:
    providers = by_id(call.store, call.practice, Provider, [item.provider_id for item in encounters])
    return [render(item, providers.get(item.provider_id), diagnoses=diagnoses) for item in encounters]


def render(encounter: Encounter, provider: Provider | None, *, diagnoses: bool) -> dict[str, object]:
    status_id, status_name = PATIENT_STATUS.get(encounter.progress, (None, None))
    left = encounter.progress == "CHECKEDOUT"
    row = present(
        encounterid=number(encounter.id),
        appointmentid=number(encounter.appointment_id) if encounter.appointment_id else None,
        departmentid=number(encounter.department_id),
        providerid=number(encounter.provider_id),
        providerfirstname=provider and provider.first_name,
        providerlastname=provider and provider.last_name,
        encountertype=encounter.kind,
        status=encounter.status,
        # Recorded: a patient who has left has no stage and no room any more.
        stage=None if left else encounter.stage,
        patientlocationid=None if left else 21,
        patientlocation=None if left else "Patient Rm. 1",
        patientstatusid=status_id,
        patientstatus=status_name,
        encounterdate=us_day(encounter.day),
        encountervisitname=encounter.visit_name or None,
        lastupdated=us_day(encounter.modified.astimezone(EASTERN).date()),
        closeddate=us_day(encounter.closed_at.astimezone(EASTERN).date()) if encounter.closed_at else None,
        closeduser="sandbox" if encounter.closed_at else None,
        lastreopened=us_day(encounter.reopened_at.astimezone(EASTERN).date())
        if encounter.reopened_at
        else None,
    )
    if diagnoses:
        row["diagnoses"] = [
            {
                "diagnosisid": number(f"{encounter.id}{rank:02}"),
                "snomedcode": number(item.snomed),
                "description": item.description,
                "ranking": rank,
                "icdcodes": [{"code": item.icd10, "codeset": "ICD10", "description": item.description}],
            }
            for rank, item in enumerate(encounter.diagnoses)
        ]
    return row


def encounter_services(call: Call) -> object:
    """No response of this endpoint was ever recorded: field names are those of its documented inputs."""
    encounter = find(call)
    where = Filter().equal("parent_id", encounter.id)
    return listing(call, "services", Service, where, lambda found: [service(item) for item in found])


def service(service: Service) -> dict[str, object]:
    return {
        "serviceid": number(service.id),
        "procedurecode": service.procedure_code,
        "description": service.description,
        "units": service.units,
        "modifiers": list(service.modifiers),
        "icd10codes": list(service.icd10),
        "billforservice": service.bill_for_service,
    }


def find(call: Call) -> Encounter:
    encounter = one(call.store, call.practice, Encounter, call.ids["encounterid"])
    if encounter is None or encounter.inpatient:
        raise no_such("encounter")
    return encounter


ENDPOINTS = [
    Endpoint("GET", "/chart/encounter/{encounterid}", get_encounter, "encounterid"),
    Endpoint("GET", "/chart/{patientid}/encounters", patient_encounters, "encounterid"),
    Endpoint("GET", "/encounter/{encounterid}/services", encounter_services, "serviceid"),
]
