"""Departments, providers and patients of athenaOne → facts."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from athena_dash.records.facts import DepartmentFact, PatientFact, PatientMerge, ProviderFact
from athena_dash.sync.normalise.context import Context, Unmapped
from integrations.athena.payloads import Department, Patient, Provider, read


def department(body: bytes, context: Context) -> tuple[DepartmentFact]:
    seen = read(Department, body)
    return (
        DepartmentFact(
            external_id=seen.departmentid,
            name=seen.name or seen.patientdepartmentname or "",
            timezone=zone_name(seen.timezonename or context.fallback.key),
            place_of_service=seen.placeofservicetypeid or "",
            clinicals=seen.clinicals != "OFF",
        ),
    )


def zone_name(name: str) -> str:
    """Every visit of the department is timed by it: one that no zone table knows must not get in."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unmapped("timezonename", "Time zone", name) from None


def provider(body: bytes, _: Context) -> tuple[ProviderFact]:
    seen = read(Provider, body)
    return (
        ProviderFact(
            external_id=seen.providerid,
            first_name=seen.firstname or "",
            last_name=seen.lastname or "",
            display_name=seen.displayname or "",
            npi=seen.npi or "",
            specialty=seen.specialty or "",
            billable=seen.billable is not False,
            creates_encounter=seen.createencounteroncheckin is not False,
        ),
    )


def patient(body: bytes, _: Context) -> tuple[PatientFact | PatientMerge, ...]:
    """A survivor of a merge also speaks for the ids it swallowed (showpreviouspatientids)."""
    seen = read(Patient, body)
    previous = tuple(sorted({id for id in seen.previouspatientids if id != seen.patientid}))
    return (
        PatientFact(
            external_id=seen.patientid,
            first_name=seen.firstname or "",
            last_name=seen.lastname or "",
            dob=seen.dob,
            sex=seen.sex or "",
            status=seen.status or "",
            department_id=seen.primarydepartmentid or seen.departmentid or "",
            provider_id=seen.primaryproviderid or "",
            previous_ids=previous,
        ),
        *(PatientMerge(external_id=id, merged_into=seen.patientid) for id in previous),
    )
