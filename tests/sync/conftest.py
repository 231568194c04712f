"""One practice on a synthetic athena of forty visits, under a clock that stands still until a test moves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from athena_dash.practices.models import Practice
    from tests.sync.athena import Athena, Time


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.sync.athena import make_world

    return make_world(tmp_path_factory.mktemp("athena") / "world.sqlite")


@pytest.fixture
def time() -> Iterator[Time]:
    from athena_dash.core import clock
    from tests.sync.athena import Time

    time = Time()
    with clock.frozen(time.now):
        yield time


@pytest.fixture
def athena(world: Path, tmp_path: Path, time: Time, no_waiting: None) -> Iterator[Athena]:
    """An athena of the test's own."""
    from tests.sync.athena import serving

    with serving(Path(shutil.copy(world, tmp_path / "athena.sqlite")), time) as athena:
        yield athena


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries of the connector follow at once."""
    from integrations.athena.session import Session
    from integrations.athena.transport import Policy

    policy = Policy(attempts=2, first_wait=0.0, longest_wait=0.0, patience=5.0)
    monkeypatch.setattr("athena_dash.sync.connections.Session", partial(Session, policy=policy))


@pytest.fixture
def practice(db: None, time: Time) -> Practice:
    """Made by hand, with no feed and nobody to ask."""
    from athena_dash.practices.models import Practice
    from tests.sync.athena import PRACTICE

    return Practice.objects.create(slug="riverside", name="Riverside", athena_id=PRACTICE)


@pytest.fixture
def connected(practice: Practice, athena: Athena) -> Practice:
    """The practice with all its feeds and a credential athena knows; nothing pulled yet."""
    from athena_dash.sync.feeds import create_feeds
    from tests.sync.rig import connect, forget_shared

    forget_shared()
    connect(practice, athena)
    create_feeds(practice)
    return practice
