"""An appointment of athenaOne → its fact, and the bridge to the claims it nests."""

from __future__ import annotations

from datetime import datetime

from athena_dash.records.facts import AppointmentFact, ClaimAppointment
from athena_dash.sync.normalise.context import Context, Unmapped, eastern
from integrations.athena import payloads
from integrations.athena.values import instant

STATUSES = frozenset("xfo234")  # appointmentstatus, athena-api.md §2.2


def appointment(body: bytes, context: Context) -> tuple[AppointmentFact | ClaimAppointment, ...]:
    """Nested claims give only the bridge: their money and statuses come from `/claims`, one owner per column."""
    seen = payloads.read(payloads.Appointment, body)
    status = seen.appointmentstatus or ""
    if status not in STATUSES:
        raise Unmapped("appointmentstatus", "Appointment status", status)
    department = seen.departmentid or ""
    starts = datetime.combine(seen.date, seen.starttime) if seen.date and seen.starttime else None
    return (
        AppointmentFact(
            external_id=seen.appointmentid,
            patient_id=seen.patientid or "",
            department_id=department,
            provider_id=seen.providerid or "",
            rendering_provider_id=seen.renderingproviderid or "",
            supervising_provider_id=seen.supervisingproviderid or "",
            date=seen.date,
            start=seen.starttime,
            starts_at=instant(starts, context.zone(department)) if starts else None,
            minutes=seen.duration,
            type_name=seen.patientappointmenttypename or seen.appointmenttype or "",
            status=status,
            scheduled_at=eastern(seen.scheduleddatetime),
            checked_in_at=context.local(seen.checkindatetime or seen.stopcheckin, department),
            checked_out_at=context.local(seen.checkoutdatetime, department),
            exam_done_at=context.local(seen.stopexamdatetime, department),
            cancelled_at=eastern(seen.cancelleddatetime),
            cancel_reason=seen.cancelreasonname or "",
            no_show=bool(seen.cancelreasonnoshow),
            rescheduled_to=seen.rescheduledappointmentid or "",
            charge_entry_not_required=bool(seen.chargeentrynotrequired),
            charge_entry_not_required_reason=seen.chargeentrynotrequiredreason or "",
            encounter_id=seen.encounterid or "",
            encounter_state=seen.encounterstate or "",
            encounter_status=seen.encounterstatus or "",
            copay=seen.copay,
        ),
        *(
            ClaimAppointment(external_id=claim.claimid, appointment_id=seen.appointmentid)
            for claim in seen.claims
        ),
    )
