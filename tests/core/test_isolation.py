"""What the test run itself promises."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_socket
from django.conf import settings

SKIPS = """
import pytest

def test_passes(): pass

def test_skips(): pytest.skip({reason!r})
"""


def run_in_ci(directory: Path, reason: str) -> subprocess.CompletedProcess[str]:
    """A run of its own under the same conftest, services included."""
    (directory / "test_skips.py").write_text(SKIPS.format(reason=reason))
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"ATHENA_DASH_TEST_STATE", "REDIS_URL"} and not name.startswith("PYTEST")
    }
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.conftest",
            "-c",
            settings.BASE_DIR / "pyproject.toml",
            directory,
        ],
        env={**environment, "CI": "true"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_test_reaches_beyond_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(pytest_socket.SocketConnectBlockedError):
        outside.connect(("192.0.2.1", 443))


def test_a_test_that_did_not_run_fails_ci(tmp_path: Path) -> None:
    done = run_in_ci(tmp_path, "no browser here")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "1 skipped in CI" in done.stdout


def test_only_recordings_that_no_checkout_has_may_be_missing(tmp_path: Path) -> None:
    done = run_in_ci(tmp_path, "needs ../shared/reference/athena-data")
    assert done.returncode == 0, done.stdout + done.stderr
