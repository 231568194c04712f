"""A product cluster of the bench's own (embedded PostgreSQL and Valkey, durable), a database for each contender."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from athena_dash.core.embedded.attach import attach, stop_keeper
from athena_dash.core.embedded.postgres import Postgres
from athena_dash.core.embedded.state import State

GROUND = "ground"  # the prepared practice every contender starts from
# what every pull writes a row of for each page, however little it brought: apart, so that data's own is seen
BOOKKEEPING = ("sync_feed", "sync_run", "sync_touched")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """On an empty state directory; processes started inside find it by their environment."""
    root = Path(tempfile.mkdtemp(prefix="athena-dash-bench-"))
    root.chmod(0o711)  # as root, PostgreSQL runs as another user
    os.environ["ATHENA_DASH_STATE"] = str(root)
    for external in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(external, None)
    state = State(root)
    in_use = attach()
    try:
        yield Cluster(Postgres(state))
    finally:
        if in_use is not None:
            os.close(in_use)
        stop_keeper(state)
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class Written:
    """What a database had written at one instant: WAL in bytes, row versions updated or deleted, dead rows."""

    wal: int
    rewritten: int
    dead: int
    bookkeeping: int

    def since(self, before: Written) -> dict[str, float]:
        return {
            "wal_mb": round((self.wal - before.wal) / 1e6, 1),
            "rewritten": self.rewritten - before.rewritten,
            "dead": max(0, self.dead - before.dead),
            "rewritten_bookkeeping": self.bookkeeping - before.bookkeeping,
        }


@dataclass(frozen=True)
class Cluster:
    postgres: Postgres

    @property
    def postmaster(self) -> int:
        return int(self.postgres.pid_file.read_text().split()[0])

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.postgres.conninfo(database), autocommit=True)

    def create(self, database: str, template: str = "template1") -> None:
        with self.connect() as connection:
            connection.execute(f"drop database if exists {database} with (force)")
            connection.execute(f"create database {database} template {template} strategy file_copy")

    def drop(self, database: str) -> None:
        with self.connect() as connection:
            connection.execute(f"drop database if exists {database} with (force)")

    def vacuum(self, database: str) -> None:
        """Between legs, or autovacuum would do it during somebody else's."""
        with self.connect(database) as connection:
            connection.execute("vacuum (analyze)")

    def checkpoint(self) -> None:
        """Every leg starts behind one, so that none pays for the pages the leg before has dirtied."""
        with self.connect() as connection:
            connection.execute("checkpoint")

    def written(self, database: str) -> Written:
        time.sleep(1.2)  # sessions hand in their counts within a second
        with self.connect(database) as connection:
            (wal,) = connection.execute(
                "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"
            ).fetchone()
            rewritten, dead, bookkeeping = connection.execute(
                """
                select coalesce(sum(n_tup_upd + n_tup_del) filter (where not kept_apart), 0),
                       coalesce(sum(n_dead_tup) filter (where not kept_apart), 0),
                       coalesce(sum(n_tup_upd + n_tup_del) filter (where kept_apart), 0)
                from (select *, relname = any(%s) as kept_apart from pg_stat_user_tables) t
                """,
                [list(BOOKKEEPING)],
            ).fetchone()
        return Written(int(wal), int(rewritten), int(dead), int(bookkeeping))
