"""What the baseline decodes of a page and the table it writes: only the columns, straight into the product's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec


class Coding(msgspec.Struct):
    code: str


class Reference(msgspec.Struct):
    reference: str


class Period(msgspec.Struct):
    start: str
    end: str


class Encounter(msgspec.Struct, rename={"kind": "class"}):
    id: str
    status: str
    kind: Coding
    subject: Reference
    period: Period


class Entry(msgspec.Struct):
    resource: Encounter


class Link(msgspec.Struct):
    url: str


class Bundle(msgspec.Struct):
    entry: list[Entry]
    link: list[Link]


class Line(msgspec.Struct):
    procedurecode: str
    chargeamount: str


class Diagnosis(msgspec.Struct):
    diagnosisrawcode: str


class Primary(msgspec.Struct):
    status: str
    primarypatientinsuranceid: int


class Secondary(msgspec.Struct):
    status: str
    secondarypatientinsuranceid: int


class Slot(msgspec.Struct):
    status: str


class Claim(msgspec.Struct):
    claimid: str
    appointmentid: int
    patientid: int
    departmentid: int
    billedproviderid: int
    supervisingproviderid: int
    billedservicedate: str
    claimcreateddate: str
    procedures: list[Line]
    diagnoses: list[Diagnosis]
    primaryinsurancepayer: Primary
    secondaryinsurancepayer: Secondary
    patientpayer: Slot


class Charge(msgspec.Struct):
    transactionid: int
    claimid: int
    procedurecode: str
    proceduredescription: str
    amount: float
    units: int
    transactiondate: str
    payments: float
    adjustments: float
    outstandingamount: float
    payer: str


class Claims(msgspec.Struct):
    totalcount: int
    claims: list[Claim]


class Charges(msgspec.Struct):
    totalcount: int
    claimtransactions: list[Charge]


def plain(text: str) -> str:
    """As COPY's text format wants it."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def encounters(body: bytes, decode: Callable[[bytes], Bundle]) -> Iterator[str]:
    for entry in decode(body).entry:
        r = entry.resource
        yield (
            f"{r.id.rpartition('-')[2]}\t{r.subject.reference.rpartition('-')[2]}\t{r.id}\t{r.status}\t{r.kind.code}\t"
            f"{r.period.start}\t{r.period.end}\n"
        )


def claims(body: bytes, decode: Callable[[bytes], Claims]) -> Iterator[str]:
    for c in decode(body).claims:
        lines = c.procedures
        codes = ",".join([line.procedurecode for line in lines])
        found = ",".join([d.diagnosisrawcode for d in c.diagnoses])
        amount = round(sum([float(line.chargeamount) for line in lines]), 2)
        first, second = c.primaryinsurancepayer, c.secondaryinsurancepayer
        yield (
            f"{c.claimid}\t{c.appointmentid}\t{c.patientid}\t{c.departmentid}\t{c.billedproviderid}\t"
            f"{c.supervisingproviderid}\t{c.billedservicedate}\t{c.claimcreateddate}\t{amount}\t{first.status}\t"
            f"{first.primarypatientinsuranceid or ''}\t{second.status}\t{second.secondarypatientinsuranceid or ''}\t"
            f"{c.patientpayer.status}\t{{{found}}}\t{{{codes}}}\n"
        )


def charges(body: bytes, decode: Callable[[bytes], Charges]) -> Iterator[str]:
    for c in decode(body).claimtransactions:
        yield (
            f"{c.transactionid}\t{c.claimid}\t{c.procedurecode.removeprefix('CPT ')}\t{plain(c.proceduredescription)}\t"
            f"{c.amount}\t{c.units}\t{c.transactiondate}\t{c.payments}\t{c.adjustments}\t{c.outstandingamount}\t"
            f"{c.payer}\n"
        )


@dataclass(frozen=True)
class Table:
    """`columns` and their types; `rest` are those of the table that must not be null and are not pulled."""

    name: str
    columns: dict[str, str]
    rest: dict[str, str]
    page: type[msgspec.Struct]
    lines: Callable[..., Iterator[str]]

    @property
    def stage(self) -> str:
        body = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"create temp table stage ({body}) on commit delete rows"

    @property
    def upsert(self) -> str:
        names = ", ".join(self.columns)
        own = [name for name in self.columns if name != "external_id"]
        return f"""
            insert into {self.name} as t ({", ".join(["practice_id", "fetched_at", names, *self.rest])})
            select {", ".join(["%s", "now()", names, *self.rest.values()])} from stage
            on conflict (practice_id, external_id) do update
            set ({", ".join(own)}, fetched_at) = row({", ".join(f"excluded.{n}" for n in own)}, excluded.fetched_at)
            where ({", ".join(f"t.{n}" for n in own)}) is distinct from ({", ".join(f"excluded.{n}" for n in own)})
        """  # noqa: S608 - names of ours


TEXT, DAY, MONEY = "text", "date", "numeric(12, 2)"
TABLES = {
    "fhir_encounters": Table(
        "records_encounter",
        {
            **dict.fromkeys(("external_id", "patient_id", "fhir_id", "fhir_status", "fhir_class"), TEXT),
            **dict.fromkeys(("started_at", "ended_at"), "timestamptz"),
        },
        dict.fromkeys(
            ("appointment_id", "department_id", "provider_id", "kind", "status", "stage", "visit_name"), "''"
        )
        | {"diagnosis_codes": "'{}'"},
        Bundle,
        encounters,
    ),
    "claims": Table(
        "records_claim",
        {
            **dict.fromkeys(("external_id", "appointment_id", "patient_id", "department_id"), TEXT),
            **dict.fromkeys(("billed_provider_id", "supervising_provider_id"), TEXT),
            **dict.fromkeys(("service_date", "created_date"), DAY),
            "charge_amount": MONEY,
            **dict.fromkeys(("primary_status", "primary_insurance_id", "secondary_status"), TEXT),
            **dict.fromkeys(("secondary_insurance_id", "patient_status"), TEXT),
            **dict.fromkeys(("diagnosis_codes", "procedure_codes"), "text[]"),
        },
        {},
        Claims,
        claims,
    ),
    "transactions": Table(
        "records_chargeline",
        {
            **dict.fromkeys(("external_id", "claim_id", "procedure_code", "description"), TEXT),
            "amount": MONEY,
            "units": "numeric(9, 2)",
            "posted_on": DAY,
            **dict.fromkeys(("payments", "adjustments", "outstanding"), MONEY),
            "payer": TEXT,
        },
        {},
        Charges,
        charges,
    ),
}
