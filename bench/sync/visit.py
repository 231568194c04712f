"""One visit of the synthetic practice by its number: appointment, encounter, claim, charges, as athena sends them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

PRACTICE = "195900"
LINES = 3
FIRST_DAY, DAYS = date(2026, 3, 2), 240
DEPARTMENTS = {str(n): "America/New_York" if n < 6 else "America/Chicago" for n in range(1, 9)}
PROVIDERS = [str(n) for n in range(71, 111)]
CODES = [
    ("99213", "OFFICE O/P EST LOW 20 MIN", "132"),
    ("99214", "OFFICE O/P EST MOD 30 MIN", "189.50"),
    ("36415", "COLLECTION OF VENOUS BLOOD BY VENIPUNCTURE", "14"),
    ("85025", "COMPLETE CBC W/AUTO DIFF WBC", "31.25"),
    ("80053", "COMPREHENSIVE METABOLIC PANEL", "45"),
    ("G2211", "COMPLEX E/M VISIT ADD ON", "28.40"),
]
DIAGNOSES = [
    ("I10", "Essential (primary) hypertension", "59621000", "HYPERTENSIVE DISEASES (I10-I16)"),
    ("E11.9", "Type 2 diabetes mellitus without complications", "313436004", "DIABETES MELLITUS (E08-E13)"),
    ("M54.50", "Low back pain, unspecified", "279039007", "DORSOPATHIES (M40-M54)"),
    (
        "R10.13",
        "Epigastric pain",
        "79922009",
        "SYMPTOMS INVOLVING THE DIGESTIVE SYSTEM AND ABDOMEN (R10-R19)",
    ),
]
Record = dict[str, Any]


def ids(number: int) -> tuple[str, str, str]:
    """(appointment, encounter, claim)"""
    return str(1_000_000 + number), str(2_000_000 + number), str(3_000_000 + number)


def patient(number: int) -> str:
    return str(10_001 + number % 9_973)


def department(number: int) -> str:
    return str(1 + number % len(DEPARTMENTS))


def provider(number: int) -> str:
    return PROVIDERS[number * 7 % len(PROVIDERS)]


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number * 31 % DAYS)


def start(number: int) -> datetime:
    """Department-local."""
    return datetime.combine(day(number), time(8 + number % 9, number * 5 % 60))


def us(at: date) -> str:
    return at.strftime("%m/%d/%Y")


def line(number: int, rank: int) -> tuple[int, tuple[str, str, str]]:
    return 5_000_000 + LINES * number + rank, CODES[(number + rank * 2) % len(CODES)]


def diagnoses(number: int) -> list[tuple[str, str, str, str]]:
    return [DIAGNOSES[(number + step) % len(DIAGNOSES)] for step in range(2)]


def appointment(number: int) -> list[Record]:
    appointment_id, encounter_id, _ = ids(number)
    at = start(number)

    def stamp(minutes: int) -> str:
        return (at + timedelta(minutes=minutes)).strftime("%m/%d/%Y %H:%M:%S")

    return [
        {
            "date": us(at.date()),
            "appointmentid": appointment_id,
            "starttime": at.strftime("%H:%M"),
            "departmentid": department(number),
            "appointmentstatus": "4",
            "patientid": patient(number),
            "duration": 30,
            "providerid": provider(number),
            "renderingproviderid": provider(number),
            "appointmenttypeid": "2",
            "appointmenttype": "Office Visit",
            "patientappointmenttypename": "Office Visit",
            "scheduledby": "bench",
            "scheduleddatetime": (at - timedelta(days=9)).strftime("%m/%d/%Y %H:%M:%S"),
            "lastmodified": stamp(60),
            "checkindatetime": stamp(-5),
            "stopexamdatetime": stamp(25),
            "checkoutdatetime": stamp(31),
            "chargeentrynotrequired": False,
            "encounterid": encounter_id,
            "encounterstate": "CLOSED",
            "encounterstatus": "CHECKEDOUT",
        }
    ]


def encounter(number: int) -> list[Record]:
    _, encounter_id, _ = ids(number)
    at = start(number) + timedelta(hours=4)
    logical = f"a-{PRACTICE}.encounter-{encounter_id}"
    code, words, _ = CODES[number % 2]
    began, ended = (
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        (at + timedelta(minutes=26)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )

    def named(kind: str, letter: str, key: str) -> Record:
        return {"reference": f"{kind}/a-{PRACTICE}.{letter}-{key}"}

    return [
        {
            "resourceType": "Encounter",
            "id": logical,
            "meta": {"lastUpdated": ended, "versionId": "1", "security": []},
            "text": {
                "status": "generated",
                "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p><p>Seen on {us(at.date())}, '
                "finished; the note was signed by the attending practitioner and closed the same day.</p></div>",
            },
            "extension": [
                {
                    "url": "https://fhir.athena.io/StructureDefinition/ah-practice",
                    "valueReference": {"reference": f"Organization/a-1.Practice-{PRACTICE}"},
                },
                {
                    "url": "https://fhir.athena.io/StructureDefinition/ah-chart-sharing-group",
                    "valueReference": {"reference": f"Organization/a-{PRACTICE}.CSG-1"},
                },
            ],
            "identifier": [{"system": "https://fhir.athena.io/sid/ah-encounter", "value": logical}],
            "status": "finished",
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "AMB",
                "display": "ambulatory",
            },
            "type": [
                {
                    "coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": code, "display": words}],
                    "text": words,
                }
            ],
            "subject": named("Patient", "E", patient(number)),
            "participant": [
                {
                    "type": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                    "code": "ATND",
                                    "display": "attender",
                                }
                            ],
                            "text": "The practitioner that has responsibility for overseeing a patient's care "
                            "during a patient encounter.",
                        }
                    ],
                    "period": {"start": began},
                    "individual": named("Practitioner", "Provider", provider(number)),
                }
            ],
            "period": {"start": began, "end": ended},
            "reasonCode": [
                {
                    "coding": [{"system": "http://snomed.info/sct", "code": snomed, "display": words}],
                    "text": words,
                }
                for _, words, snomed, _ in diagnoses(number)
            ],
            "location": [
                {"location": named("Location", "Department", department(number)), "status": "completed"}
            ],
            "serviceProvider": named("Organization", "Department", department(number)),
        }
    ]


def claim(number: int) -> list[Record]:
    appointment_id, _, claim_id = ids(number)
    lines = [line(number, rank) for rank in range(LINES)]
    held = number % 50 == 0
    return [
        {
            "procedures": [
                {
                    "chargeamount": amount,
                    "proceduredescription": words,
                    "transactionid": str(key),
                    "procedurecode": code,
                    "procedurecategory": "Evaluation and Management",
                }
                for key, (code, words, amount) in lines
            ],
            "claimcreateddate": us(day(number) + timedelta(days=1)),
            "transactiondetails": {str(key): amount for key, (_, _, amount) in lines},
            "patientpayer": {"status": "CLOSED"},
            "billedproviderid": int(provider(number)),
            "supervisingproviderid": int(provider(number)),
            "appointmentid": int(appointment_id),
            "claimid": claim_id,
            "primaryinsurancepayer": {
                "primarypatientinsuranceid": 70_000 + int(patient(number)),
                "status": "HOLD" if held else "CLOSED",
                "note": "The 'Current illness date' has been set based on the earliest charge on the claim.",
            },
            "secondaryinsurancepayer": {
                "secondarypatientinsuranceid": 0,
                "status": "CLOSED",
                "note": "No secondary insurance was in effect on the date of service of this claim.",
            },
            "billedservicedate": us(day(number)),
            "departmentid": int(department(number)),
            "patientid": int(patient(number)),
            "diagnoses": [
                {
                    "diagnosiscategory": category,
                    "diagnosisid": f"{claim_id}{rank}",
                    "diagnosisrawcode": code,
                    "diagnosiscodeset": "ICD10",
                    "diagnosisdescription": words,
                    "deleteddiagnosis": "false",
                }
                for rank, (code, words, _, category) in enumerate(diagnoses(number))
            ],
            "customfields": [],
        }
    ]


def charges(number: int) -> list[Record]:
    """As `/claimtransactions` gives them, each naming its claim; described at the length of performance.md §1."""
    _, _, claim_id = ids(number)
    found = []
    for rank in range(LINES):
        key, (code, words, amount) = line(number, rank)
        paid = round(float(amount) * 0.62, 2)
        written_off = round(float(amount) - paid, 2)
        found.append(
            {
                "claimid": int(claim_id),
                "payments": paid,
                "outstandingamount": 0,
                "transactiondate": us(day(number) + timedelta(days=1)),
                "payer": "PRIMARY",
                "parenttransactionid": key,
                "procedurecode": f"CPT {code}" if code.isdigit() else code,
                "proceduredescription": words,
                "amount": float(amount),
                "transactiontype": "CHARGE",
                "transactionid": key,
                "adjustments": written_off,
                "units": 1,
                "patientid": int(patient(number)),
                "departmentid": int(department(number)),
                "billedproviderid": int(provider(number)),
                "servicedate": us(day(number)),
                "modifiers": [],
                "placeofservice": {"code": "11", "name": "OFFICE"},
                "payerdetails": {
                    "primary": {"packagename": "MEADOW HEALTH PLAN (PPO)", "transferredon": us(day(number))},
                    "secondary": None,
                    "patient": {"statementssent": 0, "lastpaymentdate": None},
                },
                "diagnosiscodes": [code for code, _, _, _ in diagnoses(number)],
                "note": "Charge entered from the encounter's billing tab; reviewed by the coding rules engine. "
                "Posted with the batch of the day; no override was needed before it was dropped.",
                "createdby": "bench",
                "lastmodified": f"{us(day(number))} 18:0{rank}:00",
            }
        )
    return found


def reopen(record: Record) -> None:
    record["status"] = "in-progress"


def hold(record: Record) -> None:
    record["primaryinsurancepayer"]["status"] = "BILLED"


def reverse(record: Record) -> None:
    record["outstandingamount"], record["payments"] = record["payments"], 0


MAKERS: dict[str, Callable[[int], list[Record]]] = {
    "appointments": appointment,
    "claims": claim,
    "transactions": charges,
    "fhir_encounters": encounter,
}
CHANGES: dict[str, Callable[[Record], None]] = {
    "appointments": lambda record: None,
    "claims": hold,
    "transactions": reverse,
    "fhir_encounters": reopen,
}
