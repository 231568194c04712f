"""One table per noun of the other systems, keyed (practice, external_id); written only by records.upsert."""

from athena_dash.records.models.billing import ChargeLine, Claim, ClaimNote, ClaimStatusChange, Insurance
from athena_dash.records.models.clinical import ClinicalFact, Encounter, ServiceLine
from athena_dash.records.models.directory import Department, Patient, Provider
from athena_dash.records.models.scheduling import Appointment

__all__ = [
    "Appointment",
    "ChargeLine",
    "Claim",
    "ClaimNote",
    "ClaimStatusChange",
    "ClinicalFact",
    "Department",
    "Encounter",
    "Insurance",
    "Patient",
    "Provider",
    "ServiceLine",
]
