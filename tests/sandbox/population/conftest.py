"""A small population, generated once: every test reads it, or changes a copy of its file."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.sandbox.ledger import Ledger
from integrations.sandbox.population import populate
from integrations.sandbox.store import Store

AS_OF = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)  # a Friday noon in New York


def generate(
    path: Path, seed: int = 7, visits: int = 400, practices: int = 3, profile: str = "demo"
) -> Ledger:
    with Store(path) as store:
        populate(store, seed=seed, practices=practices, visits=visits, as_of=AS_OF, profile=profile)
        return Ledger.export(store, AS_OF)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("population") / "sandbox.db"
    generate(path)
    with Store(path) as store:
        store.db.execute("pragma wal_checkpoint(truncate)")
    return path


@pytest.fixture(scope="session")
def ledger(generated: Path) -> Ledger:
    with Store(generated) as store:
        return Ledger.export(store, AS_OF)


@pytest.fixture
def path(generated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(generated, tmp_path / "copy.db"))


@pytest.fixture
def store(path: Path) -> Store:
    return Store(path)
