"""FHIR R4 resources of a known patient → facts. v1 ids are read out of athena's logical ids (athena-api.md §4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import TypeVar

from athena_dash.records.facts import ClinicalFact, FhirEncounter, FhirPatient
from athena_dash.sync.normalise.context import Context, Unmapped
from integrations.athena.errors import InvalidPayload
from integrations.athena.values import instant
from integrations.fhir import ids, payloads
from integrations.fhir.ids import LogicalId
from integrations.fhir.payloads import CodeableConcept, Period, Reference
from integrations.fhir.times import read_when
from integrations.fhir.validate import BINDINGS

R = TypeVar("R", bound=payloads.Resource)
NO_PERIOD = Period()
NO_CODING = payloads.Coding()


def decode(kind: type[R], body: bytes) -> R:
    resource = payloads.decode(kind.__name__, body)
    if not isinstance(resource, kind):
        raise InvalidPayload("$.resourceType", f"is not {kind.__name__}")
    return resource


def patient(body: bytes, context: Context) -> tuple[FhirPatient]:
    seen = decode(payloads.Patient, body)
    return (
        FhirPatient(
            external_id=ids.v1_id(seen.id, context.practice, ids.PATIENT) or context.subject,
            fhir_id=seen.id,
            fhir_active=seen.active,
        ),
    )


def encounter(body: bytes, context: Context) -> tuple[FhirEncounter]:
    """`stay-` ids are inpatient and unknown to `/chart`: they keep the prefix as their id."""
    seen = decode(payloads.Encounter, body)
    if seen.status not in BINDINGS["Encounter"]["status"]:
        raise Unmapped("status", "FHIR Encounter status", seen.status)
    period = seen.period or NO_PERIOD
    return (
        FhirEncounter(
            external_id=visit_of(ids.read_id(seen.id), context) or seen.id,
            patient_id=patient_of(seen.subject, context),
            fhir_id=seen.id,
            fhir_status=seen.status,
            fhir_class=(seen.encounter_class and seen.encounter_class.code) or "",
            started_at=moment("period.start", period.start, context),
            ended_at=moment("period.end", period.end, context),
        ),
    )


def observation(body: bytes, context: Context) -> tuple[ClinicalFact]:
    seen = decode(payloads.Observation, body)
    quantity = seen.value_quantity
    value = str(quantity.value) if quantity and quantity.value is not None else seen.value_string
    period = seen.effective_period or NO_PERIOD
    return (
        fact(
            seen,
            context,
            encounter=seen.encounter,
            at=moment("effective", seen.effective_date_time or period.start or seen.issued, context),
            code=seen.code,
            status=seen.status,
            by=seen.performer,
            value=value or text_of(seen.value_codeable_concept),
            unit=(quantity and quantity.unit) or "",
        ),
    )


def diagnostic_report(body: bytes, context: Context) -> tuple[ClinicalFact]:
    seen = decode(payloads.DiagnosticReport, body)
    period = seen.effective_period or NO_PERIOD
    return (
        fact(
            seen,
            context,
            encounter=seen.encounter,
            at=moment("effective", seen.effective_date_time or period.start or seen.issued, context),
            code=seen.code,
            status=seen.status,
            by=seen.performer,
        ),
    )


def condition(body: bytes, context: Context) -> tuple[ClinicalFact]:
    seen = decode(payloads.Condition, body)
    return (
        fact(
            seen,
            context,
            encounter=seen.encounter,
            at=moment("onset", seen.onset_date_time or seen.recorded_date, context),
            code=seen.code,
            status=code_of(seen.clinical_status)[0],
            by=(seen.recorder,) if seen.recorder else (),
        ),
    )


def medication_request(body: bytes, context: Context) -> tuple[ClinicalFact]:
    seen = decode(payloads.MedicationRequest, body)
    return (
        fact(
            seen,
            context,
            encounter=seen.encounter,
            at=moment("authoredOn", seen.authored_on, context),
            code=seen.medication_codeable_concept,
            status=seen.status,
            by=(seen.requester,) if seen.requester else (),
        ),
    )


def document_reference(body: bytes, context: Context) -> tuple[ClinicalFact]:
    seen = decode(payloads.DocumentReference, body)
    held = seen.context or payloads.DocumentContext()
    return (
        fact(
            seen,
            context,
            encounter=next(iter(held.encounter), None),
            at=moment("date", seen.date, context),
            code=seen.type,
            status=seen.status,
            by=seen.author,
        ),
    )


def fact(
    seen: payloads.Clinical,
    context: Context,
    *,
    encounter: Reference | None,
    at: datetime | None,
    code: CodeableConcept | None,
    status: str,
    by: Iterable[Reference],
    value: str = "",
    unit: str = "",
) -> ClinicalFact:
    found, system, display = code_of(code)
    providers = (ids.v1_id(who.reference, context.practice, ids.PROVIDER) for who in by)
    return ClinicalFact(
        external_id=seen.id,
        resource=seen.resource_type,
        patient_id=patient_of(seen.subject, context),
        encounter_id=encounter_of(encounter, context),
        provider_id=next((provider for provider in providers if provider), ""),
        at=at,
        code=found,
        code_system=system,
        display=display,
        status=status,
        category=next((code_of(each)[0] for each in seen.category), ""),
        value=value,
        unit=unit,
    )


def patient_of(subject: Reference | None, context: Context) -> str:
    """The patient the resource names; when it names none, the one whose chart was asked for."""
    named = ids.v1_id(subject.reference, context.practice, ids.PATIENT) if subject else None
    return named or context.subject


def encounter_of(encounter: Reference | None, context: Context) -> str:
    return visit_of(ids.read_referred(encounter.reference), context) if encounter else ""


def visit_of(logical: LogicalId | None, context: Context) -> str:
    """The encounter's v1 id; a stay's with its prefix; "" for another practice's or anything else."""
    if logical is None or logical.practice != context.practice:
        return ""
    if logical.kind == ids.STAY:
        return f"stay-{logical.number}"
    return logical.number if logical.kind == ids.ENCOUNTER else ""


def code_of(concept: CodeableConcept | None) -> tuple[str, str, str]:
    """(code, system, words) of the first coding."""
    if concept is None:
        return "", "", ""
    coding = concept.coding[0] if concept.coding else NO_CODING
    return coding.code or "", coding.system or "", concept.text or coding.display or ""


def text_of(concept: CodeableConcept | None) -> str:
    return code_of(concept)[2]


def moment(path: str, text: str | None, context: Context) -> datetime | None:
    """A day without a time stands for its midnight in the practice's zone."""
    try:
        when = read_when(text)
    except ValueError as error:
        raise InvalidPayload(path, str(error)) from None
    if isinstance(when, datetime) or when is None:
        return when
    return midnight(when, context)


def midnight(day: date, context: Context) -> datetime:
    return instant(datetime.combine(day, time()), context.fallback)
