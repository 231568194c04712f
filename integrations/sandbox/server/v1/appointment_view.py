"""An appointment as v1 shows it: with its encounter's progress and, on request, its claims nested inside.

Keys and types as recorded in 2019-2020; the status of the appointment and of the encounter are independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from integrations.sandbox.server.call import Call
from integrations.sandbox.server.reads import by_id, many
from integrations.sandbox.server.v1 import claim_view
from integrations.sandbox.server.wire import EASTERN, money_number, number, present, us_day, us_stamp
from integrations.sandbox.world import Appointment, Claim, Department, Encounter


def render_all(call: Call, appointments: Sequence[Appointment]) -> list[object]:
    store, practice, query = call.store, call.practice, call.query
    encounters = by_id(store, practice, Encounter, [item.encounter_id for item in appointments])
    departments = by_id(store, practice, Department, [item.department_id for item in appointments])
    claims: dict[str, list[Claim]] = {}
    if query.flag("showclaimdetail"):
        claims = many(store, practice, Claim, [item.id for item in appointments], by="parent_id")
    show_copay = query.flag("showcopay", default=True)
    rows: list[object] = []
    for item in appointments:
        department = departments.get(item.department_id)
        zone = ZoneInfo(department.timezone) if department else EASTERN
        row = render(item, encounters.get(item.encounter_id or ""), zone)
        if show_copay and item.patient_id and item.status != "x":
            row["copay"] = money_number(item.copay)
        if found := claims.get(item.id):
            row["claims"] = [claim_view.nested(claim) for claim in found]
        rows.append(row)
    return rows


def slot(appointment: Appointment) -> dict[str, object]:
    """The part every view of an appointment has, also an open slot."""
    return {
        "appointmentid": appointment.id,
        "date": us_day(appointment.day),
        "starttime": appointment.start.strftime("%H:%M"),
        "departmentid": appointment.department_id,
        "providerid": appointment.provider_id,
        "appointmentstatus": appointment.status,
        "appointmenttypeid": appointment.type_id,
        "appointmenttype": appointment.type_name,
        "patientappointmenttypename": appointment.type_name,
    }


def render(appointment: Appointment, encounter: Encounter | None, zone: ZoneInfo) -> dict[str, object]:
    row = {
        **slot(appointment),
        "duration": appointment.minutes,
        "chargeentrynotrequired": appointment.charge_entry_not_required,
    }
    if appointment.patient_id is None:
        return row
    return row | booking(appointment) | desk(appointment, zone) | cancellation(appointment) | note(encounter)


def booking(appointment: Appointment) -> dict[str, object]:
    scheduled = appointment.scheduled_at or appointment.modified
    return present(
        patientid=appointment.patient_id,
        hl7providerid=number(appointment.provider_id),
        renderingproviderid=appointment.rendering_provider_id,
        supervisingproviderid=appointment.supervising_provider_id,
        scheduledby="sandbox",
        scheduleddatetime=us_stamp(scheduled),
        lastmodifiedby="sandbox",
        lastmodified=us_stamp(appointment.modified),
        templateappointmentid=appointment.id,
        templateappointmenttypeid=appointment.type_id,
        coordinatorenterprise=False,
        chargeentrynotrequiredreason=appointment.charge_entry_not_required_reason,
    )


def desk(appointment: Appointment, zone: ZoneInfo) -> dict[str, object]:
    """What the front desk and the exam room stamped, in the department's own time."""
    arrived = appointment.checked_in_at
    left = appointment.checked_out_at
    stamps = {
        "startcheckin": arrived,
        "stopcheckin": arrived,
        "checkindatetime": arrived,
        "stopintakedatetime": appointment.intake_done_at,
        "stopexamdatetime": appointment.exam_done_at,
        "startcheckoutdatetime": left,
        "checkoutdatetime": left,
    }
    row: dict[str, object] = {name: us_stamp(at, zone) for name, at in stamps.items() if at}
    if appointment.status == "2":
        row["patientlocationid"] = "21"
    return row


def cancellation(appointment: Appointment) -> dict[str, object]:
    if appointment.status != "x":
        return {}
    return present(
        cancelledby="sandbox",
        cancelleddatetime=us_stamp(appointment.cancelled_at or appointment.modified),
        cancelreasonid="-5",
        cancelreasonname=appointment.cancel_reason or "CANCELLED",
        cancelreasonnoshow=appointment.cancel_no_show,
        cancelreasonslotavailable=not appointment.cancel_no_show,
        rescheduledappointmentid=appointment.rescheduled_to,
    )


def note(encounter: Encounter | None) -> dict[str, object]:
    """A pre-visit encounter is PEND and has no progress yet (21 of 930 future ones, recorded 2019)."""
    if encounter is None or encounter.inpatient:
        return {}
    return present(
        encounterid=encounter.id,
        encounterstate=encounter.status,
        encounterstatus=None if encounter.status == "PEND" else encounter.progress,
    )
