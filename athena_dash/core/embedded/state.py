"""One instance is one state directory: from its path follow the sockets, the secrets and the addresses."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class State:
    root: Path

    @classmethod
    def from_environment(cls) -> State:
        return cls(Path(os.environ.get("ATHENA_DASH_STATE") or CHECKOUT / "var").absolute())

    @cached_property
    def key(self) -> str:
        """Tells two instances of one machine apart; also two users who share a path."""
        return hashlib.sha256(f"{os.geteuid()}:{self.root.resolve()}".encode()).hexdigest()[:10]

    @property
    def sockets(self) -> Path:
        """Short, because a unix socket's path ends at about 100 bytes and a checkout's path may not."""
        return Path(tempfile.gettempdir()) / f"athena-dash-{self.key}"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def prepare(self) -> State:
        """Makes the directories. PermissionError: the socket directory belongs to someone else."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        # 0711: as root, PostgreSQL runs as another user, who must get through to its own 0700 directory.
        self.sockets.mkdir(mode=0o711, exist_ok=True)
        found = self.sockets.lstat()
        if self.sockets.is_symlink() or found.st_uid != os.geteuid():
            raise PermissionError(f"{self.sockets} belongs to another user: remove it or set TMPDIR")
        return self

    def forget_sockets(self) -> None:
        """They mean nothing once their servers have ended, and nobody else clears a temporary directory."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    def secret(self, name: str, make: Callable[[], str] = secrets.token_urlsafe) -> str:
        """The secret of that name, made on first use; two processes that ask at once get the same one."""
        path = self.root / "secrets" / name
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{name}-") as draft:
                draft.write(make())
                draft.flush()
                os.fsync(draft.fileno())
                with suppress(FileExistsError):
                    os.link(draft.name, path)
        return path.read_text()
