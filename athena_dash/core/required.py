"""The environment of a production into what is wrong with it, in words that name the variable to set."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.fernet import Fernet

SHORTEST_SECRET = 50  # what `manage.py check --deploy` asks for


def missing_in_production(environment: Mapping[str, str], *, debug: bool) -> list[str]:
    return [
        fault
        for fault in (
            _secret_key(environment.get("SECRET_KEY", "")),
            "DEBUG is on: unset it" if debug else "",
            "ATHENA_DASH_CLOCK is set: unset it, deadlines and audit go by the machine's time"
            if environment.get("ATHENA_DASH_CLOCK")
            else "",
            _encryption_key(environment.get("ATHENA_DASH_ENCRYPTION_KEY", "")),
            _allowed_hosts(environment.get("ALLOWED_HOSTS", "")),
        )
        if fault
    ]


def _secret_key(value: str) -> str:
    if not value:
        return "SECRET_KEY is missing"
    if len(value) < SHORTEST_SECRET or len(set(value)) < 5 or value.startswith("django-insecure-"):
        return f"SECRET_KEY is a default or too simple: give it {SHORTEST_SECRET} random characters"
    return ""


def _encryption_key(value: str) -> str:
    if not value:
        return "ATHENA_DASH_ENCRYPTION_KEY is missing: credentials of practices are stored with it"
    try:
        for key in value.split(","):
            Fernet(key)
    except ValueError:
        return "ATHENA_DASH_ENCRYPTION_KEY is not a Fernet key (or a comma-separated list of them)"
    return ""


def _allowed_hosts(value: str) -> str:
    if not value.strip(" ,"):
        return "ALLOWED_HOSTS is missing"
    return "ALLOWED_HOSTS allows any host" if "*" in value.split(",") else ""
