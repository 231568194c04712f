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


def fact(course: Course, at: datetime, **columns: object) -> Clinical:
    return Clinical(
        id=course.clinic.ids.next("clinical"),
        modified=at,
        patient_id=course.plan.person.patient.id,
        at=at,
        provider_id=course.plan.clinician.id,
        **{"encounter_id": course.encounter.id if course.encounter else None, **columns},  # type: ignore[arg-type]
    )


def chart_vitals(course: Course, at: datetime) -> None:
    if course.encounter is None:
        return
    for code, display, unit, mean, spread in course.rng.sample(VITALS, course.rng.choice((0, 1, 2))):
        value = f"{course.rng.gauss(mean, spread):.1f}"
        course.script.put(
            at,
            "clinical",
            fact(
                course,
                at,
                resource="Observation",
                code=code,
                code_system=LOINC,
                display=display,
                value=value,
                unit=unit,
                category="vital-signs",
            ),
        )


def chart_findings(course: Course, done: datetime, signed: datetime) -> None:
    """The signature publishes the note, with its diagnosis, prescription and orders."""
    rng, put = course.rng, course.script.put
    if course.encounter is None:
        return
    note = {"code": "11506-3", "code_system": LOINC, "display": "Progress note", "category": "clinical-note"}
    put(signed, "clinical", fact(course, signed, resource="DocumentReference", status="current", **note))
    if rng.random() < 0.7:
        first = course.encounter.diagnoses[0]
        condition = {"code": first.snomed, "code_system": SNOMED, "display": first.description}
        put(
            signed,
            "clinical",
            fact(
                course,
                done,
                resource="Condition",
                status="active",
                category="encounter-diagnosis",
                **condition,
            ),
        )
    if rng.random() < 0.35:
        code, display = rng.choice(MEDICATIONS)
        prescription = {"code": code, "code_system": RXNORM, "display": display, "category": "outpatient"}
        put(
            signed,
            "clinical",
            fact(course, done, resource="MedicationRequest", status="active", **prescription),
        )
    if rng.random() < 0.12:
        receive_result(course, signed)


def receive_result(course: Course, ordered: datetime) -> None:
    """A laboratory report with one value. One in eight comes without its order."""
    rng = course.rng
    at = ordered + lag.RESULT.surely(rng)
    lost = rng.random() < 0.125
    panel, panel_name = rng.choice(PANELS)
    code, display, unit, mean, spread = rng.choice(LABS)
    results = (
        fact(
            course,
            at,
            resource="DiagnosticReport",
            code=panel,
            code_system=LOINC,
            display=panel_name,
            category="LAB",
        ),
        fact(
            course,
            at,
            resource="Observation",
            code=code,
            code_system=LOINC,
            display=display,
            value=f"{abs(rng.gauss(mean, spread)):.1f}",
            unit=unit,
            category="laboratory",
        ),
    )
    if not lost:
        for result in results:
            course.script.put(at, "clinical", result)
        return
    delay = lag.RESULT_TIED.draw(rng)
    tied = at + delay if delay else None
    for result in results:
        course.script.put(at, "clinical", replace(result, encounter_id=None), reason="result_lost_its_order")
        course.script.cause("G17", "result_lost_its_order", at, tied, ("clinical", result.id))
        if tied:
            course.script.put(tied, "clinical", result)
