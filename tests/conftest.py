"""Tests on real PostgreSQL and Valkey of their own: a throwaway state directory a run, a database a worker.

Sets the environment before Django reads it, so it stays the first thing imported. No network but loopback.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest
import pytest_socket
from django.conf import settings

from tests.leftovers import remove_leftovers

if TYPE_CHECKING:
    from athena_dash.accounts.models import User
    from athena_dash.practices.models import Practice
    from tests.recovery.failing import Retries

OWN_STATE = "ATHENA_DASH_TEST_STATE"  # set by the run that made it, for its xdist workers
REFERENCE = "../shared/reference"  # recordings that are not part of a checkout; the one reason to skip in CI

os.environ["DJANGO_SETTINGS_MODULE"] = "athena_dash.settings"
os.environ["ATHENA_DASH_ENV"] = "test"
if OWN_STATE not in os.environ:
    remove_leftovers("athena-dash-test-")
    os.environ[OWN_STATE] = tempfile.mkdtemp(prefix="athena-dash-test-")
    # As root, PostgreSQL runs as another user, who must get to its data.
    Path(os.environ[OWN_STATE]).chmod(0o711)
    Path(os.environ[OWN_STATE], "static").mkdir()
os.environ["ATHENA_DASH_STATE"] = os.environ[OWN_STATE]
for external in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(external, None)

from athena_dash.core import clock  # noqa: E402
from athena_dash.core.embedded.attach import attach, stop_keeper  # noqa: E402
from athena_dash.core.embedded.state import State  # noqa: E402
from athena_dash.core.embedded.valkey import Valkey  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    attach(durable=False)
    django.setup()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    use_valkey(Valkey(State.from_environment()).url(int(worker.removeprefix("gw")) % 16))
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests make many users


def use_valkey(url: str) -> None:
    """One Valkey database a worker, or one worker's flush empties another's cache and queues.

    pytest-django has read the settings before this, with the environment that the controller handed down.
    """
    os.environ["REDIS_URL"] = settings.REDIS_URL = (
        url  # the environment is for the processes that tests start
    )
    settings.CACHES["default"]["LOCATION"] = url
    for queue in settings.RQ_QUEUES.values():
        queue["URL"] = url


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    stop_keeper(state := State.from_environment())
    shutil.rmtree(state.root, ignore_errors=True)


def pytest_runtest_setup() -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def as_of() -> Iterator[datetime]:
    """Noon of a Wednesday, and the clock stands still there."""
    instant = datetime(2026, 3, 11, 16, tzinfo=UTC)
    with clock.frozen(instant):
        yield instant


@pytest.fixture
def sam(practice: Practice) -> User:
    """Support of the `practice` that the test's folder makes; Django's apps are read after this file."""
    from tests.builders import a_user

    return a_user(practice, role="support", username="sam")


@pytest.fixture
def ada(practice: Practice) -> User:
    """Its admin."""
    from tests.builders import a_user

    return a_user(practice, role="admin", username="ada")


@pytest.fixture
def retries(monkeypatch: pytest.MonkeyPatch) -> Retries:
    """Retries that need no athena."""
    from tests.recovery.failing import Retries

    fake = Retries()
    monkeypatch.setattr("athena_dash.sync.replay.retry", fake)
    return fake


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a test that did not run is a failure, unless what it lacks cannot be in a checkout."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return
    silent = [report for report in reporter.stats.get("skipped", []) if REFERENCE not in str(report.longrepr)]
    if silent:
        reporter.write_line(f"{len(silent)} skipped in CI: " + ", ".join(r.nodeid for r in silent), red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
