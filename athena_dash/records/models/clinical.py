"""The clinical half: encounters, the services documented in them, and FHIR facts around them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from athena_dash.records.models.base import Record, natural_key


class Encounter(Record):
    """One encounter, seen by athenaOne (`/chart`) and by FHIR; each view fills only its own columns.

    `external_id` is athena's encounterid, or "stay-{n}" for an inpatient stay, which `/chart` does not know.
    """

    appointment_id = models.TextField(default="")
    patient_id = models.TextField(default="")
    department_id = models.TextField(default="")
    provider_id = models.TextField(default="")
    date = models.DateField(null=True)
    kind = models.TextField(default="")  # VISIT | ORDERSONLY | FLOWSHEET; empty until /chart was read
    status = models.TextField(default="")  # OPEN | CLOSED | REVIEW | PEND | TEMP | DELETED
    stage = models.TextField(default="")
    visit_name = models.TextField(default="")
    closed_on = models.DateField(null=True)
    reopened_on = models.DateField(null=True)
    diagnosis_codes = ArrayField(models.TextField(), default=list)
    fhir_id = models.TextField(default="")  # logical id once FHIR has shown it
    fhir_status = models.TextField(default="")
    fhir_class = models.TextField(default="")  # AMB | IMP | VR ...
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [natural_key("encounter_natural_key")]
        indexes = [
            models.Index(
                fields=["practice", "appointment_id"],
                name="encounter_appointment",
                condition=~models.Q(appointment_id=""),
            ),
            models.Index(fields=["practice", "patient_id", "date"], name="encounter_patient_day"),
        ]


class ServiceLine(Record):
    """A service documented in an encounter (athena's serviceid): the clinical side of a charge."""

    encounter_id = models.TextField()
    procedure_code = models.TextField(default="")
    description = models.TextField(default="")
    units = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    modifiers = ArrayField(models.TextField(), default=list)
    bill_for_service = models.BooleanField(default=True)

    class Meta:
        constraints = [natural_key("service_line_natural_key")]
        indexes = [models.Index(fields=["practice", "encounter_id"], name="service_line_encounter")]


class ClinicalFact(Record):
    """An Observation, Condition, MedicationRequest, DocumentReference or DiagnosticReport; id = FHIR logical id."""

    resource = models.TextField()
    patient_id = models.TextField(default="")
    encounter_id = models.TextField(default="")
    provider_id = models.TextField(default="")
    at = models.DateTimeField(null=True)
    code = models.TextField(default="")
    code_system = models.TextField(default="")
    display = models.TextField(default="")
    status = models.TextField(default="")
    category = models.TextField(default="")
    value = models.TextField(default="")
    unit = models.TextField(default="")

    class Meta:
        constraints = [natural_key("clinical_fact_natural_key")]
        indexes = [
            models.Index(fields=["practice", "patient_id", "at"], name="clinical_fact_patient"),
            models.Index(
                fields=["practice", "encounter_id"],
                name="clinical_fact_encounter",
                condition=~models.Q(encounter_id=""),
            ),
        ]
