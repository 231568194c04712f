"""The baseline: bare async fetch, typed decode of just the columns, COPY and one upsert a page. No product code.

Nothing is kept, linked, judged or recovered here: what is left is what the wire, the parser and PostgreSQL cost.
Fetching (one thread) overlaps loading (a thread and a session a table).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from multiprocessing.connection import Connection as Pipe

import httpx
import msgspec
import psycopg

from bench.sync.copy_tables import TABLES, Link, Table
from bench.sync.corpus import LISTS, PAGE
from bench.sync.leg import Leg, children, said
from bench.sync.measure import own_cpu, peak_rss_mb


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
