"""The v1 records this program reads, as frozen structs: `decode("claims", raw)` → Claim.

A field that nobody reads is not here: it would cost time, and its faults would keep the whole record out.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from .billing import (
    Claim,
    ClaimDiagnosis,
    ClaimNote,
    PatientPayer,
    PrimaryPayer,
    Procedure,
    SecondaryPayer,
    Transaction,
)
from .people import Department, Insurance, Patient, Provider
from .reading import read
from .visits import Appointment, Encounter, EncounterDiagnosis, IcdCode, Service

__all__ = [
    "PAYLOADS",
    "Appointment",
    "Claim",
    "ClaimDiagnosis",
    "ClaimNote",
    "Department",
    "Encounter",
    "EncounterDiagnosis",
    "IcdCode",
    "Insurance",
    "Patient",
    "PatientPayer",
    "PrimaryPayer",
    "Procedure",
    "Provider",
    "SecondaryPayer",
    "Service",
    "Transaction",
    "decode",
    "read",
]

PAYLOADS: Mapping[str, type[msgspec.Struct]] = MappingProxyType(
    {
        "departments": Department,
        "providers": Provider,
        "patients": Patient,
        "insurances": Insurance,
        "appointments": Appointment,
        "encounters": Encounter,
        "services": Service,
        "claims": Claim,
        "transactions": Transaction,
        "claim_notes": ClaimNote,
    }
)


def decode(resource: str, raw: bytes) -> msgspec.Struct:
    """One record of a Page as its struct; InvalidPayload if it breaks the contract. `read` takes a type."""
    return read(PAYLOADS[resource], raw)
