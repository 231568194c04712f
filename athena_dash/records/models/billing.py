"""The revenue half: insurances, claims with three payer slots, their lines, notes and status history."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from athena_dash.records.facts import SLOTS
from athena_dash.records.models.base import Record, natural_key

MONEY: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}


class Insurance(Record):
    patient_id = models.TextField(default="")
    package_id = models.TextField(default="")
    plan_name = models.TextField(default="")
    payer_name = models.TextField(default="")  # athena's ircname
    insurance_type = models.TextField(default="")
    sequence = models.IntegerField(null=True)  # 1 primary, 2 secondary
    eligibility_status = models.TextField(default="")  # Eligible | Ineligible | Unverified
    eligibility_checked_on = models.DateField(null=True)
    issued_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    cancelled_on = models.DateField(null=True)

    class Meta:
        constraints = [natural_key("insurance_natural_key")]
        indexes = [models.Index(fields=["practice", "patient_id"], name="insurance_patient")]


class Claim(Record):
    """Statuses are athena's raw words per payer slot, an open set; practices.statuses says what they mean.

    `appointment_id` is empty where athena does not say. `charge_amount` is the sum of the lines, gross dollars.
    `first_seen` is when `/claims` first showed it. athena dates no status: the `_since` of a slot is when we saw its
    present status begin; null while that is the first we saw, which may be older than we know.
    """

    appointment_id = models.TextField(default="")
    patient_id = models.TextField(default="")
    department_id = models.TextField(default="")
    billed_provider_id = models.TextField(default="")
    supervising_provider_id = models.TextField(default="")
    service_date = models.DateField(null=True)
    created_date = models.DateField(null=True)
    charge_amount = models.DecimalField(**MONEY, null=True)
    primary_status = models.TextField(default="")
    primary_insurance_id = models.TextField(default="")
    secondary_status = models.TextField(default="")
    secondary_insurance_id = models.TextField(default="")
    patient_status = models.TextField(default="")
    first_seen = models.DateTimeField(null=True)
    primary_since = models.DateTimeField(null=True)
    secondary_since = models.DateTimeField(null=True)
    patient_since = models.DateTimeField(null=True)
    diagnosis_codes = ArrayField(models.TextField(), default=list)
    procedure_codes = ArrayField(models.TextField(), default=list)

    class Meta:
        constraints = [natural_key("claim_natural_key")]
        indexes = [
            models.Index(
                fields=["practice", "appointment_id"],
                name="claim_appointment",
                condition=~models.Q(appointment_id=""),
            ),
            models.Index(fields=["practice", "patient_id", "service_date"], name="claim_patient_day"),
        ]


NAMED_ONLY = models.Q(primary_status="", secondary_status="", patient_status="", service_date__isnull=True)
"""A claim an appointment has named and `/claims` has not shown us yet: it exists over there, and not here."""


class ChargeLine(Record):
    """A line of a claim, keyed by athena's transactionid. Payments, adjustments and outstanding are aggregates
    known only from `/claimtransactions`; null until that view was read."""

    claim_id = models.TextField()
    procedure_code = models.TextField(default="")
    description = models.TextField(default="")
    amount = models.DecimalField(**MONEY, null=True)
    units = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    posted_on = models.DateField(null=True)
    payments = models.DecimalField(**MONEY, null=True)
    adjustments = models.DecimalField(**MONEY, null=True)
    outstanding = models.DecimalField(**MONEY, null=True)
    payer = models.TextField(default="")

    class Meta:
        constraints = [natural_key("charge_line_natural_key")]
        indexes = [models.Index(fields=["practice", "claim_id"], name="charge_line_claim")]


class ClaimNote(Record):
    """external_id is "{claimid}/{claimnoteid}"; athena gives notes no timestamp."""

    claim_id = models.TextField()
    status = models.TextField(default="")
    text = models.TextField(default="")
    pending = models.TextField(default="")

    class Meta:
        constraints = [natural_key("claim_note_natural_key")]
        indexes = [models.Index(fields=["practice", "claim_id"], name="claim_note_claim")]


class ClaimStatusChange(models.Model):
    """A status that a payer slot has left, from our own watching; the one it stands in is the claim's.

    `since_backfill` says that it was already there when we first saw the claim, so it may be older.
    """

    # without a constraint, as Record's
    practice = models.ForeignKey(
        "practices.Practice", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    claim_id = models.TextField()
    slot = models.TextField(choices=[(slot, slot.capitalize()) for slot in SLOTS])
    status = models.TextField()
    first_seen = models.DateTimeField()
    ended_at = models.DateTimeField()  # first seen with another status
    since_backfill = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "claim_id", "slot", "first_seen"], name="claim_status_history")
        ]

    def __str__(self) -> str:
        return f"claim {self.claim_id} {self.slot} {self.status}"
