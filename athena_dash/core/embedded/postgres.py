"""How PostgreSQL runs inside a state directory: initialised once, unix socket only, scram, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from signal import SIGINT, SIGQUIT

import psycopg
from psycopg.conninfo import make_conninfo

from athena_dash.core.embedded.postgres_binaries import Binaries, find_binaries, reachable
from athena_dash.core.embedded.state import State
from athena_dash.core.embedded.supervisor import Program

ROOT_BASE = Path("/var/lib/athena-dash")
NAME = USER = "athena_dash"
NOT_DURABLE = ("fsync=off", "full_page_writes=off")  # survives a killed process, not a dead machine


def buffers_mb() -> int:
    """A sixteenth of the memory, as we share the machine with workers and whatever else runs; at most 1 GB."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return min(1024, max(128, memory // 16))


@dataclass(frozen=True)
class Postgres:
    state: State
    durable: bool = True

    @property
    def socket(self) -> Path:
        return self.state.sockets / "postgres"

    @property
    def password(self) -> str:
        return self.state.secret("postgres_password")

    def conninfo(self, database: str = NAME) -> str:
        return make_conninfo(host=str(self.socket), user=USER, password=self.password, dbname=database)

    @cached_property
    def identity(self) -> tuple[int, int] | None:
        """The uid and gid that root becomes: initdb wants a name in passwd, and refuses root."""
        if os.geteuid() != 0:
            return None
        everyone = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
        preferred = [everyone[name] for name in ("postgres", "nobody") if name in everyone]
        for entry in preferred or everyone.values():
            return entry.pw_uid, entry.pw_gid
        raise FileNotFoundError("PostgreSQL refuses to run as root and this machine has no other user")

    @cached_property
    def binaries(self) -> Binaries:
        found = find_binaries()
        return found if self.identity is None or reachable(found.directory) else found.copied_to(ROOT_BASE)

    @cached_property
    def data(self) -> Path:
        """In the state directory; under /var/lib if `identity` cannot get there (root in a 0700 home).

        The password is part of that name: a new checkout at an old path must not meet the old one's data.
        """
        inside = self.state.root / f"postgres-{self.binaries.major}"
        if self.identity is None or reachable(self.state.root) or (inside / "PG_VERSION").exists():
            return inside
        return ROOT_BASE / f"{self.state.key}-{self.password[:6]}" / inside.name

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def prepare(self) -> None:
        """Runs initdb where there is no cluster yet, or one whose initdb was interrupted."""
        self._make(self.socket)
        if (self.data / "global" / "pg_control").exists() and not self._draft.exists():
            self._forget_recycled_pid()
            return
        self.data.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.rmtree(self.data, ignore_errors=True)
        self._draft.touch()
        self._make(self.data)
        self._initdb()
        self._draft.unlink()

    def program(self) -> Program:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self.socket}",
            f"shared_buffers={buffers_mb()}MB",
            # Of a session, taken as it needs them: the tables a backfill is correlated in go to disk with 8 MB.
            "temp_buffers=64MB",
            "max_connections=100",
            # Statements and DETAIL lines quote values of rows: patients' names have no place in a log.
            "log_min_error_statement=panic",
            "log_error_verbosity=terse",
            *(() if self.durable else NOT_DURABLE),
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        return Program(
            "postgres",
            (str(self.binaries.directory / "postgres"), "-D", str(self.data), *options),
            stop_signal=SIGINT,  # fast shutdown: roll back, checkpoint, leave
            last_signal=SIGQUIT,
            grace=30,
            user=self.identity,
            cwd=Path("/"),
        )

    def answers(self, database: str = NAME) -> bool:
        try:
            psycopg.connect(self.conninfo(database), connect_timeout=2).close()
        except psycopg.Error:
            return False
        return True

    def create_database(self) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
                connection.execute(f"create database {NAME}")

    @property
    def _draft(self) -> Path:
        return self.data.with_name(f"{self.data.name}.initdb")

    def _make(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self._own(directory)

    def _own(self, path: Path) -> None:
        if self.identity:
            os.chown(path, *self.identity)

    def _initdb(self) -> None:
        # --pwfile must be a file of that user's own: /dev/stdin is closed to a process with a dropped uid.
        password_file = self.socket / "initial-password"
        password_file.touch(mode=0o600)
        password_file.write_text(f"{self.password}\n")
        self._own(password_file)
        # Both collate by code point in UTF-8; the builtin provider (since 17) needs no locale of the system.
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        command = [
            *(self.binaries.directory / "initdb", "-D", self.data, "-U", USER, "-A", "scram-sha-256"),
            *("--pwfile", password_file, "-E", "UTF8"),
            *(locale if self.binaries.major >= 17 else ["--locale=C.UTF-8"]),
            *(() if self.durable else ("--no-sync",)),
        ]
        uid, gid = self.identity or (None, None)
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd="/",
                check=False,
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
            )
        finally:
            password_file.unlink()
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.strip()[-500:]}")

    def _forget_recycled_pid(self) -> None:
        """After a reboot (of a container, most of all) the pid in postmaster.pid may be someone else's.

        PostgreSQL then refuses to start for ever. A real postmaster works in its data directory.
        """
        try:
            working_directory = os.readlink(f"/proc/{self.pid_file.read_text().split()[0]}/cwd")
        except (OSError, IndexError):
            return
        if Path(working_directory) != self.data.resolve():
            self.pid_file.unlink()
