"""Is everything there? Counted by SQL after the clock has stopped."""

from __future__ import annotations

from typing import Any

import psycopg

from bench.sync.cluster import Cluster
from bench.sync.corpus import CHANGED, Corpus
from bench.sync.visit import LINES

Connection = psycopg.Connection[Any]
OURS = """
select jsonb_build_object(
    'raw', (select count(*) from sync_rawrecord where resource = any(%(feeds)s)),
    'failures', (select count(*) from sync_failure where resolved_at is null),
    'encounters', (select count(*) from records_encounter),
    'claims', (select count(*) from records_claim where primary_status <> ''),
    'lines', (select count(*) from records_chargeline
              where amount is not null and payments is not null and claim_id <> ''),
    'linked_encounters', (select count(*) from correlation_link where kind = 'encounter' and state = 'linked'),
    'linked_claims', (select count(*) from correlation_link where kind = 'claim' and state = 'linked'),
    'judged', (select count(*) from correlation_visit where judged_at is not null),
    'paid', (select count(*) from correlation_visit where paid is not null),
    'open_gaps', (select count(*) from correlation_gap where closed_at is null)
)
"""
ROWS = """
select jsonb_build_object(
    'encounters', (select count(*) from records_encounter),
    'claims', (select count(*) from records_claim where primary_status <> ''),
    'lines', (select count(*) from records_chargeline
              where amount is not null and payments is not null and claim_id <> '')
)
"""
GAPS = """
select code, verdict, count(*) from correlation_gap where closed_at is null group by 1, 2 order by 1, 2
"""


def of_ours(cluster: Cluster, database: str, corpus: Corpus, version: int) -> dict[str, object]:
    """The counts, and `short`: what is not as it must be, "no" when all is there."""
    feeds = list(corpus.records)
    with cluster.connect(database) as connection:
        (found,) = connection.execute(OURS, {"feeds": feeds}).fetchone()
        found["unprocessed"] = unprocessed(connection)
    changed = sum(-(-size // CHANGED) for size in corpus.records.values())
    wanted = rows(corpus) | {
        "raw": corpus.total + (version - 1) * changed,
        "unprocessed": 0,
        "failures": 0,
        "linked_encounters": corpus.n,
        "linked_claims": corpus.n,
        "judged": corpus.n,
        "paid": corpus.n,
    }
    missing = [f"{name}:{found[name]}/{count}" for name, count in wanted.items() if found[name] != count]
    return found | {"short": ",".join(missing) or "no"}


def unprocessed(connection: Connection) -> int:
    """Payloads without their facts and touched records without their visits, in whichever tables hold these."""
    holding = connection.execute(
        "select table_name from information_schema.columns where column_name = 'processed_version'"
    ).fetchall()
    count = sum(counted(connection, table, "processed_version is null") for (table,) in holding)
    (touched,) = connection.execute("select to_regclass('sync_touched')").fetchone()
    return count + (counted(connection, "sync_touched", "true") if touched else 0)


def counted(connection: Connection, table: str, which: str) -> int:
    (count,) = connection.execute(f"select count(*) from {table} where {which}").fetchone()  # noqa: S608
    return count


def of_rows(cluster: Cluster, database: str, corpus: Corpus) -> None:
    """What the baseline promises: the rows. One that is short of them is no baseline."""
    with cluster.connect(database) as connection:
        (found,) = connection.execute(ROWS).fetchone()
    if found != rows(corpus):
        raise RuntimeError(f"the baseline is short of rows: {found}")


def rows(corpus: Corpus) -> dict[str, int]:
    return {"encounters": corpus.n, "claims": corpus.n, "lines": LINES * corpus.n}


def gaps(cluster: Cluster, database: str) -> dict[str, int]:
    """Open gaps by code and verdict."""
    with cluster.connect(database) as connection:
        return {f"{code}_{verdict}": count for code, verdict, count in connection.execute(GAPS)}
