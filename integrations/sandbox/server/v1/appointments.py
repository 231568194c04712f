"""GET /appointments/booked (one or several departments), /appointments/open, by id, and of one patient."""

from __future__ import annotations

from datetime import timedelta

from integrations.sandbox.server.call import Call, Endpoint
from integrations.sandbox.server.errors import no_such
from integrations.sandbox.server.paging import listing
from integrations.sandbox.server.reads import Filter, one
from integrations.sandbox.server.v1.appointment_view import render_all, slot
from integrations.sandbox.server.wire import money_number, number
from integrations.sandbox.world import Appointment, Patient

OPEN, CANCELLED = "o", "x"


def booked(call: Call) -> object:
    """A date range is required; open slots are never booked; cancelled ones only with showcancelled."""
    query = call.query
    query.require("startdate", "enddate")
    first, last = query.day("startdate"), query.day("enddate")
    since, until = query.stamp("startlastmodified"), query.stamp("endlastmodified")
    scheduled_first, scheduled_last = query.day("scheduledstartdate"), query.day("scheduledenddate")
    where = (
        Filter()
        .between("day", first, last)
        .among("department_id", query.texts("departmentid"))
        .among("patient_id", query.texts("patientid"))
        .among("$.provider_id", query.texts("providerid"))
        .among("$.status", query.texts("appointmentstatus"))
        .equal("$.type_id", query.text("appointmenttypeid"))
        .compare("created", ">=", scheduled_first)
        .compare("created", "<", scheduled_last and scheduled_last + timedelta(days=1))
        .between("modified", since, until)
        .matching("json_extract(cast(doc as text), '$.status') <> ?", OPEN)
    )
    if not query.flag("showcancelled") and query.text("appointmentstatus") != CANCELLED:
        where.matching("json_extract(cast(doc as text), '$.status') <> ?", CANCELLED)
    return listing(
        call, "appointments", Appointment, where, lambda found: render_all(call, found), default=1000
    )


def booked_in_departments(call: Call) -> object:
    call.query.require("departmentid")
    return booked(call)


def open_slots(call: Call) -> object:
    """Numbers where the booked view has text (recorded 2023); nothing without a reason or a type."""
    query = call.query
    query.require("departmentid")
    first = query.day("startdate") or call.sandbox.clock().date()
    last = query.day("enddate") or first + timedelta(days=7)
    where = (
        Filter()
        .between("day", first, last)
        .among("department_id", query.texts("departmentid"))
        .among("$.provider_id", query.texts("providerid"))
        .equal("$.type_id", query.text("appointmenttypeid"))
        .equal("$.status", OPEN)
    )
    if not (query.text("reasonid") or query.text("appointmenttypeid")):
        where.matching("0")
    return listing(
        call, "appointments", Appointment, where, lambda found: [open_slot(item) for item in found]
    )


def open_slot(appointment: Appointment) -> dict[str, object]:
    row = slot(appointment)
    del row["appointmentstatus"]
    for name in ("appointmentid", "departmentid", "providerid", "appointmenttypeid"):
        row[name] = number(str(row[name]))
    return row | {
        "duration": appointment.minutes,
        "localproviderid": row["providerid"],
        "reasonid": ["-1"],
    }


def get_appointment(call: Call) -> object:
    found = one(call.store, call.practice, Appointment, call.ids["appointmentid"])
    if found is None:
        raise no_such("appointment")
    return render_all(call, [found])


def patient_appointments(call: Call) -> object:
    """The short view; past and cancelled ones only on request."""
    query, patient_id = call.query, call.ids["patientid"]
    if one(call.store, call.practice, Patient, patient_id) is None:
        raise no_such("patient")
    first, last = query.day("startdate"), query.day("enddate")
    if first is None and not query.flag("showpast"):
        first = call.sandbox.clock().date()
    where = Filter().equal("patient_id", patient_id).between("day", first, last)
    if not query.flag("showcancelled"):
        where.matching("json_extract(cast(doc as text), '$.status') <> ?", CANCELLED)
    return listing(call, "appointments", Appointment, where, lambda found: [short(item) for item in found])


def short(appointment: Appointment) -> dict[str, object]:
    return slot(appointment) | {"copay": money_number(appointment.copay)}


ENDPOINTS = [
    Endpoint("GET", "/appointments/booked", booked, "appointmentid"),
    Endpoint("GET", "/appointments/booked/multipledepartment", booked_in_departments, "appointmentid"),
    Endpoint("GET", "/appointments/open", open_slots, "appointmentid"),
    Endpoint("GET", "/appointments/{appointmentid}", get_appointment, "appointmentid"),
    Endpoint("GET", "/patients/{patientid}/appointments", patient_appointments, "appointmentid"),
]
