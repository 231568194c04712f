"""The appointment: where most visits begin, and athena's only bridge between encounter and claim."""

from __future__ import annotations

from django.db import models

from athena_dash.records.models.base import Record, natural_key


class Appointment(Record):
    """`status` is athena's appointmentstatus: x cancelled, f future (or never checked in), o open, 2 checked in,
    3 checked out, 4 charge entered. Instants are UTC; `date` and `start` are the department's local ones."""

    patient_id = models.TextField(default="")
    department_id = models.TextField(default="")
    provider_id = models.TextField(default="")
    rendering_provider_id = models.TextField(default="")
    supervising_provider_id = models.TextField(default="")
    date = models.DateField(null=True)
    start = models.TimeField(null=True)
    starts_at = models.DateTimeField(null=True)
    minutes = models.IntegerField(null=True)
    type_name = models.TextField(default="")
    status = models.TextField(default="")
    scheduled_at = models.DateTimeField(null=True)
    checked_in_at = models.DateTimeField(null=True)
    checked_out_at = models.DateTimeField(null=True)
    exam_done_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.TextField(default="")
    no_show = models.BooleanField(default=False)
    rescheduled_to = models.TextField(default="")
    charge_entry_not_required = models.BooleanField(default=False)
    charge_entry_not_required_reason = models.TextField(default="")
    encounter_id = models.TextField(default="")
    encounter_state = models.TextField(default="")  # OPEN | CLOSED | PEND | DELETED
    # READYFORSTAFF | WITHSTAFF | READYFORPROVIDER | CHECKEDOUT
    encounter_status = models.TextField(default="")
    copay = models.DecimalField(max_digits=12, decimal_places=2, null=True)

    class Meta:
        constraints = [natural_key("appointment_natural_key")]
        indexes = [
            models.Index(fields=["practice", "patient_id", "date"], name="appointment_patient_day"),
            models.Index(fields=["practice", "date"], name="appointment_day"),
            models.Index(
                fields=["practice", "encounter_id"],
                name="appointment_encounter",
                condition=~models.Q(encounter_id=""),
            ),
        ]
