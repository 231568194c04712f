"""Who and where: departments, providers, patients."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from athena_dash.records.models.base import Record, natural_key


class Department(Record):
    name = models.TextField(default="")
    timezone = models.TextField(default="America/New_York")  # IANA
    place_of_service = models.TextField(default="")  # CMS POS code
    clinicals = models.BooleanField(default=True)  # false: visits here make no encounter

    class Meta:
        constraints = [natural_key("department_natural_key")]


class Provider(Record):
    first_name = models.TextField(default="")
    last_name = models.TextField(default="")
    display_name = models.TextField(default="")
    npi = models.TextField(default="")
    specialty = models.TextField(default="")
    billable = models.BooleanField(default=True)
    creates_encounter = models.BooleanField(default=True)  # createencounteroncheckin

    class Meta:
        constraints = [natural_key("provider_natural_key")]


class Patient(Record):
    """PHI. Lists show initials and id until revealed."""

    first_name = models.TextField(default="")
    last_name = models.TextField(default="")
    dob = models.DateField(null=True)
    sex = models.TextField(default="")
    status = models.TextField(default="")  # active | inactive | prospective | deleted
    department_id = models.TextField(default="")
    provider_id = models.TextField(default="")
    fhir_id = models.TextField(default="")  # logical id once FHIR has shown it
    fhir_active = models.BooleanField(null=True)
    previous_ids = ArrayField(models.TextField(), default=list)  # merged into this one, as it says itself
    merged_into = models.TextField(default="")  # the surviving patient's id; empty when not merged
    unmerged_from = models.TextField(default="")  # whom it had been merged into until that was taken back

    class Meta:
        constraints = [natural_key("patient_natural_key")]
        indexes = [
            # merge map of correlation: only patients that are merged, or were
            models.Index(
                fields=["practice", "merged_into"],
                name="patient_merged",
                condition=~models.Q(merged_into="", unmerged_from=""),
            ),
        ]
