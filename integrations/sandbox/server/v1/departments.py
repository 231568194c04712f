"""GET /departments and /departments/{id} (recorded 2023)."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.server.wire import present
from integrations.sandbox.world import Department

PLACES = {
    "11": "OFFICE",
    "02": "TELEHEALTH",
    "19": "OFF CAMPUS-OUTPATIENT HOSPITAL",
    "21": "INPATIENT HOSPITAL",
}
CARDS = ["AX", "DS", "MC", "VI"]


def list_departments(call: Call) -> object:
    return listing(
        call, "departments", Department, Filter(), lambda found: [render(call, item) for item in found]
    )


def get_department(call: Call) -> object:
    found = one(call.store, call.practice, Department, call.ids["departmentid"])
    if found is None:
        raise no_such("department")
    return [render(call, found)]


def render(call: Call, department: Department) -> dict[str, object]:
    """`timezone` is today's offset, daylight saving included; `timezoneoffset` the standard one."""
    today = call.sandbox.clock().astimezone(ZoneInfo(department.timezone))
    offset = today.utcoffset() or timedelta()
    standard = offset - (today.dst() or timedelta())
    return present(
        departmentid=department.id,
        name=department.name,
        patientdepartmentname=department.name,
        address=f"{department.id} SANDBOX STREET",
        city=department.city.upper(),
        state=department.state,
        zip="00000",
        phone="(555) 555-0100",
        fax="5555550101",
        timezone=hours(offset),
        timezoneoffset=hours(standard),
        timezonename=department.timezone,
        doesnotobservedst=department.timezone in {"America/Phoenix", "Pacific/Honolulu"},
        providergroupid="1",
        providergroupname="Sandbox Medical Group",
        chartsharinggroupid="1",
        communicatorbrandid="1",
        servicedepartment=True,
        clinicals="ON" if department.clinicals else "OFF",
        placeofservicetypeid=department.place_of_service,
        placeofservicetypename=PLACES.get(department.place_of_service, "OFFICE"),
        placeofservicefacility=department.place_of_service == "21",
        ishospitaldepartment=department.place_of_service == "21",
        medicationhistoryconsent=False,
        portalurl=f"{call.practice}-1.portal.example.invalid",
        federaltaxid="000000000",
        singleappointmentcontractmax="3000",
        oneyearcontractmax="1500",
        latitude="0.00000",
        longitude="0.00000",
        creditcardtypes=CARDS,
        ecommercecreditcardtypes=CARDS,
    )


def hours(offset: timedelta) -> int:
    return int(offset.total_seconds() // 3600)


ENDPOINTS = [
    Endpoint("GET", "/departments", list_departments, "departmentid"),
    Endpoint("GET", "/departments/{departmentid}", get_department, "departmentid"),
]
