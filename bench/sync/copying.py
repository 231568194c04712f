"""The baseline: bare async fetch, typed decode of just the columns, COPY and one upsert a page. No product code.

Nothing is kept, linked, judged or recovered here: what is left is what the wire, the parser and PostgreSQL cost.
Fetching (one thread) overlaps loading (a thread and a session a table).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import httpx
import msgspec
import psycopg

from bench.sync.corpus import LISTS, PAGE
from bench.sync.leg import Leg, children, said
from bench.sync.measure import backend_cpu, own_cpu, peak_rss_mb


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


def copy(conninfo: str, base_url: str, concurrency: int = 4) -> Leg:
    with children(work, [(conninfo, base_url, concurrency)]) as (worker,):
        said(worker)
        worker.send("go")
        seconds, used = said(worker)
        return Leg(seconds, (used,))


def bare(base_url: str, concurrency: int = 4) -> float:
    """Seconds to fetch every page and throw it away: what the stub and httpx can give at most."""

    async def all_of_it() -> None:
        arrived: dict[str, queue.Queue[bytes | None]] = {feed: queue.Queue() for feed in TABLES}
        await fetch(base_url, concurrency, arrived)

    began = time.perf_counter()
    asyncio.run(all_of_it())
    return time.perf_counter() - began


def work(pipe: Pipe, conninfo: str, base_url: str, concurrency: int) -> None:
    """Says it is ready, waits to be told, says how long it took and what it used."""
    arrived: dict[str, queue.Queue[bytes | None]] = {feed: queue.Queue(8) for feed in TABLES}
    sessions = {feed: psycopg.connect(conninfo) for feed in TABLES}
    backends = [session.info.backend_pid for session in sessions.values()]
    broken: list[Exception] = []

    def load(feed: str) -> None:
        try:
            load_table(sessions[feed], TABLES[feed], arrived[feed])
        except Exception as error:
            broken.append(error)
            while arrived[feed].get() is not None:  # or the fetching would wait for ever
                pass

    loaders = [threading.Thread(target=load, args=(feed,)) for feed in TABLES]
    pipe.send("ready")
    pipe.recv()
    python, began = own_cpu(), time.perf_counter()
    for loader in loaders:
        loader.start()
    asyncio.run(fetch(base_url, concurrency, arrived))
    for loader in loaders:
        loader.join()
    seconds = time.perf_counter() - began
    used = {
        "cpu_python": own_cpu() - python,
        "cpu_postgres": sum(map(backend_cpu, backends)),
        "rss_mb": peak_rss_mb(),
    }
    for session in sessions.values():
        session.close()
    pipe.send(broken[0] if broken else (seconds, used))


def load_table(session: psycopg.Connection, table: Table, arrived: queue.Queue[bytes | None]) -> None:
    decode = msgspec.json.Decoder(table.page).decode
    upsert = table.upsert
    columns = ", ".join(table.columns)
    with session.cursor() as cursor:
        (practice,) = cursor.execute("select id from practices_practice").fetchone()
        cursor.execute(table.stage)
        session.commit()
        while (body := arrived.get()) is not None:
            with cursor.copy(f"copy stage ({columns}) from stdin") as copy:
                copy.write("".join(table.lines(body, decode)))
            cursor.execute(upsert, [practice])
            session.commit()


async def fetch(base_url: str, concurrency: int, arrived: dict[str, queue.Queue[bytes | None]]) -> None:
    """The FHIR chain beside the v1 offsets, never more than `concurrency` calls at once."""
    calls = asyncio.Semaphore(concurrency)
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    async with httpx.AsyncClient(base_url=base_url, limits=limits, timeout=60) as client:

        async def get(path: str) -> bytes:
            async with calls:
                answer = await client.get(path)
            answer.raise_for_status()
            return answer.content

        async def hand_over(feed: str, body: bytes | None) -> None:
            while True:
                try:
                    return arrived[feed].put_nowait(body)
                except queue.Full:
                    await asyncio.sleep(0.002)

        async def offsets(feed: str, counted: type[msgspec.Struct]) -> None:
            path = LISTS[feed][0]
            first = await get(f"{path}?limit={PAGE}")
            await hand_over(feed, first)
            total = msgspec.json.decode(first, type=counted).totalcount  # type: ignore[attr-defined]
            rest = iter(range(PAGE, total, PAGE))

            async def some() -> None:
                for offset in rest:
                    await hand_over(feed, await get(f"{path}?limit={PAGE}&offset={offset}"))

            await asyncio.gather(*(some() for _ in range(concurrency)))

        async def chain(feed: str) -> None:
            links = msgspec.json.Decoder(Links)
            path: str | None = f"{LISTS[feed][0]}?_count={PAGE}"
            while path is not None:
                body = await get(path)
                found = links.decode(body).link
                path = found[0].url if found else None
                await hand_over(feed, body)

        async def to_the_end(feed: str) -> None:
            await (chain(feed) if feed == "fhir_encounters" else offsets(feed, Counted))
            await hand_over(feed, None)

        await asyncio.gather(*map(to_the_end, TABLES))


class Counted(msgspec.Struct):
    totalcount: int


class Links(msgspec.Struct):
    link: list[Link]
