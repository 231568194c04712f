"""What the chart says of a visit: vitals, diagnoses, prescriptions, the note, results that come days later.

Some results lose their order and arrive as orphans; someone ties them to the visit later, or nobody does.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from integrations.sandbox.population import lag
from integrations.sandbox.population.catalogue import LABS, MEDICATIONS, PANELS, VITALS
from integrations.sandbox.population.course import Course
from integrations.sandbox.world import Clinical

LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"


def fact(course: Course, resource: str, at: datetime, system: str, code: str, display: str) -> Clinical:
    """A fact about this visit's patient, tied to its encounter."""
    return Clinical(
        id=course.clinic.ids.next("clinical"),
        modified=at,
        resource=resource,
        patient_id=course.plan.person.patient.id,
        at=at,
        code=code,
        code_system=system,
        display=display,
        encounter_id=course.encounter.id if course.encounter else None,
        provider_id=course.plan.clinician.id,
    )


def chart_vitals(course: Course, at: datetime) -> None:
    if course.encounter is None:
        return
    for code, display, unit, mean, spread in course.rng.sample(VITALS, course.rng.choice((0, 1, 1))):
        vital = fact(course, "Observation", at, LOINC, code, display)
        value = f"{course.rng.gauss(mean, spread):.1f}"
        course.script.put(at, "clinical", replace(vital, value=value, unit=unit, category="vital-signs"))


def chart_findings(course: Course, done: datetime, signed: datetime) -> None:
    """The signature publishes the note, with its diagnosis, prescription and orders."""
    rng = course.rng
    if course.encounter is None:
        return
    note = fact(course, "DocumentReference", signed, LOINC, "11506-3", "Progress note")
    course.script.put(signed, "clinical", replace(note, category="clinical-note"))
    if rng.random() < 0.7:
        first = course.encounter.diagnoses[0]
        condition = fact(course, "Condition", done, SNOMED, first.snomed, first.description)
        condition = replace(condition, status="active", category="encounter-diagnosis")
        course.script.put(signed, "clinical", condition)
    if rng.random() < 0.35:
        prescription = fact(course, "MedicationRequest", done, RXNORM, *rng.choice(MEDICATIONS))
        course.script.put(signed, "clinical", replace(prescription, status="active", category="outpatient"))
    if rng.random() < 0.12:
        receive_result(course, signed)


def receive_result(course: Course, ordered: datetime) -> None:
    """A laboratory report with one value. One in eight comes without its order."""
    rng, put = course.rng, course.script.put
    at = ordered + lag.RESULT.surely(rng)
    code, display, unit, mean, spread = rng.choice(LABS)
    report = fact(course, "DiagnosticReport", at, LOINC, *rng.choice(PANELS))
    value = fact(course, "Observation", at, LOINC, code, display)
    measured = f"{abs(rng.gauss(mean, spread)):.1f}"
    results = (
        replace(report, category="LAB"),
        replace(value, category="laboratory", value=measured, unit=unit),
    )
    if rng.random() >= 0.125:
        for result in results:
            put(at, "clinical", result)
        return
    delay = course.clinic.wait(lag.RESULT_TIED)
    tied = at + delay if delay else None
    for result in results:
        put(at, "clinical", replace(result, encounter_id=None), reason="result_lost_its_order")
        course.script.cause("G17", "result_lost_its_order", at, tied, ("clinical", result.id))
        if tied:
            put(tied, "clinical", result)
