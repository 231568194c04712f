"""Turns the address and practice a person typed into the two strings every URL is built from.

Each mistake seen in the field gets its own sentence, because the Practices screen shows it as it stands.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from .errors import ConfigError

PREVIEW = "https://api.preview.platform.athenahealth.com"
PRODUCTION = "https://api.platform.athenahealth.com"
_RETIRED_HOSTS = frozenset({"api.athenahealth.com"})  # Mashery, gone since 2021
_API_PATH = re.compile(r"^/(v1|fhir|oauth2)(/|$)", re.IGNORECASE)
_PRACTICE = re.compile(r"[1-9][0-9]{0,11}")


def read_base_url(typed: str) -> str:
    """`https://host[:port]` without a path. Plain http is accepted on loopback only: answers carry PHI."""
    text = typed.strip()
    if not text:
        raise ConfigError(f"the base URL is missing; production is {PRODUCTION}")
    if "://" not in text:
        raise ConfigError("the base URL has no scheme; it must start with https://")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("the base URL is not a valid URL") from None
    if not host or re.search(r"[\s\x00-\x1f\\]", text):
        raise ConfigError("the base URL is not a valid URL")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("the base URL must not hold a user name or a password")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigError("the base URL must start with https://")
    if _API_PATH.match(parts.path):
        first = parts.path.split("/")[1]
        raise ConfigError(f"leave /{first} out of the base URL: it ends after the host name")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError("the base URL ends after the host name: no path and no parameters")
    if host in _RETIRED_HOSTS:
        raise ConfigError(f"this athenahealth host was retired; production is {PRODUCTION}")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def read_practice_id(typed: str) -> str:
    text = typed.strip()
    if not _PRACTICE.fullmatch(text):
        raise ConfigError("the practice id is a number, such as 195900")
    return text


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
