"""One practice on a synthetic athena of two dozen visits, under a clock that stands still until a test moves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from athena_dash.practices.models import Practice
    from tests.sync.athena import Athena, Time
    from tests.sync.rig import Synced


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


@contextmanager
def impatient() -> Iterator[None]:
    """Retries of the connector follow at once."""
    from athena_dash.sync import connections
    from integrations.athena.session import Session
    from integrations.athena.transport import Policy

    policy = Policy(attempts=2, first_wait=0.0, longest_wait=0.0, patience=5.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "Session", partial(Session, policy=policy))
        yield


@pytest.fixture
def no_waiting() -> Iterator[None]:
    with impatient():
        yield


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


@pytest.fixture(scope="module")
def synced_once(
    world: Path, tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Path]:
    """A practice that has had its first sync and whose changed feeds are active, committed for the module's tests,
    each of which is rolled back; and the state of the athena it came from."""
    from athena_dash.core import clock
    from athena_dash.practices.models import Practice
    from athena_dash.sync.feeds import create_feeds
    from tests.sync.athena import PRACTICE, Time, serving
    from tests.sync.rig import FIRST_SYNC, connect, forget_shared, pull_all

    path = Path(shutil.copy(world, tmp_path_factory.mktemp("synced") / "athena.sqlite"))
    time = Time()
    with django_db_blocker.unblock(), clock.frozen(time.now), impatient(), serving(path, time) as athena:
        forget_shared()
        practice = Practice.objects.create(slug="synced", name="Synced", athena_id=PRACTICE)
        connect(practice, athena)
        create_feeds(practice)
        for minutes in FIRST_SYNC:
            time.passes(minutes=minutes)
            pull_all(practice)
        athena.checkpoint()
    yield path
    with django_db_blocker.unblock():
        practice.delete()


@pytest.fixture
def synced(synced_once: Path, db: None, time: Time, tmp_path: Path, no_waiting: None) -> Iterator[Synced]:
    """The synced practice, a minute later, with a copy of its athena that the test may change and break."""
    from athena_dash.practices.models import Practice
    from tests.sync.athena import serving
    from tests.sync.rig import FIRST_SYNC, Synced, forget_shared

    time.passes(minutes=sum(FIRST_SYNC) + 1)
    with serving(Path(shutil.copy(synced_once, tmp_path / "athena.sqlite")), time) as athena:
        forget_shared()
        practice = Practice.objects.get(slug="synced")
        practice.connection.base_url = athena.url
        practice.connection.save()
        yield Synced(practice, athena)


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from integrations.athena import client
    from integrations.athena.endpoints import ENDPOINTS

    small = {name: replace(one, page_size=2) if one.page_size else one for name, one in ENDPOINTS.items()}
    monkeypatch.setattr(client, "endpoint", small.__getitem__)
