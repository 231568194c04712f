"""A production that is not safe to start does not start, and says why."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from athena_dash.core.required import missing_in_production

SAFE = {
    "ATHENA_DASH_ENV": "production",
    "SECRET_KEY": "k3" * 10 + "Zx9-Qw7_Lm5" * 4,
    "ATHENA_DASH_ENCRYPTION_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "dash.example.test",
    "DATABASE_URL": "postgres://u:p@db.invalid/d",
    "REDIS_URL": "redis://redis.invalid/0",
}


def check(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, settings.BASE_DIR / "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**inherited, "ATHENA_DASH_STATE": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_safe_production_passes_every_deployment_check(tmp_path: Path) -> None:
    done = check(tmp_path, **SAFE)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "secrets").exists()


def test_a_bare_production_names_all_it_lacks_at_once(tmp_path: Path) -> None:
    done = check(tmp_path, ATHENA_DASH_ENV="production", DEBUG="1")
    assert done.returncode != 0
    for name in ("SECRET_KEY", "DEBUG", "ATHENA_DASH_ENCRYPTION_KEY", "ALLOWED_HOSTS"):
        assert name in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "django-insecure-" + "x7" * 30),
        ("SECRET_KEY", "short"),
        ("ATHENA_DASH_ENCRYPTION_KEY", "not a key"),
        ("ATHENA_DASH_ENCRYPTION_KEY", SAFE["ATHENA_DASH_ENCRYPTION_KEY"] + ",half"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", " "),
        ("ATHENA_DASH_CLOCK", "clock"),
    ],
)
def test_a_value_that_is_there_but_not_safe_is_named(name: str, value: str) -> None:
    assert [fault.split()[0] for fault in missing_in_production({**SAFE, name: value}, debug=False)] == [name]


def test_a_key_in_the_message_would_be_a_leak() -> None:
    faults = missing_in_production({**SAFE, "ATHENA_DASH_ENCRYPTION_KEY": "half-a-key"}, debug=False)
    assert "half-a-key" not in " ".join(faults)
