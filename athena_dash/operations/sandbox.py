"""The running sandbox as seen from here: where it listens, and its faults switched on and off over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
from django.conf import settings

DEMO_FAULTS: tuple[dict[str, Any], ...] = (
    # What a support desk meets on an ordinary day. Those with `times` heal at athena's side after that many answers;
    # the others stay until `manage.py sandbox_fault off`, after which their replay succeeds.
    {
        "name": "demo-broken-claims",
        "kind": "corrupt_record",
        "match": {"path": "/claims"},
        "probability": 0.01,
        "params": {"field": "procedures", "as": "wrong_type"},
    },
    {
        "name": "demo-unknown-appointment-status",
        "kind": "unknown_code",
        "match": {"path": "/appointments/booked"},
        "probability": 0.006,
        "times": 5,
        "params": {"field": "appointmentstatus", "code": "7"},
    },
    {
        "name": "demo-unknown-claim-status",
        "kind": "unknown_code",
        "match": {"path": "/claims"},
        "probability": 0.006,
        "params": {"code": "ZHOLD"},
    },
    {
        "name": "demo-notes-unavailable",
        "kind": "server_error",
        "match": {"path": r"/claims/\d*3/claimnotes$"},
        "params": {"status": 503},
    },
)


class SandboxAway(Exception):
    """No sandbox answers; the message says what to do."""


def url() -> str:
    """Of the sandbox that `make demo` runs on this state directory."""
    remembered = settings.STATE.root / "sandbox" / "port"
    if not remembered.exists():
        raise SandboxAway("No sandbox has run on this state directory: `make demo` starts one.")
    return f"http://127.0.0.1:{remembered.read_text().strip()}"


def faults(base_url: str) -> dict[str, Any]:
    """{"faults": [...], "kinds": [...]}; a fault says how often it has fired."""
    return ask("GET", base_url)


def switch_on(base_url: str, fault: dict[str, Any]) -> dict[str, Any]:
    return ask("POST", base_url, json=fault)


def switch_off(base_url: str, name: str | None) -> int:
    """By name, or all; how many were on."""
    return int(ask("DELETE", base_url, params={"name": name} if name else {})["removed"])


def start_demo_faults(base_url: str) -> None:
    """Each once in the life of a sandbox: one that is on, or has been switched off by hand, is left alone."""
    marker = settings.STATE.root / "sandbox" / "demo-faults"
    if not marker.exists():
        for fault in DEMO_FAULTS:
            switch_on(base_url, fault)
        marker.touch()


def ask(method: str, base_url: str, **request: Any) -> dict[str, Any]:
    try:
        answer = httpx.request(method, f"{base_url}/_sandbox/faults", timeout=10, trust_env=False, **request)
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError):
        raise SandboxAway(f"The sandbox at {base_url} does not answer: is the demo running?") from None
    if answer.is_error:
        raise ValueError(body.get("error", f"the sandbox refused with {answer.status_code}"))
    return body
