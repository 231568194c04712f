"""The synthetic practice that every contender pulls: pre-encoded pages made from a seed, kept in files under var/.

n appointments, one Encounter and one claim each, three charges a claim. Version 2 is version 1 with 1 % of the records
changed and the keys of every object shuffled, as athena's answers come.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

SEED = 2211
EDITION = 1  # raise it with any change of what is made here
PAGE = 1000
PRACTICE = "195900"
LINES = 3
CHANGED = 100  # every hundredth record differs in version 2
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
LISTS = {
    "appointments": (f"/v1/{PRACTICE}/appointments/booked", "appointments"),
    "claims": (f"/v1/{PRACTICE}/claims", "claims"),
    "transactions": (f"/v1/{PRACTICE}/claimtransactions", "claimtransactions"),
    "fhir_encounters": ("/fhir/r4/Encounter", "entry"),
}
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Corpus:
    """`n` appointments; `pages[version][feed]` lie one after the other in a file, see `index.json`."""

    n: int
    directory: Path

    @property
    def records(self) -> dict[str, int]:
        return {"fhir_encounters": self.n, "claims": self.n, "transactions": LINES * self.n}

    @property
    def total(self) -> int:
        return sum(self.records.values())

    def bodies(self, version: int, feed: str) -> Iterator[bytes]:
        with (self.directory / f"{feed}.{version}").open("rb") as file:
            for size in self.index()[f"{feed}.{version}"]:
                yield file.read(size)

    def index(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = json.loads((self.directory / "index.json").read_text())
        return found


def corpus(n: int, under: Path) -> Corpus:
    """The one of this size, made now if it is not there yet."""
    directory = under / f"corpus-{EDITION}-{SEED}-{n}"
    if not (directory / "index.json").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        index = {}
        for feed in MAKERS:
            for version in (1, 2):
                with (directory / f"{feed}.{version}").open("wb") as file:
                    index[f"{feed}.{version}"] = [file.write(body) for body in pages(n, feed, version)]
        (directory / "index.json").write_text(json.dumps(index))
    return Corpus(n, directory)


def pages(n: int, feed: str, version: int) -> Iterator[bytes]:
    total, done = n * len(MAKERS[feed](0)), 0
    found = records(n, feed, version)
    while batch := list(islice(found, PAGE)):
        done += len(batch)
        yield page(feed, batch, done, total)


def records(n: int, feed: str, version: int) -> Iterator[Record]:
    shuffler = random.Random(f"{SEED} {feed}")  # noqa: S311 - no secret
    every = chain.from_iterable(map(MAKERS[feed], range(n)))
    for position, record in enumerate(every):
        if version == 2 and position % CHANGED == 0:
            CHANGES[feed](record)
        yield record if version == 1 else shuffled(record, shuffler)


def page(feed: str, records: list[Record], done: int, total: int) -> bytes:
    """A v1 envelope with totalcount and next, or a searchset with its link."""
    path, key = LISTS[feed]
    more = done < total
    if feed != "fhir_encounters":
        links = {"next": f"{path}?LIMIT={PAGE}&OFFSET={done}"} if more else {}
        return msgspec.json.encode({"totalcount": total, **links, key: records})
    following = f"{path}?" + urlencode({"ah-practice": f"a-1.Practice-{PRACTICE}", "cursor": done})
    return msgspec.json.encode(
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": [{"relation": "next", "url": following}] if more else [],
            "entry": [{"fullUrl": f"{path}/{record['id']}", "resource": record} for record in records],
        }
    )


def shuffled(value: Any, shuffler: random.Random) -> Any:
    if isinstance(value, list):
        return [shuffled(item, shuffler) for item in value]
    if isinstance(value, dict):
        keys = list(value)
        shuffler.shuffle(keys)
        return {key: shuffled(value[key], shuffler) for key in keys}
    return value


# -- one visit by its number ---------------------------------------------------------------------------


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
