"""The table: every contender on the same pages in turn, three rounds, and each target with ok or miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from statistics import median

from bench.sync import complete, copying, ours, product
from bench.sync.cluster import GROUND, Cluster, cluster
from bench.sync.corpus import PAGE, Corpus, corpus
from bench.sync.dlt_leg import dlt
from bench.sync.ground import VAR, Play, apart, figures, measured, prepare, stub
from bench.sync.leg import Leg
from bench.sync.table import Table

SIZE, SMALL = 50_000, 10_000
CASES = (("first", 1), ("unchanged", 1), ("changed", 2))
LATENCY, CONCURRENCY = 0.1, 8
Figures = Iterator[dict[str, object]]


def run(rounds: int) -> Figures:
    table = Table()
    small = corpus(SMALL, VAR)
    made = corpus(SIZE, VAR)
    with cluster() as services:
        with stub(small) as play:
            prepare(services, play, small)
            yield from flatness(services, play, small, table)
        with stub(made) as play:
            prepare(services, play, made)
            table.ceiling = made.total / median(copying.bare(play()) for _ in range(3))
            for number in range(1, rounds + 1):
                yield from one_round(services, play, made, table, number)
            yield from default_dlt(services, play, made, table)
            for number in range(1, rounds + 1):
                yield from slow_pages(services, play, made, table, number)
            table.chain = -(-made.n // PAGE) * LATENCY
            table.shared = sum(-(-size // PAGE) for size in made.records.values()) * LATENCY / CONCURRENCY
    yield from table.lines(made)


def flatness(services: Cluster, play: Play, made: Corpus, table: Table) -> Figures:
    """A fifth of the records, for the memory they take."""
    services.create("ours", GROUND)
    play()
    leg, _ = measured(services, "ours", partial(ours.pull, "ours"))
    table.small_rss = leg.rss_mb
    services.drop("ours")
    yield {"case": f"first_{made.total // 1000}k", "contender": "ours", **figures(made, leg)}


def one_round(services: Cluster, play: Play, made: Corpus, table: Table, number: int) -> Figures:
    """A fresh database each, then case by case in turn, so that whatever disturbs the machine disturbs all. Who begins
    changes with the round: the first leg behind new databases is the slowest, whoever's it is."""
    address = play()
    for name in ("ours", "copy", "dlt"):
        services.create(name, GROUND)
    with dlt(services, "dlt", address, made, "best") as pull_dlt:
        pulls: dict[str, Callable[[], Leg]] = {
            "ours": partial(ours.pull, "ours"),
            "copy": partial(copying.copy, services.postgres.conninfo("copy"), address),
            "dlt": pull_dlt,
        }
        for case, version in CASES:
            play(version)
            for name in turns(list(pulls), number):
                leg, written = measured(services, name, pulls[name])
                table.add(case, name, leg, written)
                yield {"case": case, "round": number, "contender": name, **figures(made, leg), **written}
                services.vacuum(name)
            complete.of_rows(services, "copy", made)
            found = complete.of_ours(services, "ours", made, version)
            table.short |= {str(found["short"])} - {"no"}
            if number == 1:
                yield {"case": case, "counted": "ours", **found}
    if number == 1:
        yield judged_again(services)
    for name in ("ours", "copy", "dlt"):
        services.drop(name)


def turns(names: list[str], number: int) -> list[str]:
    first = (number - 1) % len(names)
    return names[first:] + names[:first]


def judged_again(services: Cluster) -> dict[str, object]:
    before = complete.gaps(services, "ours")
    apart(product.judge_again, "ours")
    same = before == complete.gaps(services, "ours")
    return {"counted": "gaps", "judging_all_again_changes": "nothing" if same else "something", **before}


def default_dlt(services: Cluster, play: Play, made: Corpus, table: Table) -> Figures:
    services.create("dlt", GROUND)
    with dlt(services, "dlt", play(), made, "default") as pull:
        leg, written = measured(services, "dlt", pull)
    table.add("first", "dlt_default", leg, written)
    services.drop("dlt")
    yield {"case": "first", "round": 1, "contender": "dlt_default", **figures(made, leg), **written}


def slow_pages(services: Cluster, play: Play, made: Corpus, table: Table, number: int) -> Figures:
    address = play(1, LATENCY)
    for name in ("ours", "copy", "dlt"):
        services.create(name, GROUND)
    with ExitStack() as stack:
        pulls: dict[str, Callable[[], Leg]] = {
            "ours": partial(ours.pull, "ours", concurrency=CONCURRENCY),
            "copy": partial(copying.copy, services.postgres.conninfo("copy"), address, CONCURRENCY),
        }
        if number == 1:
            pulls["dlt"] = stack.enter_context(dlt(services, "dlt", address, made, "best"))
        for name, pull in pulls.items():
            leg, written = measured(services, name, pull)
            table.add("slow", name, leg, written)
            yield {"case": "slow", "round": number, "contender": name, **figures(made, leg), **written}
            if name == "ours":
                table.short |= {str(complete.of_ours(services, name, made, 1)["short"])} - {"no"}
    for name in ("ours", "copy", "dlt"):
        services.drop(name)
